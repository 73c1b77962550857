"""A certificate of the reseller's own for his custom domain, instead of one that is fetched for him (4.1).

It is checked when it is uploaded, kept with its key as cipher text, handed to the reverse proxy as long as it is valid,
and forgotten with the domain. The expiry mails are those of every domain.
"""

import re
from dataclasses import dataclass

from cryptography import x509
from django.db import transaction
from django.utils.translation import gettext as _

from core import audit, clock, crypto, outbox
from core.errors import BusinessError, Conflict
from core.pfx import Opened, covers, day_words, open_file
from core.tenancy import Actor
from core.tls_trust import is_trusted
from resellers.domain_rules import DomainStatus
from resellers.services.domains import CHECK_TASK, WAITING, locked_domain, site_for_domain
from resellers.site_models import SiteDomain

SERVED = (DomainStatus.CERTIFYING, DomainStatus.LIVE)
_NAME = re.compile(r"CN=([^,]+)")


@dataclass(frozen=True, slots=True)
class OwnCertificate:
    """What the page says about an own certificate: who issued it, for which names."""

    issuer: str
    hosts: tuple[str, ...]


def _refused(code: str, words: str) -> BusinessError:
    return BusinessError(code, words, field="file")


def check_certificate(opened: Opened, host: str) -> None:
    """Raise BusinessError unless browsers would trust it for ``host`` now; each reason has words of its own."""
    now = clock.now()
    if not covers(opened.hosts, host):
        names = ", ".join(opened.hosts[:5]) or "-"
        words = _("It is not for %(host)s but for: %(names)s.") % {"host": host, "names": names}
        raise _refused("certificate_of_another_host", words)
    if opened.valid_to <= now:
        words = _("It ended on %(day)s. Upload its successor.") % {"day": day_words(opened.valid_to)}
        raise _refused("certificate_expired", words)
    if opened.valid_from > now:
        words = _("It begins on %(day)s. Upload it then.") % {"day": day_words(opened.valid_from)}
        raise _refused("certificate_not_yet", words)
    if not is_trusted(opened.chain_pem, host, now):
        words = _("Browsers would not trust it. Put the issuer's intermediate certificates into the same file.")
        raise _refused("certificate_not_trusted", words)


@transaction.atomic
def upload_certificate(actor: Actor, *, domain: SiteDomain, content: bytes, passphrase: str) -> SiteDomain:
    """Use a certificate with its key from a PFX or PEM file for this domain; the passphrase is not kept.

    Raises BusinessError with the field ``file`` or ``passphrase``; then the former one stays.
    """
    site_for_domain(actor)
    opened = open_file(content, passphrase)
    row = locked_domain(actor, domain)
    check_certificate(opened, row.host)
    row.own_chain, row.own_key_cipher = opened.chain_pem, crypto.encrypt(opened.key_pem)
    row.own_until = row.certificate_until = opened.valid_to
    row.warned_days = None
    row.save(
        update_fields=["own_chain", "own_key_cipher", "own_until", "certificate_until", "warned_days", "updated_at"]
    )
    after = {"host": row.host, "issuer": opened.issuer, "until": opened.valid_to.isoformat()}
    audit.record(actor, "site.domain_certificate", row.site, after=after, account=row.site.account)
    if row.status in WAITING:
        outbox.dispatch(CHECK_TASK, row.pk)
    return row


@transaction.atomic
def withdraw_certificate(actor: Actor, *, domain: SiteDomain) -> SiteDomain:
    """Forget the own certificate; from now on one is fetched by itself. Raises Conflict ``no_own_certificate``."""
    row = locked_domain(actor, domain)
    if not row.own_chain:
        raise Conflict("no_own_certificate", _("This domain has no certificate of its own."))
    row.own_chain, row.own_key_cipher, row.own_until = "", "", None
    row.certificate_until, row.warned_days = None, None
    row.save(
        update_fields=["own_chain", "own_key_cipher", "own_until", "certificate_until", "warned_days", "updated_at"]
    )
    audit.record(actor, "site.domain_certificate_removed", row.site, after={"host": row.host}, account=row.site.account)
    if row.status in WAITING:
        outbox.dispatch(CHECK_TASK, row.pk)
    return row


def own_certificate(domain: SiteDomain) -> OwnCertificate | None:
    """What is shown of the own certificate of a domain; None without one. Never the key."""
    if not domain.own_chain:
        return None
    leaf = x509.load_pem_x509_certificate(domain.own_chain.encode())
    issuer = leaf.issuer.rfc4514_string()
    named = _NAME.search(issuer)
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    hosts = tuple(names.get_values_for_type(x509.DNSName))
    return OwnCertificate(named.group(1) if named else issuer, hosts)


def served_pem(host: str) -> str:
    """Chain and key for the reverse proxy, while they are valid and the domain is proved; else nothing."""
    rows = SiteDomain.objects.filter(host=host.strip().rstrip(".").lower(), status__in=SERVED)
    row = rows.filter(own_until__gt=clock.now()).first()
    return row.own_chain + crypto.decrypt(row.own_key_cipher) if row is not None else ""
