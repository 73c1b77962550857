"""What an instance sells where, and that no two instances share what must be single (``esd.md`` 3).

One certificate serves one instance, a client id one country, and a country, language and currency one Active instance.
"""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from core import clock
from core.errors import BusinessError
from core.tenancy import Actor, TenantQuerySet
from resellers.models import Organization
from vendors.models import Application, Certificate, CertificateState, DnsState, Instance, InstanceState
from vendors.services.certificates import expected_targets, user_of
from vendors.validity import certificate_problem, certificate_state, expired_words


@dataclass(frozen=True, slots=True)
class Market:
    """The settings of an instance that have a role: client id, thumbprint, country (ISO code) and language (locale)."""

    client: str = ""
    thumbprint: str = ""
    country: str = ""
    language: str = ""


def lock_markets(actor: Actor) -> None:
    """Let one change of an organization's markets go on at a time, until the transaction ends."""
    Organization.objects.select_for_update(of=("self",), no_key=True).get(pk=actor.tenant_id)


def bound_certificate(actor: Actor, thumbprint: str) -> Certificate | None:
    """The organization's installed certificate with this thumbprint, locked; None if there is none."""
    rows = Certificate.objects.visible_to(actor).select_for_update(of=("self",))
    return rows.filter(thumbprint=thumbprint, state=CertificateState.INSTALLED).first() if thumbprint else None


def columns_of(certificate: Certificate | None, market: Market) -> dict[str, Any]:
    """The columns of an instance that repeat the settings of these roles."""
    return {
        "client_key": market.client.strip().lower()[:64],
        "certificate": certificate,
        "country": market.country.strip().upper()[:2],
        "language": market.language.strip()[:20],
        "currency": certificate.currency if certificate else "",
    }


def objections(
    actor: Actor, *, application: Application, instance: Instance | None, market: Market, in_use: int
) -> dict[str, str]:
    """What stands against a market, in words by role; call :func:`lock_markets` before. ``in_use``: its services."""
    row = bound_certificate(actor, market.thumbprint)
    columns = columns_of(row, market)
    found = {"certificate": _against_certificate(row, market, instance, in_use)}
    found |= _against_change(columns, instance, in_use)
    others = _others(actor, application, instance)
    if not found.get("client"):
        found["client"] = _against_client(others, columns)
    if instance is not None and instance.state == InstanceState.ACTIVE and not found.get("country"):
        found["country"] = market_taken(others, columns)
    return {role: words for role, words in found.items() if words}


def _others(actor: Actor, application: Application, instance: Instance | None) -> TenantQuerySet[Instance]:
    rows = Instance.objects.filter(organization_id=actor.tenant_id, application=application)
    return rows.exclude(state=InstanceState.DELETED).exclude(pk=instance.pk if instance else 0)


def _against_certificate(row: Certificate | None, market: Market, instance: Instance | None, in_use: int) -> str:
    if not market.thumbprint:
        return ""
    if row is None:
        return _("Choose one of the offered values.")
    if instance is not None and instance.certificate_id == row.pk:
        return ""
    user = user_of(row)
    if user is not None:
        return _("This certificate is used by %(instance)s.") % {"instance": user}
    if certificate_state(row, clock.now()) == "expired":
        return expired_words(row)
    if instance is not None and in_use and instance.currency and row.currency != instance.currency:
        return _("Choose a certificate in %(currency)s.") % {"currency": instance.currency}
    return ""


def _against_change(columns: dict[str, Any], instance: Instance | None, in_use: int) -> dict[str, str]:
    """Country and client id are fixed once something was sold through the instance."""
    if instance is None or not in_use:
        return {}
    held = {"country": instance.country, "client": instance.client_key}
    given = {"country": columns["country"], "client": columns["client_key"]}
    words = _("Create a new instance for another country.")
    return {role: words for role, value in held.items() if value and given[role] != value}


def _against_client(others: TenantQuerySet[Instance], columns: dict[str, Any]) -> str:
    client, country = columns["client_key"], columns["country"]
    if not client or not country:
        return ""
    other = others.filter(client_key=client).exclude(country__in=("", country)).first()
    if other is None:
        return ""
    return _("This Client ID already serves %(country)s; Microsoft issues one per country.") % {
        "country": other.country
    }


def market_taken(others: TenantQuerySet[Instance], columns: dict[str, Any]) -> str:
    """That another Active instance sells to this country in this language and currency; empty if none does."""
    names = {name: columns[name] for name in ("country", "language", "currency")}
    if not names["country"] or not others.filter(state=InstanceState.ACTIVE, **names).exists():
        return ""
    return _("An instance for %(country)s/%(language)s/%(currency)s exists.") % names


def activation_problem(actor: Actor, instance: Instance) -> str:
    """Why an instance with a certificate or a market cannot be opened for orders, in words; empty if it can."""
    row = instance.certificate
    if row is not None:
        expired = certificate_problem(instance, clock.now())
        if expired or row.dns_state != DnsState.OK:
            return expired or dns_advice(row)
    others = _others(actor, instance.application, instance)
    columns = {"country": instance.country, "language": instance.language, "currency": instance.currency}
    return market_taken(others, columns)


def demand_activation(actor: Actor, instance: Instance) -> None:
    """Raise ``instance_blocked`` unless the instance's certificate, its name and its market let it be opened."""
    words = activation_problem(actor, instance)
    if words:
        raise BusinessError("instance_blocked", words)


def dns_advice(row: Certificate) -> str:
    """What to do about the host name of a certificate that does not point to us, or was not looked at yet."""
    target = _(" or ").join(expected_targets()) or "—"
    names = {"host": row.host_name, "target": target, "found": row.dns_target}
    if row.dns_state == DnsState.UNCHECKED:
        return _("Set a CNAME from %(host)s to %(target)s, then check the DNS.") % names
    if row.dns_state == DnsState.OTHER:
        return _("%(host)s points to %(found)s. Change its CNAME to %(target)s, then check the DNS again.") % names
    return _("%(host)s has no CNAME. Set one to %(target)s, then check the DNS again.") % names
