"""Service Details: what a vendor asks at checkout, and the checks that must be good before an order can be placed.

The checks ask the vendor, so they run as a job while the page polls. Their outcome is kept in the basket:
``state`` is ``ok``, ``errors`` (with ``errors`` by field), ``relationship`` (with ``link``), or ``unreachable``. After
the last an employee may go on without the check: ``ok`` with ``unchecked``, his reason (``service-manager.md`` 9).
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _

from core import audit, clock
from core.errors import BusinessError, Conflict, NotVisible, PermissionRefused
from core.jobs import RUN_VENDOR_TASK, Job, JobRun, start_job
from core.tenancy import Actor, system_actor
from orders.legs import listed_names
from orders.models import Basket, BasketLine, OrderLine
from orders.selectors import basket_lines
from orders.services.basket import demand_ordering, set_service_details
from provisioning.context import context_for
from provisioning.ports import (
    AccountData,
    AgreementAcceptance,
    CheckResult,
    ErrorKind,
    Field,
    Outcome,
    Result,
    ServiceRequest,
    VendorError,
)
from provisioning.registry import connector_for
from provisioning.requests import account_data
from resellers.enums import AccountKind
from resellers.models import Account
from users.permissions import Perm
from vendors.models import AccountLink, Instance, LinkState

AGREEMENT = "agreement_"
MPN = "mpn_id"
DETAILS_CHECK = "provisioning.check_details"
LIVE_CHECK = "provisioning.check_live"
LIVE_CHECKS = frozenset({"check_domain", "check_partner_id"})


def _target(basket: Basket) -> Account:
    if basket.target_account is None:
        raise NotVisible("target_missing", _("Choose for whom you order."))
    return basket.target_account


def detail_fields(basket: Basket, instance: Instance) -> Sequence[Field]:
    """What the vendor of ``instance`` asks about the basket's account; no vendor call. Empty if it asks nothing."""
    fields = _vendor_fields(basket, instance)
    return [field for field in fields if field.id != MPN] if _is_customers_own(basket) else fields


def _vendor_fields(basket: Basket, instance: Instance) -> Sequence[Field]:
    return account_fields(_target(basket), instance)


def account_fields(account: Account, instance: Instance) -> Sequence[Field]:
    """What the vendor of ``instance`` asks about an account, whoever orders; no vendor call."""
    connector = connector_for(instance.application.code)
    ctx = context_for(instance, language=instance.organization.language)
    return connector.account_options(ctx, account_data(account, instance))


def new_customer_fields(instance: Instance, *, mode: str) -> Sequence[Field]:
    """What the vendor of ``instance`` asks about a customer he does not know yet, sold to in a mode; no vendor call."""
    connector = connector_for(instance.application.code)
    ctx = context_for(instance, language=instance.organization.language)
    return connector.account_options(ctx, AccountData(str(UUID(int=0)), "", purchase_mode=mode))


def _is_customers_own(basket: Basket) -> bool:
    """Whether an end customer orders for himself: what is his reseller's to answer is not asked of him."""
    return not basket.by_staff and _target(basket).bill_to_id is not None and basket.buyer_account == _target(basket)


def detail_state(basket: Basket, instance: Instance) -> dict[str, Any]:
    """The last outcome of the checks for this account, or an empty object."""
    details: dict[str, Any] = basket.service_details.get(str(instance.public_id), {})
    return details if details.get("account") == str(_target(basket).public_id) else {}


def start_details_check(actor: Actor, *, basket: Basket, instance: Instance, values: Mapping[str, Any]) -> Job:
    """Check the answers with the vendor as a job; its outcome goes into the basket."""
    demand_ordering(actor, basket)
    actor.require(Perm.ORDER_MANAGE if basket.by_staff else Perm.SHOP_ORDER, _target(basket))
    if _is_customers_own(basket) and any(field.id == MPN for field in _vendor_fields(basket, instance)):
        words = _("Your provider has to complete his set-up for %(vendor)s first. Ask him.")
        raise BusinessError("mpn_missing", words % {"vendor": instance.application.name})
    values = _without_foreign_mpn(actor, basket, instance, values)
    return start_job(
        actor,
        DETAILS_CHECK,
        title=_("Checking with %(vendor)s") % {"vendor": instance.application.name},
        params={
            "instance": str(instance.public_id),
            "basket": str(basket.public_id),
            "account": str(_target(basket).public_id),
            "values": {key: _plain(value) for key, value in values.items()},
        },
        account_id=_target(basket).pk if basket.by_staff else None,
        queue_task=RUN_VENDOR_TASK,
    )


def _without_foreign_mpn(
    actor: Actor, basket: Basket, instance: Instance, values: Mapping[str, Any]
) -> Mapping[str, Any]:
    """The answers without an MPN ID nobody asked for: dropped and, as somebody tried, audited (``channel.md`` 6.3)."""
    if MPN not in values or any(item.id == MPN for item in detail_fields(basket, instance)):
        return values
    if values[MPN]:
        audit.record(actor, "order.mpn_dropped", instance, after={"mpn_id": values[MPN]}, account=_target(basket))
    return {key: value for key, value in values.items() if key != MPN}


def start_live_check(actor: Actor, *, instance: Instance, verb: str, values: Mapping[str, Any]) -> Job:
    """Check one field while somebody types (``check_domain``); the job's result is ``{"ok", "message"}``."""
    actor.require(Perm.ORDER_MANAGE if actor.is_staff else Perm.SHOP_ORDER)
    if verb not in LIVE_CHECKS:
        raise NotVisible("check_missing", _("There is no such check."))
    return start_job(
        actor,
        LIVE_CHECK,
        title=_("Checking with %(vendor)s") % {"vendor": instance.application.name},
        params={"instance": str(instance.public_id), "verb": verb, "values": dict(values)},
        queue_task=RUN_VENDOR_TASK,
    )


@transaction.atomic
def skip_details_check(actor: Actor, *, basket: Basket, instance: Instance, reason: str) -> Basket:
    """Go on without a check whose outcome is unknown, because the vendor cannot be reached; employees only, audited.

    The vendor checks again when the order is executed. A new MPN ID must have been valid once (``channel.md`` 6.3).
    Raises ``check_known`` if the last check had an outcome, ``reason_short`` below 5 characters, ``mpn_unchecked``.
    """
    if not basket.by_staff:
        raise PermissionRefused("permission_missing", _("Only an employee goes on without the check."))
    demand_ordering(actor, basket)
    state, target = detail_state(basket, instance), _target(basket)
    if state.get("state") != "unreachable":
        raise Conflict("check_known", _("The check has an outcome. Go on from there."))
    if len(reason.strip()) < 5:
        raise BusinessError("reason_short", _("Say in a few words why."), field="reason")
    values = state.get("values", {})
    if target.kind == AccountKind.END_CUSTOMER and values.get(MPN) and not state.get("mpn_id"):
        raise BusinessError("mpn_unchecked", _("A new MPN ID has to be checked once. Try again later."))
    agreement = agreement_of(values, clock.now().date())
    kept = ("account", "options", "mpn_id", "reseller_tenant_id")
    details: dict[str, Any] = {key: state[key] for key in kept if key in state}
    details |= {"agreement": agreement_words(agreement)} if agreement else {}
    details |= {"state": "ok", "unchecked": reason.strip()[:500]}
    row = set_service_details(actor, basket=basket, instance_id=str(instance.public_id), details=details)
    audit.record(actor, "order.check_skipped", instance, reason=reason.strip(), account=target)
    return row


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, dt.date) else value


def options_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """The answers that describe the customer: neither the reseller's MPN ID nor the agreement's."""
    return {key: value for key, value in values.items() if key != MPN and not key.startswith(AGREEMENT)}


def agreement_of(values: Mapping[str, Any], today: dt.date) -> AgreementAcceptance | None:
    """The customer agreement as it was accepted in the form; None if it was not."""
    if not values.get(f"{AGREEMENT}accepted"):
        return None
    return AgreementAcceptance(
        first_name=str(values.get(f"{AGREEMENT}first_name", "")),
        last_name=str(values.get(f"{AGREEMENT}last_name", "")),
        email=str(values.get(f"{AGREEMENT}email", "")),
        phone=str(values.get(f"{AGREEMENT}phone", "")),
        date_agreed=parse_date(str(values.get(f"{AGREEMENT}date", ""))) or today,
    )


def agreement_words(chosen: AgreementAcceptance) -> dict[str, str]:
    """An accepted agreement as an order keeps it until it is recorded."""
    return {
        "first_name": chosen.first_name,
        "last_name": chosen.last_name,
        "email": chosen.email,
        "phone": chosen.phone,
        "date_agreed": chosen.date_agreed.isoformat(),
    }


def check_live(run: JobRun, instance: Instance) -> Mapping[str, Any]:
    """Run one live check; a vendor that cannot be reached is no obstacle while typing."""
    connector: Any = connector_for(instance.application.code)
    verb = str(run.params["verb"])
    values = dict(run.params["values"])
    try:
        argument = values.get(MPN, "") if verb == "check_partner_id" else values
        result: CheckResult = getattr(connector, verb)(context_for(instance), argument)
    except VendorError as error:
        return {"ok": None, "message": error.message}
    return {"ok": result.ok, "message": result.message}


def check_details(run: JobRun, instance: Instance) -> Mapping[str, Any]:
    """Check the answers with the vendor and keep the outcome in the basket."""
    system = system_actor(run.job.organization_id)
    basket = Basket.objects.visible_to(system).filter(public_id=UUID(run.params["basket"])).first()
    if basket is None or basket.target_account is None or str(basket.target_account.public_id) != run.params["account"]:
        raise NotVisible("basket_changed", _("The basket has changed meanwhile. Check it and go on from there."))
    account, lines = basket.target_account, basket_lines(basket)
    # A reseller's customer who buys for himself reads the names his reseller gives.
    own = basket.buyer_account_id == account.pk and account.kind == AccountKind.END_CUSTOMER
    names = listed_names(account.bill_to_id, [line.plan.product_id for line in lines]) if own else {}
    outcome = DetailsCheck(run, instance, account, run.params["values"], lines, names).run()
    set_service_details(system, basket=basket, instance_id=str(instance.public_id), details=outcome)
    return {"state": outcome["state"], "message": outcome.get("message", "")}


class DetailsCheck:
    """The checks of one account's answers at one instance, in the order in which they would stop an order's lines."""

    def __init__(
        self,
        run: JobRun,
        instance: Instance,
        account: Account,
        values: Mapping[str, Any],
        lines: Sequence[BasketLine | OrderLine],
        names: Mapping[int, str] | None = None,
    ) -> None:
        self.run_ = run
        self.names = names or {}
        self.instance = instance
        self.account = account
        self.values = dict(values)
        self.lines = lines
        self.connector: Any = connector_for(instance.application.code)
        self.ctx: Any = context_for(instance, language=instance.organization.language)
        self.data = self._data()
        self.outcome: dict[str, Any] = {
            "account": str(self.account.public_id),
            "options": options_of(self.values),
            "state": "ok",
        }

    def run(self) -> dict[str, Any]:
        """Every check in turn; the first that is not good decides."""
        checks = [self._partner_id, self._tenant, self._address, self._agreement, self._precheck]
        try:
            for number, check in enumerate(checks):
                self.run_.report(
                    number, len(checks), _("Asking %(vendor)s") % {"vendor": self.instance.application.name}
                )
                check()
                if self.outcome["state"] != "ok":
                    break
        except VendorError as error:
            self._failed(error)
        return self.outcome

    def _data(self) -> AccountData:
        return account_data(
            self.account,
            self.instance,
            options=self.values if self._is_new() else None,
            agreement=agreement_of(self.values, self.ctx.now().date()),
            mpn_id=str(self.values.get(MPN, "")),
        )

    def _is_new(self) -> bool:
        link = AccountLink.objects.filter(account=self.account, instance=self.instance).first()
        return link is None or link.state != LinkState.SYNCHRONIZED

    def _has(self, verb: str) -> bool:
        return verb in self.connector.verbs

    def _partner_id(self) -> None:
        """The ID his reseller has, or the one just given; a once valid one goes on if it cannot be checked now."""
        if self.account.kind != AccountKind.END_CUSTOMER or not self._has("check_partner_id"):
            return
        seller = AccountLink.objects.filter(account_id=self.account.bill_to_id or 0, instance=self.instance).first()
        known = seller.mpn_id if seller else ""
        given = known or str(self.values.get(MPN, ""))
        if not given:
            return
        try:
            result: CheckResult = self.connector.check_partner_id(self.ctx, given)
        except VendorError as error:
            was_valid = known and seller is not None and seller.mpn_checked_at is not None
            if error.kind == ErrorKind.REFUSED or not was_valid:
                raise
            return
        if not result.ok:
            self._error({MPN: result.message})
            self.outcome["mpn_refused"] = True
            return
        if known:
            return
        self.outcome |= {"mpn_id": given, "reseller_tenant_id": str(result.data.get("tenant_id", ""))}
        self.data = replace(self.data, reseller_tenant_id=self.outcome["reseller_tenant_id"])

    def _tenant(self) -> None:
        if not self._is_new():
            return
        if self.values.get("has_tenant") and self._has("relationship_status"):
            result: Result = self.connector.relationship_status(self.ctx, self.data)
            if result.outcome != Outcome.DONE:
                link = self.connector.relationship_link(self.ctx, self.data)
                self.outcome |= {
                    "state": "relationship",
                    "link": link,
                    "message": _("Accept the invitation, then check again."),
                    "values": self.values,
                }
        elif self._has("check_domain"):
            check: CheckResult = self.connector.check_domain(self.ctx, self.values)
            if not check.ok:
                self._error(dict(check.field_errors) or {"domain_prefix": check.message})

    def _address(self) -> None:
        if not self._is_new() or not self._has("check_address"):
            return
        result: CheckResult = self.connector.check_address(self.ctx, self.data.address)
        if not result.ok:
            self._error({"": _("The customer's address: %(text)s") % {"text": result.message}})
            self.outcome["suggestions"] = [dict(item) for item in result.suggestions]

    def _agreement(self) -> None:
        if not self._has("agreement_status"):
            return
        given = self.values.get(f"{AGREEMENT}accepted")
        known = self.data.agreement is not None and not given
        if not known and not given:
            status: CheckResult = self.connector.agreement_status(self.ctx, self.data)
            if not status.ok:
                self._error({f"{AGREEMENT}accepted": _("Microsoft requires the customer agreement before ordering.")})
            return
        if given and self.data.agreement is not None:
            self.outcome["agreement"] = agreement_words(self.data.agreement)

    def _precheck(self) -> None:
        if not self._has("precheck") or self._is_new():
            return
        for line in self.lines:
            product = line.plan.product
            if line.parent_id is not None or product.product_type.instance_id != self.instance.pk:
                continue
            result: CheckResult = self.connector.precheck(
                self.ctx,
                ServiceRequest(
                    subscription_id=str(line.public_id),
                    account=self.data,
                    product_code=product.code,
                    product_name=product.name,
                    quantity=line.quantity,
                    term=line.plan.term,
                    billing_cycle=line.plan.billing_cycle,
                    currency=self.account.currency,
                    created_at=self.ctx.now(),
                    segment=product.segment,
                    is_trial=product.is_trial,
                ),
            )
            if not result.ok:
                name = self.names.get(product.pk, product.name)
                self.outcome |= {"state": "errors", "errors": {}, "message": f"{name}: {result.message}"}
                return

    def _error(self, errors: dict[str, str]) -> None:
        self.outcome |= {"state": "errors", "errors": errors, "values": self.values}

    def _failed(self, error: VendorError) -> None:
        if error.kind == ErrorKind.REFUSED:
            self._error(dict(error.field_errors) or {"": error.message})
            return
        vendor = self.instance.application.name
        self.outcome |= {
            "state": "unreachable",
            "message": _("%(vendor)s could not be reached. Nothing was ordered.") % {"vendor": vendor},
            "values": self.values,
        }
