"""The mail about a run that changed MPN IDs: to the reseller whose services they are (``channel.md`` 12)."""

from collections.abc import Callable

from django.urls import reverse

from core.events import Event
from core.tenancy import system_actor
from notifications.services.compose import absolute, queue_mail, site_of
from subscriptions.enums import StampKind
from subscriptions.selectors import stamp_runs


def _stamp_finished(event: Event) -> None:
    """One mail to who started it, if he is the reseller's; else to the reseller's first contact."""
    actor = system_actor(event.organization_id, label="mail")
    run = stamp_runs(actor).get_visible(actor, event.payload.get("run"))
    if run is None:
        return
    reseller = run.account if run.kind == StampKind.RESTAMP else (run.account.bill_to or run.account)
    user = run.requested_by_user
    if user is not None and user.memberships.filter(account=reseller).exists():
        address, language, first_name = user.email, user.language, user.get_short_name()
    else:
        contact = reseller.contacts.first()
        address, language = (contact.email if contact else "") or reseller.email, ""
        first_name = contact.first_name if contact else ""
    if not address:
        return
    site = site_of(event.organization, reseller)
    page = ("storefront:stamp_detail", [run.public_id])
    if run.kind == StampKind.RELATIONSHIP:
        page = ("storefront:customer_detail", [run.account.public_id])
    queue_mail(
        "stamp_finished",
        organization=event.organization,
        site=site,
        recipient=address,
        language=language,
        account=reseller,
        dedupe_key=f"{event.public_id}:reseller",
        context={
            "run": run,
            "event": event.payload,
            "is_restamp": run.kind == StampKind.RESTAMP,
            "first_name": first_name,
            "link": absolute(reverse(page[0], args=page[1]), site),
        },
    )


STAMPS: dict[str, Callable[[Event], None]] = {"stamp.finished": _stamp_finished}
