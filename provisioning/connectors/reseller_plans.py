"""*Reseller Plans*: the distributor sells his resellers a storefront; no vendor is behind it (``channel.md`` 3.3).

The account's options hold the alias, setting up the account makes the site, and the plan's subscription opens, suspends
and closes it. Every verb may be called again: what is so already changes nothing.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from core.errors import BusinessError
from provisioning.ports import (
    AccountData,
    CheckResult,
    Context,
    Field,
    Outcome,
    PlanDef,
    ProductDef,
    ProductTypeDef,
    Progress,
    Result,
    ServiceDefinition,
    ServiceRequest,
)
from resellers.enums import Edition
from resellers.models import Account, Site
from resellers.routing import site_of_reseller
from resellers.services import sites
from subscriptions.periods import add_months, renewal_at
from vendors.models import Instance

CODE = "reseller_plans"
PRODUCT_TYPE = "reseller_plan"
FREE, STANDARD = "free", "standard"
EDITIONS = {FREE: Edition.FREE, STANDARD: Edition.STANDARD}
QUEUED = "plan_queued"
LOOK_AGAIN = dt.timedelta(hours=6)
MONTHS = {"P1M": 1, "P1Y": 12, "P2Y": 24, "P3Y": 36}


class ResellerPlans:
    """The connector of the built-in application *Reseller Plans*."""

    code = CODE
    name = "Reseller Plans"
    verbs = frozenset(
        {
            "describe_settings",
            "test_connection",
            "service_definition",
            "account_sync",
            "check_domain",
            "create",
            "change",
            "suspend",
            "activate",
            "cancel",
            "lookup",
            "read_state",
        }
    )

    def describe_settings(self) -> list[Field]:
        """There is nothing to set up."""
        return []

    def test_connection(self, ctx: Context) -> CheckResult:
        """Always good: nothing outside is asked."""
        return CheckResult(True, message=_("Reseller plans need no connection."))

    def service_definition(self, ctx: Context, progress: Progress) -> ServiceDefinition:
        """The two plans; the distributor renames, illustrates and prices them as he likes."""
        progress.report(1, 1)
        monthly, yearly = PlanDef("P1M", "monthly"), PlanDef("P1Y", "monthly")
        products = (
            _plan(FREE, _("Free storefront"), _("A storefront with your own name, look and address."), (monthly,)),
            _plan(
                STANDARD,
                _("Standard storefront"),
                _("Your customers order and manage by themselves; you set the prices and approve."),
                (monthly, yearly, PlanDef("P1Y", "annual")),
            ),
        )
        kind = ProductTypeDef(PRODUCT_TYPE, _("Reseller plan"), products=products)
        return ServiceDefinition(product_types=(kind,))

    def account_options(self, ctx: Context, account: AccountData) -> list[Field]:
        """The storefront's alias, once; a reseller whose site is still kept gets it back with its alias."""
        if account.external_id:
            return []
        return [
            Field(
                "alias",
                _("Storefront alias"),
                description=_("The last part of your storefront's address: 3 to 40 letters, digits or hyphens."),
                required=True,
                max_length=40,
                live_check="check_domain",
            )
        ]

    def check_domain(self, ctx: Context, values: Mapping[str, Any]) -> CheckResult:
        """Whether the alias in ``values`` can be had now."""
        try:
            instance = Instance.objects.get(public_id=ctx.instance_id)
            alias = sites.check_alias(instance.organization_id, str(values.get("alias", "")))
        except BusinessError as error:
            words = str(error.message)
            return CheckResult(False, code=error.code, message=words, field_errors={"alias": words})
        return CheckResult(True, message=_("%(alias)s is free.") % {"alias": alias})

    def account_sync(self, ctx: Context, account: AccountData) -> Result:
        """Make the site, not open yet; ``external_id`` is its public id."""
        try:
            site = sites.prepare_site(_account_of(account).pk, str(account.options.get("alias", "")))
        except BusinessError as error:
            return Result(Outcome.REFUSED, code=error.code, message=str(error.message))
        return Result(Outcome.DONE, external_id=str(site.public_id), data={"domain": site.alias})

    def create(self, ctx: Context, request: ServiceRequest) -> Result:
        """Open the site with the plan's edition; a smaller plan waits until the larger one has ended."""
        edition, plan_id = EDITIONS[request.product_code], UUID(request.subscription_id)
        account_id = _account_of(request.account).pk
        waits_until = sites.queue_plan(account_id, plan_id=plan_id, edition=edition)
        if waits_until is not None:
            words = _("Begins when the present plan ends, on %(day)s.") % {"day": waits_until.date().isoformat()}
            delay = max(min(waits_until - ctx.now(), LOOK_AGAIN), dt.timedelta(minutes=1))
            return Result(Outcome.WAITING, code=QUEUED, message=words, flag=QUEUED, retry_after=delay)
        ends_at = _term_end(ctx.now(), request.term)
        try:
            site = sites.open_plan(account_id, plan_id=plan_id, edition=edition, ends_at=ends_at)
        except BusinessError as error:
            return Result(Outcome.REFUSED, code=error.code, message=str(error.message))
        return _state(request, site, started_at=ctx.now())

    def change(self, ctx: Context, request: ServiceRequest) -> Result:
        """Only the renewal can change: there is one plan, once."""
        if request.quantity != 1:
            return Result(Outcome.REFUSED, code="quantity_one", message=_("There is one storefront per reseller."))
        return self.lookup(ctx, request)

    def suspend(self, ctx: Context, request: ServiceRequest) -> Result:
        """The site answers 503 until the plan is active again."""
        sites.suspend_site(_account_of(request.account).pk, plan_id=UUID(request.subscription_id))
        return Result(Outcome.DONE, external_id=request.subscription_id, data={"status": "suspended"})

    def activate(self, ctx: Context, request: ServiceRequest) -> Result:
        """The site answers again."""
        sites.resume_site(_account_of(request.account).pk, plan_id=UUID(request.subscription_id))
        return Result(Outcome.DONE, external_id=request.subscription_id, data={"status": "active"})

    def cancel(self, ctx: Context, request: ServiceRequest) -> Result:
        """The site closes and the reseller falls to Basic, unless another plan has taken over meanwhile."""
        sites.close_plan(_account_of(request.account).pk, plan_id=UUID(request.subscription_id))
        return Result(Outcome.DONE, external_id=request.subscription_id, data={"status": "cancelled"})

    def lookup(self, ctx: Context, request: ServiceRequest) -> Result:
        """How the plan stands: DONE with its state, REFUSED ``subscription_gone`` if the site has another or none."""
        site = site_of_reseller(_account_of(request.account).pk)
        if site is None or str(site.plan_id) != request.subscription_id:
            return Result(Outcome.REFUSED, code="subscription_gone", message=_("This plan is not running."))
        return _state(request, site)

    def read_state(self, ctx: Context, request: ServiceRequest) -> Result:
        """As :meth:`lookup`; a term that is over begins anew, or, without automatic renewal, ends the plan."""
        account = _account_of(request.account)
        site = site_of_reseller(account.pk)
        if site is None or str(site.plan_id) != request.subscription_id or site.plan_ends_at is None:
            return Result(Outcome.DONE, external_id=request.subscription_id, data={"status": "cancelled"})
        now = ctx.now()
        if site.plan_ends_at <= now and not request.auto_renew:
            return self.cancel(ctx, request)
        while site.plan_ends_at <= now:
            site.plan_ends_at = _term_end(renewal_at(site.plan_ends_at), request.term)
        sites.extend_plan(account.pk, plan_id=UUID(request.subscription_id), ends_at=site.plan_ends_at)
        return _state(request, site)


def _plan(code: str, name: str, description: str, plans: tuple[PlanDef, ...]) -> ProductDef:
    return ProductDef(code=code, name=name, description=description, unit=_("storefront"), max_quantity=1, plans=plans)


def _term_end(start: dt.datetime, term: str) -> dt.datetime:
    """The last second of a term, on the day before the one it renews on, as vendors count."""
    renews = add_months(start, MONTHS.get(term, 1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return renews - dt.timedelta(seconds=1)


def _account_of(data: AccountData) -> Account:
    return Account.objects.get(public_id=data.id)


def _state(request: ServiceRequest, site: Site, *, started_at: dt.datetime | None = None) -> Result:
    data: dict[str, Any] = {
        "status": "active",
        "quantity": 1,
        "auto_renew": request.auto_renew,
        "product_code": request.product_code,
        "term": request.term,
        "billing_cycle": request.billing_cycle,
    }
    if started_at is not None:
        data["starts_at"] = started_at.isoformat()
    if site.plan_ends_at is not None:
        data["ends_at"] = site.plan_ends_at.isoformat()
    return Result(Outcome.DONE, external_id=request.subscription_id, data=data)
