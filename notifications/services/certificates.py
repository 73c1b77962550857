"""The mail about a certificate that expires: to every Administrator of the organization (``esd.md`` 2, 8)."""

from collections.abc import Callable

from django.urls import reverse

from core.events import Event
from core.tenancy import system_actor
from notifications.services.compose import absolute, queue_mail, site_of
from resellers.selectors import administrators_of
from vendors.models import Certificate
from vendors.services.certificates import user_of


def _certificate_expiring(event: Event) -> None:
    """One mail to each Administrator who can sign in; to the organization's own address if there is none."""
    actor = system_actor(event.organization_id, label="mail")
    row = Certificate.objects.get_visible(actor, event.payload.get("certificate"))
    if row is None:
        return
    people = administrators_of(event.organization)
    readers = [(person.email, person.language, person.get_short_name()) for person in people]
    if not readers and event.organization.email:
        readers = [(event.organization.email, "", "")]
    site = site_of(event.organization, None)
    for address, language, first_name in readers:
        queue_mail(
            "certificate_expiring",
            organization=event.organization,
            recipient=address,
            language=language,
            dedupe_key=f"{event.public_id}:{address}",
            context={
                "certificate": row,
                "instance": user_of(row),
                "days": event.payload.get("days"),
                "first_name": first_name,
                "link": absolute(reverse("bss:certificate_detail", args=[row.public_id]), site),
            },
        )


CERTIFICATES: dict[str, Callable[[Event], None]] = {"certificate.expiring": _certificate_expiring}
