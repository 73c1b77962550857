"""The audit log: what an entry holds, that secrets are masked, and that the database lets it only grow."""

import uuid

import pytest
from django.db import IntegrityError, connection, transaction

from core import audit
from core.audit import MASK, AuditEntry
from core.tenancy import Actor
from resellers.models import Account
from tests import factories


@pytest.fixture
def account(db: None) -> Account:
    return factories.account(factories.organization())


def entry(account: Account, actor: Actor | None = None) -> AuditEntry:
    who = actor or factories.actor(account.organization)
    return audit.record(
        who, "account.renamed", account, before={"name": "Old"}, after={"name": "New", "password": "x"}, reason="asked"
    )


def in_database(statement: str, *values: object) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)


def test_entry_says_who_did_what(account: Account):
    actor = factories.actor(account.organization)
    row = AuditEntry.objects.get(pk=entry(account, actor).pk)
    assert (row.actor_user_id, row.actor_label, row.actor_kind) == (actor.user_id, actor.label, "staff")
    assert (row.action, row.object_type, row.object_id) == ("account.renamed", "resellers.account", account.public_id)
    assert (row.before, row.after) == ({"name": "Old"}, {"name": "New", "password": MASK})
    assert (row.organization_id, row.reason) == (account.organization_id, "asked")


def test_secrets_are_masked_at_every_depth():
    given = {
        "client_secret": "a",
        "settings": {"application_key": "b", "name": "n", "deeper": {"refresh_token": "c"}},
        "empty_password": "",
        "count": 3,
        "none": None,
    }
    assert audit.masked(given) == {
        "client_secret": MASK,
        "settings": {"application_key": MASK, "name": "n", "deeper": {"refresh_token": MASK}},
        "empty_password": "",
        "count": 3,
        "none": None,
    }


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE core_auditentry SET action = 'nothing' WHERE id = %s",
        "UPDATE core_auditentry SET at = now() WHERE id = %s",
        "UPDATE core_auditentry SET after = '{}' WHERE id = %s",
        "DELETE FROM core_auditentry WHERE id = %s",
    ],
)
def test_database_refuses_to_change_an_entry(account: Account, statement: str):
    row = entry(account)
    with pytest.raises(IntegrityError, match="can only grow"):
        in_database(statement, row.pk)
    again = AuditEntry.objects.get(pk=row.pk)
    assert (again.action, again.at, again.after) == (row.action, row.at, row.after)


def test_queryset_cannot_delete_either(account: Account):
    row = entry(account)
    with pytest.raises(IntegrityError, match="can only grow"), transaction.atomic():
        AuditEntry.objects.filter(pk=row.pk).delete()
    assert AuditEntry.objects.filter(pk=row.pk).exists()


def test_hash_chain_is_filled_once(account: Account):
    row = entry(account)
    fill = "UPDATE core_auditentry SET sequence = %s, previous_hash = %s, entry_hash = %s WHERE id = %s"
    in_database(fill, 1, "a" * 64, "b" * 64, row.pk)
    with pytest.raises(IntegrityError, match="can only grow"):
        in_database(fill, 2, "c" * 64, "d" * 64, row.pk)
    row.refresh_from_db()
    assert (row.sequence, row.previous_hash, row.entry_hash) == (1, "a" * 64, "b" * 64)


def test_hash_chain_cannot_smuggle_another_change(account: Account):
    row = entry(account)
    with pytest.raises(IntegrityError, match="can only grow"):
        in_database("UPDATE core_auditentry SET entry_hash = 'x', object_id = %s WHERE id = %s", uuid.uuid4(), row.pk)
    row.refresh_from_db()
    assert (row.entry_hash, row.object_id) == ("", account.public_id)


def test_entry_goes_with_a_rollback(account: Account):
    with pytest.raises(RuntimeError), transaction.atomic():
        entry(account)
        raise RuntimeError
    assert AuditEntry.objects.filter(action="account.renamed").count() == 0
