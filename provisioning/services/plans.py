"""What follows from reseller plans: a larger plan ends the smaller one, and a closed site's data ages (3.2, 3.5)."""

import logging

from django.db import transaction

from catalog.markets import PLANS_APPLICATION
from catalog.services.definition import apply_definition
from core.errors import BusinessError
from core.tenancy import Actor, system_actor
from orders.selectors import live_plans
from orders.services.giveback import cancel
from orders.services.plans import replaced_plans
from provisioning.connectors.reseller_plans import ResellerPlans
from provisioning.context import context_for
from provisioning.services.setup import register_applications
from resellers.services.sites import age_site, kept_sites
from subscriptions.enums import Execution
from subscriptions.models import Subscription
from vendors.models import Instance, InstanceState
from vendors.services.instances import fire_instance, save_instance
from vendors.services.links import forget_link

logger = logging.getLogger(__name__)


def after_create(actor: Actor, instance: Instance, subscription: Subscription) -> None:
    """Once a plan runs, end the ones it replaces; runs in the transaction that settles the new plan."""
    if instance.application.code != PLANS_APPLICATION:
        return
    for older in live_plans(subscription.account_id):
        if older.pk != subscription.pk:
            _end(system_actor(subscription.organization_id, label=actor.label), older)


def _end(system: Actor, older: Subscription) -> None:
    """Cancel a plan that another one replaced; one that is busy now is ended by :func:`age_sites`."""
    try:
        with transaction.atomic():
            cancel(system, subscription=older, execution=Execution.NOW)
    except BusinessError as error:
        logger.info("a replaced plan cannot end yet", extra={"subscription": str(older.public_id), "code": error.code})


def _end_replaced() -> None:
    for row in replaced_plans():
        _end(system_actor(row.organization_id), row)


def set_up_plans(actor: Actor) -> Instance:
    """The organization's built-in instance of *Reseller Plans* with its products; made if it is not there.

    The products come unpublished and without a price, as those of every application do.
    """
    application = next(row for row in register_applications() if row.code == PLANS_APPLICATION)
    rows = Instance.objects.filter(organization_id=actor.tenant_id, application=application)
    found = rows.exclude(state=InstanceState.DELETED).first()
    if found is not None:
        return found
    instance = save_instance(
        actor, application=application, instance=None, system_name=application.name, values={}, complete=True
    )
    instance = fire_instance(actor, instance=instance, event="activate")
    definition = ResellerPlans().service_definition(context_for(instance), _Quiet())
    apply_definition(instance, definition.product_types)
    return instance


class _Quiet:
    """Nobody waits for this."""

    def report(self, done: int, total: int, text: str = "") -> None:
        """Say nothing."""

    def log(self, text: str) -> None:
        """Say nothing."""


def age_sites() -> int:
    """Remind of, and do, what becomes of closed sites; returns how many were deleted. Once an hour is enough."""
    _end_replaced()
    deleted = 0
    for site in kept_sites():
        if age_site(site.pk) and site.account_id is not None:
            forget_link(account_id=site.account_id, application=PLANS_APPLICATION)
            deleted += 1
    return deleted
