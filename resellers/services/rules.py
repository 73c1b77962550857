"""Permission rules and groups of employees: make, change, delete, and which account has which rule.

``channel.md`` 10.1: a rule says which employees see an account, and who of them may do something about it. It comes
on top of the role: both are needed. What a rule gives: ``read`` shows the account and everything that hangs on it,
``edit`` lets one do what his role allows, ``full`` also lets one give the account another rule.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core import audit
from core.errors import BusinessError, Conflict, NotVisible
from core.tenancy import Actor, read_only_words
from resellers.enums import RuleLevel
from resellers.models import Account, Membership, PermissionGrant, PermissionRule, StaffGroup
from users.models import User
from users.permissions import Perm


@transaction.atomic
def save_rule(
    actor: Actor,
    *,
    rule: PermissionRule | None,
    name: str,
    note: str = "",
    is_default: bool = False,
    users: Mapping[int, str] | None = None,
    groups: Mapping[int, str] | None = None,
) -> PermissionRule:
    """Make or change a rule; ``users`` and ``groups`` are levels by id, and replace what the rule gave before.

    A new default takes the mark from the former one; accounts that are there keep their rule. Raises BusinessError
    ``name_missing``, ``name_taken``, ``grantee_unknown``, ``level_unknown``.
    """
    actor.require(Perm.STAFF_MANAGE)
    row = _locked_rule(actor, rule) if rule else PermissionRule(organization_id=actor.tenant_id)
    before = _shown(row) if rule else {}
    row.name, row.note, row.is_default = _checked_name(name), note.strip(), is_default
    if is_default:
        others = PermissionRule.objects.filter(organization_id=row.organization_id, is_default=True).exclude(pk=row.pk)
        others.update(is_default=False)
    _save(row, _("Another rule has this name."))
    _set_grants(row, users or {}, groups or {})
    audit.record(actor, "permission_rule.saved", row, before=before, after=_shown(row))
    return row


def _set_grants(row: PermissionRule, users: Mapping[int, str], groups: Mapping[int, str]) -> None:
    if not {*users.values(), *groups.values()} <= set(RuleLevel.values):
        raise BusinessError("level_unknown", _("Choose one of the levels."))
    organization_id = row.organization_id
    staff = Membership.objects.filter(organization_id=organization_id, account=None, user__in=users)
    known = StaffGroup.objects.filter(organization_id=organization_id, pk__in=groups)
    if staff.count() != len(users) or known.count() != len(groups):
        raise BusinessError("grantee_unknown", _("This person or group is not there any more. Try again."))
    row.grants.all().delete()
    made = [PermissionGrant(user_id=key, level=level) for key, level in users.items()]
    made += [PermissionGrant(group_id=key, level=level) for key, level in groups.items()]
    for grant in made:
        grant.organization_id, grant.rule = organization_id, row
    PermissionGrant.objects.bulk_create(made)


@transaction.atomic
def delete_rule(actor: Actor, *, rule: PermissionRule, move_to: PermissionRule | None = None, reason: str = "") -> int:
    """Delete a rule; returns how many accounts moved to ``move_to``.

    Raises Conflict ``rule_in_use`` with the number of accounts if it is in use and no other rule is named: they would
    be open to everybody otherwise. So does a program that is narrowed by it: it would see everything.
    """
    actor.require(Perm.STAFF_MANAGE)
    row = _locked_rule(actor, rule)
    target = _locked_rule(actor, move_to) if move_to else None
    if target is not None and target.pk == row.pk:
        raise BusinessError("rule_same", _("Choose another rule for its accounts."), field="move_to")
    accounts = Account.objects.filter(permission_rule=row)
    number = accounts.count()
    if number and target is None:
        words = ngettext(
            "%(n)s account has this rule. Choose another rule for it.",
            "%(n)s accounts have this rule. Choose another rule for them.",
            number,
        )
        raise Conflict("rule_in_use", words % {"n": number}, field="move_to", context={"accounts": number})
    for account in accounts.order_by("pk"):
        _give(actor, account, target, reason)
    audit.record(
        actor, "permission_rule.deleted", row, before=_shown(row), after={"moved_to": target or ""}, reason=reason
    )
    try:
        row.delete()
    except ProtectedError as error:
        words = _("An API client sees accounts by this rule. Give it another one first.")
        raise Conflict("rule_in_use", words) from error
    return number


@transaction.atomic
def save_group(actor: Actor, *, group: StaffGroup | None, name: str, members: Iterable[int]) -> StaffGroup:
    """Make or change a group; ``members`` are ids of users who are employees, and replace those of before.

    Raises BusinessError ``name_missing``, ``name_taken``, ``grantee_unknown``.
    """
    actor.require(Perm.STAFF_MANAGE)
    row = _locked_group(actor, group) if group else StaffGroup(organization_id=actor.tenant_id)
    before = _group_shown(row) if group else {}
    row.name = _checked_name(name)
    ids = set(members)
    staff = Membership.objects.filter(organization_id=row.organization_id, account=None, user__in=ids)
    if staff.count() != len(ids):
        raise BusinessError("grantee_unknown", _("This person or group is not there any more. Try again."))
    _save(row, _("Another group has this name."))
    row.members.set(ids)
    audit.record(actor, "staff_group.saved", row, before=before, after=_group_shown(row))
    return row


@transaction.atomic
def delete_group(actor: Actor, *, group: StaffGroup, reason: str = "") -> None:
    """Delete a group; what rules gave to it ends at once for its members."""
    actor.require(Perm.STAFF_MANAGE)
    row = _locked_group(actor, group)
    audit.record(actor, "staff_group.deleted", row, before=_group_shown(row), reason=reason)
    row.delete()


@transaction.atomic
def assign_rule(actor: Actor, *, account: Account, rule: PermissionRule | None, reason: str = "") -> Account:
    """Give an account a rule, or none: then every employee whose role allows it sees the account.

    Accounts that are billed to it and had the same rule follow. An employee needs ``full`` by the old rule, if there
    is one, and at least ``edit`` by the new one, so that nobody shuts himself out; Administrators need neither.
    """
    row = _locked_account(actor, account)
    actor.require(Perm.ACCOUNT_EDIT, row, level="full")
    if rule is not None and rule.organization_id != row.organization_id:
        raise NotVisible("rule_missing", _("This permission rule does not exist."))
    if rule is not None and not may_use(actor, rule):
        raise BusinessError("rule_not_yours", _("Choose a rule that lets you edit."), field="permission_rule")
    if row.permission_rule_id == (rule.pk if rule else None):
        return row
    followers = Account.objects.filter(bill_to=row, permission_rule=row.permission_rule_id).order_by("pk")
    for follower in [row, *followers]:
        _give(actor, follower, rule, reason)
    row.permission_rule = rule
    return row


def take_rule(actor: Actor, *, account: Account, rule: PermissionRule) -> Account:
    """Let every employee see an account again whose role allows it; Conflict ``rule_other`` if it has another rule."""
    if account.permission_rule_id != rule.pk:
        raise Conflict("rule_other", _("It does not have this rule."))
    return assign_rule(actor, account=account, rule=None)


@transaction.atomic
def set_access(actor: Actor, *, account: Account, values: Mapping[str, Any]) -> Account:
    """Set ``account_manager`` and ``permission_rule`` together, as far as ``values`` names them."""
    row = account
    if "account_manager" in values:
        row = set_account_manager(actor, account=row, manager=values["account_manager"])
    if "permission_rule" in values:
        row = assign_rule(actor, account=row, rule=values["permission_rule"])
    return row


def _give(actor: Actor, account: Account, rule: PermissionRule | None, reason: str) -> None:
    before = account.permission_rule
    Account.objects.filter(pk=account.pk).update(permission_rule=rule)
    audit.record(
        actor,
        "account.permission_rule",
        account,
        before={"permission_rule": before or ""},
        after={"permission_rule": rule or ""},
        reason=reason,
        account=account,
    )


@transaction.atomic
def set_account_manager(actor: Actor, *, account: Account, manager: User | None) -> Account:
    """Say which employee looks after an account and gets the mails about it; None leaves them to everybody."""
    row = _locked_account(actor, account)
    actor.require(Perm.ACCOUNT_EDIT, row)
    if row.account_manager_id == (manager.pk if manager else None):
        return row
    check_manager(manager, row.organization_id)
    before, row.account_manager = row.account_manager, manager
    row.save(update_fields=["account_manager", "updated_at"])
    audit.record(
        actor,
        "account.manager",
        row,
        before={"account_manager": before or ""},
        after={"account_manager": manager or ""},
        account=row,
    )
    return row


def forget_employee(user: User, organization_id: int) -> None:
    """Take away what rules and groups gave to somebody who is no employee any more; in the caller's transaction."""
    PermissionGrant.objects.filter(organization_id=organization_id, user=user).delete()
    for group in StaffGroup.objects.filter(organization_id=organization_id, members=user):
        group.members.remove(user)
    Account.objects.filter(organization_id=organization_id, account_manager=user).update(account_manager=None)


def check_manager(manager: User | None, organization_id: int) -> None:
    """Raise unless an account manager is an employee of the organization who can sign in; None is nobody."""
    if manager is None:
        return
    staff = Membership.objects.filter(organization_id=organization_id, account=None, user=manager)
    if not manager.is_active or not staff.exists():
        raise BusinessError("manager_unknown", _("Choose an employee who can sign in."), field="account_manager")


def rule_for_new(actor: Actor, *, organization_id: int, bill_to: Account | None) -> PermissionRule | None:
    """The rule of a new account: its Bill To's, or else the default one.

    Raises BusinessError ``rule_not_yours`` for an employee who could not work with the account then.
    """
    rule = bill_to.permission_rule if bill_to else None
    if bill_to is None:
        rule = PermissionRule.objects.filter(organization_id=organization_id, is_default=True).first()
    if rule is not None and not may_use(actor, rule):
        words = _(
            "A new account gets the permission rule “%(rule)s”, which does not let you edit. Choose another rule."
        )
        raise BusinessError("rule_not_yours", words % {"rule": rule}, field="permission_rule")
    return rule


def may_use(actor: Actor, rule: PermissionRule) -> bool:
    """Whether an actor may give accounts this rule: employees only one that lets them edit afterwards."""
    if actor.rules is None or not actor.is_staff:
        return True
    return dict(actor.rules).get(rule.pk) in (RuleLevel.EDIT, RuleLevel.FULL)


def _checked_name(name: str) -> str:
    found = name.strip()
    if not found:
        raise BusinessError("name_missing", _("Type a name."), field="name")
    return found


def _save(row: PermissionRule | StaffGroup, taken: str) -> None:
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        if "default" in str(error):
            raise Conflict("changed_meanwhile", _("Somebody else changed this meanwhile. Try again.")) from error
        raise BusinessError("name_taken", taken, field="name") from error


def _locked_rule(actor: Actor, rule: PermissionRule) -> PermissionRule:
    row = PermissionRule.objects.visible_to(actor).select_for_update(of=("self",)).filter(pk=rule.pk).first()
    if row is None:
        raise NotVisible("rule_missing", _("This permission rule does not exist."))
    return row


def _locked_group(actor: Actor, group: StaffGroup) -> StaffGroup:
    row = StaffGroup.objects.visible_to(actor).select_for_update(of=("self",)).filter(pk=group.pk).first()
    if row is None:
        raise NotVisible("group_missing", _("This group does not exist."))
    return row


def _locked_account(actor: Actor, account: Account) -> Account:
    rows = Account.objects.visible_to(actor).select_for_update(of=("self",)).select_related("permission_rule")
    row = rows.filter(pk=account.pk).first()
    if row is None:
        raise NotVisible("account_missing", _("This account does not exist."))
    if not actor.may(row):
        raise BusinessError("rule_level", read_only_words())
    return row


def _shown(row: PermissionRule) -> dict[str, Any]:
    grants = row.grants.select_related("user", "group").order_by("pk")
    given = ", ".join(f"{grant.user or grant.group}: {grant.level}" for grant in grants)
    return {"name": row.name, "note": row.note, "is_default": row.is_default, "grants": given}


def _group_shown(row: StaffGroup) -> dict[str, Any]:
    members = [str(user) for user in row.members.order_by("last_name", "pk")]
    return {"name": row.name, "members": ", ".join(members)}
