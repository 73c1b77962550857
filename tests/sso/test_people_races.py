"""Two people at once: an administrator always stays, one address gets one login, one link sets one password."""

import threading
from collections.abc import Callable

import pytest
from django.db import connection

from core.errors import BusinessError
from resellers.models import Invitation, Membership
from sso.services import people
from tests import factories
from users.models import User

pytestmark = pytest.mark.django_db(transaction=True)
ADMIN = ["admin"]


def at_once(*calls: Callable[[], object]) -> list[str]:
    """Start all calls together; returns their error codes, '' for success, sorted."""
    gate = threading.Barrier(len(calls))
    outcomes: list[str] = []

    def run(call: Callable[[], object]) -> None:
        try:
            gate.wait(10)
            call()
            outcomes.append("")
        except BusinessError as error:
            outcomes.append(error.code)
        except Exception as error:
            outcomes.append(repr(error))
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    return sorted(outcomes)


def test_two_admins_cannot_remove_each_other():
    here = factories.organization()
    account = factories.account(here)
    staff = factories.actor(here)
    rows = [Membership.objects.get(user=factories.user(here, of=account)) for _number in range(2)]
    outcomes = at_once(
        lambda: people.remove_member(staff, membership=rows[0]),
        lambda: people.set_roles(staff, membership=rows[1], roles=["buyer"]),
    )
    assert outcomes == ["", "last_admin"]
    assert Membership.objects.filter(account=account, roles__contains=ADMIN).count() == 1


def test_two_admins_cannot_switch_each_other_off():
    here = factories.organization()
    account = factories.account(here)
    staff = factories.actor(here)
    rows = [Membership.objects.get(user=factories.user(here, of=account)) for _number in range(2)]
    outcomes = at_once(*[lambda row=row: people.deactivate_user(staff, membership=row) for row in rows])
    assert outcomes == ["", "last_admin"]
    assert User.objects.filter(memberships__account=account, is_active=True).count() == 1


def test_one_address_invited_twice_at_once_is_one_login():
    here = factories.organization()
    staff = factories.actor(here)
    accounts = [factories.account(here) for _number in range(2)]

    def invite(account: object) -> Callable[[], object]:
        names = {"first_name": "N", "last_name": "N"}
        return lambda: people.invite_user(staff, account=account, email="n@people.test", roles=ADMIN, **names)

    assert at_once(*[invite(account) for account in accounts]) == ["", ""]
    assert User.objects.filter(email="n@people.test").count() == 1
    assert Membership.objects.filter(user__email="n@people.test").count() == 2


def test_one_link_used_twice_at_once_sets_one_password():
    here = factories.organization()
    account = factories.account(here)
    people.invite_user(
        factories.actor(here), account=account, email="n@people.test", first_name="N", last_name="N", roles=ADMIN
    )
    row = Invitation.objects.get()
    passwords = ["first-horse-battery", "second-horse-battery"]
    outcomes = at_once(*[lambda word=word: people.accept_invitation(row, password=word) for word in passwords])
    user = User.objects.get(email="n@people.test")
    assert outcomes == ["", "invitation_used"]
    assert [user.check_password(word) for word in passwords].count(True) == 1
