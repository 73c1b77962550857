"""Certificates: upload, look at the DNS, retire, warn before they expire (``esd.md`` 2).

No key leaves this house: it is read from the PFX in memory, stored encrypted, and lent to a connector alone.
"""

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from core import audit, clock, crypto, dns
from core.errors import BusinessError, Conflict, NotVisible
from core.events import emit
from core.jobs import Job, start_job
from core.money import CURRENCIES
from core.pfx import Opened, covers, is_host_name, open_pfx
from core.tenancy import Actor
from resellers.models import Organization
from users.permissions import Perm
from vendors.models import Certificate, CertificateState, DnsState, Instance, InstanceState
from vendors.validity import EXPIRING, reminder_step

CHECK_DNS = "vendors.check_dns"
LABEL_LENGTH = 60
HOST_LENGTH = 253


@transaction.atomic
def upload_certificate(
    actor: Actor, *, label: str, content: bytes, passphrase: str, host_name: str, currency: str
) -> Certificate:
    """Install the certificate of a PFX file for one currency; the passphrase is forgotten at once.

    Raises BusinessError with the field and what is wrong with it; then nothing is stored. A missing chain is no
    error: ``has_chain`` tells it. The DNS is not asked here.
    """
    actor.require(Perm.CERTIFICATE_MANAGE)
    label, host = label.strip(), host_name.strip().rstrip(".").lower()
    opened = open_pfx(content, passphrase)
    # Two uploads at the same moment must not both find their label or their file unknown.
    Organization.objects.select_for_update(of=("self",), no_key=True).get(pk=actor.tenant_id)
    _demand_words(actor, label, host, currency)
    _demand_fit(actor, opened, host)
    row = Certificate.objects.create(
        organization_id=actor.tenant_id,
        label=label,
        subject=opened.subject,
        issuer=opened.issuer,
        thumbprint=opened.thumbprint,
        currency=currency,
        host_name=host,
        valid_from=opened.valid_from,
        valid_to=opened.valid_to,
        chain_pem=opened.chain_pem,
        has_chain=opened.has_chain,
        key_cipher=crypto.encrypt(opened.key_pem),
    )
    audit.record(actor, "certificate.uploaded", row, after=_public(row))
    return row


def _public(row: Certificate) -> dict[str, str]:
    """What of a certificate anybody may know."""
    return {
        "thumbprint": row.thumbprint,
        "subject": row.subject,
        "currency": row.currency,
        "host_name": row.host_name,
        "valid_to": row.valid_to.isoformat(),
    }


def _demand_words(actor: Actor, label: str, host: str, currency: str) -> None:
    rows = Certificate.objects.filter(organization_id=actor.tenant_id)
    if not label:
        raise BusinessError("label_missing", _("This field is required."), field="label")
    if len(label) > LABEL_LENGTH:
        raise BusinessError("label_long", _("At most %(n)s characters.") % {"n": LABEL_LENGTH}, field="label")
    if rows.filter(label=label).exists():
        raise BusinessError("label_taken", _("A certificate with this label exists."), field="label")
    if not host:
        raise BusinessError("host_missing", _("This field is required."), field="host_name")
    if not is_host_name(host):
        raise BusinessError("host_invalid", _("%(host)s is not a host name.") % {"host": host}, field="host_name")
    if currency not in CURRENCIES:
        raise BusinessError("currency_unknown", _("Choose one of the offered values."), field="currency")


def _demand_fit(actor: Actor, opened: Opened, host: str) -> None:
    if len(host) > HOST_LENGTH or not covers(opened.hosts, host):
        words = _("The certificate does not cover %(host)s.") % {"host": host}
        raise BusinessError("host_not_covered", words, field="host_name")
    if not opened.valid_from <= clock.now() < opened.valid_to:
        raise BusinessError("certificate_not_valid", opened.validity, field="file")
    if Certificate.objects.filter(organization_id=actor.tenant_id, thumbprint=opened.thumbprint).exists():
        raise BusinessError("certificate_known", _("This certificate is already installed."), field="file")


def expected_targets() -> list[str]:
    """The hosts of this installation that a certificate's name may be an alias of; in lower case."""
    return [str(target).rstrip(".").lower() for target in settings.CERTIFICATE_CNAME_TARGETS]


def start_dns_check(actor: Actor, *, certificate: Certificate) -> Job:
    """Look at the CNAME of the certificate's host name, as a job."""
    actor.require(Perm.CERTIFICATE_MANAGE)
    return start_job(
        actor,
        CHECK_DNS,
        title=_("Check DNS: %(name)s") % {"name": certificate},
        params={"certificate": str(certificate.public_id), "label": actor.label},
        unique_key=f"dns:{certificate.public_id}",
    )


def check_dns(actor: Actor, *, certificate: Certificate) -> Certificate:
    """Ask the DNS now, and keep what it says; an error of the DNS leaves the last result and raises ``dns_error``."""
    actor.require(Perm.CERTIFICATE_MANAGE)
    targets = expected_targets()
    if not targets:
        raise BusinessError(
            "cname_targets_missing",
            _("This installation names no host to point to. Its operator sets CERTIFICATE_CNAME_TARGETS."),
        )
    answer = dns.lookup_cname(certificate.host_name)
    if answer.found == dns.Found.ERROR:
        raise BusinessError("dns_error", answer.message)
    state = DnsState.MISSING
    if answer.target:
        state = DnsState.OK if answer.target in targets else DnsState.OTHER
    return _note_dns(actor, certificate, state, answer.target)


@transaction.atomic
def _note_dns(actor: Actor, certificate: Certificate, state: DnsState, target: str) -> Certificate:
    row = _locked(actor, certificate)
    before = {"dns": row.dns_state, "target": row.dns_target}
    row.dns_state, row.dns_target, row.dns_checked_at = state, target[:253], clock.now()
    row.save(update_fields=["dns_state", "dns_target", "dns_checked_at", "updated_at"])
    after = {"dns": row.dns_state, "target": row.dns_target}
    if after != before:
        audit.record(actor, "certificate.dns_checked", row, before=before, after=after)
    return row


@transaction.atomic
def retire_certificate(actor: Actor, *, certificate: Certificate) -> Certificate:
    """Put a certificate out of use for good; refused while an instance uses it. Its key is wiped, its row stays."""
    actor.require(Perm.CERTIFICATE_MANAGE)
    row = _locked(actor, certificate)
    if row.state == CertificateState.RETIRED:
        raise Conflict("certificate_retired", _("This certificate is retired already."))
    user = user_of(row)
    if user is not None:
        raise Conflict("certificate_in_use", _("This certificate is used by %(instance)s.") % {"instance": user})
    row.state, row.key_cipher = CertificateState.RETIRED, ""
    row.save(update_fields=["state", "key_cipher", "updated_at"])
    audit.record(actor, "certificate.retired", row, after=_public(row))
    return row


def user_of(certificate: Certificate) -> Instance | None:
    """The instance that uses a certificate; there is at most one."""
    return certificate.instances.exclude(state=InstanceState.DELETED).first()


def warn_of_expiry() -> int:
    """Send each warning that is due (30, 14, 7 and 1 days before the end) once; returns how many."""
    now = clock.now()
    rows = Certificate.objects.filter(state=CertificateState.INSTALLED, valid_to__gt=now, valid_to__lte=now + EXPIRING)
    return sum(_warn(pk) for pk in rows.order_by("pk").values_list("pk", flat=True))


@transaction.atomic
def _warn(pk: int) -> bool:
    row = Certificate.objects.select_for_update(of=("self",)).get(pk=pk)
    step = reminder_step(row, clock.now())
    if step is None:
        return False
    row.reminded_days = step
    row.save(update_fields=["reminded_days", "updated_at"])
    payload = {"certificate": str(row.public_id), "days": step}
    emit("certificate.expiring", payload, organization_id=row.organization_id)
    return True


def _locked(actor: Actor, certificate: Certificate) -> Certificate:
    row = Certificate.objects.visible_to(actor).select_for_update(of=("self",)).filter(pk=certificate.pk).first()
    if row is None:
        raise NotVisible("certificate_missing", _("This certificate does not exist."))
    return row
