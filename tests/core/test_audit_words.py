"""Every action the code writes to the audit log has words, and customers read declared ones only."""

from functools import cache

import pytest

from core import audit_words as words
from subscriptions.enums import Purpose
from tests.house.actions import actions_of, recorded
from tests.house.rules import PACKAGES, python_files
from vendors.services.instances import INSTANCE_MACHINE

# Actions with a part that is known only when the code runs, and all they can be.
DYNAMIC = {"instance.{}": {f"instance.{event}" for event in INSTANCE_MACHINE.events}}


@cache
def found() -> dict[str, set[str]]:
    """Action to the files that record it; read when a test asks, not by each process that collects the tests."""
    return actions_of(python_files(*PACKAGES))


def test_actions_are_found():
    assert {"order.placed", "user.deactivated", "credit.credited", "instance.{}", "view_as.ended"} <= found().keys()


def test_every_recorded_action_has_words():
    read = {action for name in found() for action in DYNAMIC.get(name, {name})}
    assert sorted(action for action in read if not words.has_words(action)) == []


def test_every_purpose_of_an_operation_has_words():
    # The return of a licence is told by its asset and its request; an MPN ID is no customer's affair.
    of_subscriptions = set(Purpose.values) - {Purpose.RETURN.value, Purpose.STAMP.value}
    assert set(words.PURPOSES) == of_subscriptions
    for purpose in of_subscriptions:
        for phase in words.PHASES:
            assert words.has_words(f"subscription.{purpose}_{phase}")


def test_words_are_used():
    assert words.ACTIONS.keys() - found().keys() - set().union(*DYNAMIC.values()) == set()


@pytest.mark.parametrize(
    ("action", "shown"),
    [
        ("order.placed", "Order placed"),
        ("subscription.reduce_done", "Reduce licences: done"),
        ("subscription.cancel_at_end_given_up", "Cancel at the end of the term: given up"),
        ("subscription.addon_cancel_refused", "Cancel an add-on: refused by the vendor"),
        ("subscription.given_up", "Service given up"),
        ("something.never_seen", "Something never seen"),
    ],
)
def test_action_in_words(action, shown):
    assert words.action_words(action) == shown


def test_fields_and_objects_in_words():
    assert (words.field_words("address_line1"), words.field_words("odd_name")) == ("Address", "Odd name")
    assert (words.object_words("orders.order"), words.object_words("core.clock")) == ("Order", "Clock")


def test_the_desk_and_credit_are_not_public():
    hidden = ("operation.", "credit.", "instance.", "price", "product.", "category.", "account.credit", "account.price")
    assert [name for name in words.PUBLIC_ACTIONS if name.startswith(hidden)] == []
    assert not words.PUBLIC_FIELDS & (words.COST_FIELDS | words.TECHNICAL_FIELDS | {"notes", "accounting_number"})
    assert words.PUBLIC_REASONS <= words.PUBLIC_ACTIONS
    assert words.FIELDS.keys() >= words.PUBLIC_FIELDS


@pytest.mark.parametrize(
    ("source", "actions"),
    [
        ("def f(actor, row):\n    audit.record(actor, 'a.b', row)\n", ["a.b"]),
        ("def f(actor, row):\n    audit.record(actor, 'a.b' if row else 'a.c', row)\n", ["a.b", "a.c"]),
        (
            "def f(actor, row):\n    name = 'a.b' if row else 'a.c'\n    audit.record(actor, name, row)\n",
            ["a.b", "a.c"],
        ),
        ("def f(actor, row, e):\n    audit.record(actor, f'a.{e}', row)\n", ["a.{}"]),
        ("def f(actor, row, name):\n    audit.record(actor, name, row)\n", ["name in f"]),
        ("def f(actor, row):\n    audit.record(actor, NAMES[row], row)\n", ["NAMES[row] in f"]),
        ("def f(actor, row):\n    audit.masked(row)\n", []),
    ],
)
def test_reading_the_code_misses_nothing(source, actions):
    assert list(recorded(source)) == actions
