"""Rows by COPY: new ones are inserted, known ones updated, and text comes out as it went in."""

from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from billing.models import TaxRate
from core.bulk import upsert
from tests import factories

pytestmark = pytest.mark.django_db
FIELDS = ("organization", "country", "name", "percent")


def write(*rows: tuple[int, str, str, Decimal]) -> int:
    return upsert(TaxRate, rows, fields=FIELDS, key=("organization", "country"), update=("name", "percent"))


def stored() -> list[tuple[str, str, Decimal]]:
    return list(TaxRate.objects.order_by("country").values_list("country", "name", "percent"))


def test_new_rows_are_inserted_and_known_ones_updated():
    pk = factories.organization().pk
    write((pk, "DE", "VAT", Decimal(19)), (pk, "GR", "VAT", Decimal(24)))
    first = TaxRate.objects.get(country="DE")

    written = write((pk, "DE", "MwSt", Decimal("19.5")), (pk, "FR", "TVA", Decimal(20)))

    assert written == 2
    assert stored() == [
        ("DE", "MwSt", Decimal("19.5")),
        ("FR", "TVA", Decimal(20)),
        ("GR", "VAT", Decimal(24)),
    ]
    now = TaxRate.objects.get(country="DE")
    assert (now.pk, now.public_id, now.created_at) == (first.pk, first.public_id, first.created_at)
    assert now.updated_at >= first.updated_at


def test_text_comes_out_as_it_went_in():
    pk = factories.organization().pk
    names = ["a\tb", "a\\nb", "a\nb\r", "\\N", "ΦΠΑ", "'; --"]

    write(*((pk, f"A{number}", name, Decimal(number)) for number, name in enumerate(names)))

    assert [name for _country, name, _percent in stored()] == names


def test_nothing_to_write_writes_nothing():
    assert write() == 0
    assert stored() == []


def test_many_rows_arrive_in_pieces():
    pk = factories.organization().pk
    codes = [f"{first}{second}" for first in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" for second in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"]

    assert write(*((pk, code, "x" * 40, Decimal(1)) for code in codes)) == len(codes)
    assert TaxRate.objects.count() == len(codes)


def test_a_bad_row_leaves_nothing_behind():
    pk = factories.organization().pk
    with pytest.raises(IntegrityError), transaction.atomic():
        write((pk, "DE", "VAT", Decimal(19)), (pk, "FR", "VAT", None))  # type: ignore[arg-type]

    assert stored() == []
