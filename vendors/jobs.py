"""Job handlers of the vendors' own work."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from core.errors import NotVisible
from core.jobs import JobRun, handler
from core.tenancy import system_actor
from vendors.models import Certificate, DnsState
from vendors.services import certificates


@handler(certificates.CHECK_DNS, answers=True)
def run_check_dns(run: JobRun) -> Mapping[str, Any]:
    """Ask the DNS for the host name of a certificate."""
    actor = system_actor(run.job.organization_id, label=str(run.params.get("label", "system")))
    row = Certificate.objects.visible_to(actor).get_visible(actor, run.params["certificate"])
    if row is None:
        raise NotVisible("certificate_missing", _("This certificate does not exist."))
    row = certificates.check_dns(actor, certificate=row)
    words = dns_words(row)
    run.log(words)
    return {"message": words, "dns": row.dns_state}


def dns_words(row: Certificate) -> str:
    """What the last look at the DNS found, in a sentence."""
    names = {"host": row.host_name, "target": row.dns_target}
    if row.dns_state == DnsState.OK:
        return _("%(host)s points to %(target)s, as it should.") % names
    if row.dns_state == DnsState.OTHER:
        return _("%(host)s points to another host: %(target)s.") % names
    return _("%(host)s has no CNAME record yet.") % names
