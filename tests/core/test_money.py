"""Amounts: half-up, by currency, never a float, and the same in the database."""

from decimal import Decimal

import pytest
from django.db import connection

from core.money import minor_units, show, to_minor, to_stored


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [
        ("10.005", "EUR", "10.01"),
        ("10.0049", "EUR", "10.00"),
        ("-10.005", "EUR", "-10.01"),
        ("0.5", "JPY", "1"),
        ("1.2345", "KWD", "1.235"),
        ("2.675", "USD", "2.68"),
    ],
)
def test_document_amounts_round_half_up(amount: str, currency: str, expected: str):
    assert str(to_minor(Decimal(amount), currency)) == expected


@pytest.mark.parametrize(("amount", "expected"), [("1.00005", "1.0001"), ("1.00004", "1.0000"), ("3", "3.0000")])
def test_stored_amounts_have_four_decimals(amount: str, expected: str):
    assert str(to_stored(Decimal(amount))) == expected


@pytest.mark.parametrize(("currency", "decimals"), [("EUR", 2), ("JPY", 0), ("KWD", 3), ("XYZ", 2)])
def test_minor_units(currency: str, decimals: int):
    assert minor_units(currency) == decimals


def test_amount_in_words():
    assert show(Decimal("1234.5"), "EUR") == "1,234.50 EUR"
    assert show(Decimal("1234.5"), "JPY") == "1,235 JPY"


@pytest.mark.django_db
def test_every_amount_column_is_an_exact_number():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name FROM information_schema.columns "
            "WHERE table_schema = 'public' AND data_type IN ('real', 'double precision', 'money')"
        )
        assert cursor.fetchall() == []
