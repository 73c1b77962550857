"""The demo's API clients: one of the distributor, one of a Standard reseller; their secrets follow from SECRET_KEY.

So ``demo_info`` can print them again, although only their hashes are kept.
"""

from typing import Any

from django.utils.crypto import salted_hmac

from clients.models import ApiClient
from clients.selectors import secret_digest
from clients.services.clients import create_client
from core.tenancy import Actor
from resellers.models import Account, Organization
from resellers.routing import organization_site, site_address

WHOSE = {"distributor": "Demo of the distributor", "reseller_standard": "Demo of a Standard reseller"}


def _derived(role: str, what: str) -> str:
    return salted_hmac(f"cloudbss.demo.api.{what}", role).hexdigest()[:40]


def build_api_clients(actor: Actor, reseller: Account, say: Any) -> None:
    """Make both, once."""
    for role, account in (("distributor", None), ("reseller_standard", reseller)):
        key = _derived(role, "key")[:32]
        if ApiClient.objects.filter(key=key).exists():
            continue
        say(f"an API client of the {role.replace('_', ' ')}")
        row, _secret = create_client(actor, account=account, name=WHOSE[role])
        # A random secret could not be told again; the demo's must be.
        ApiClient.objects.filter(pk=row.pk).update(key=key, secret_hash=secret_digest(_derived(role, "secret")))


def api_info(organization: Organization | None) -> list[dict[str, str]]:
    """How to call the API as each of them; demo data only."""
    if organization is None:
        return []
    found = []
    for role in WHOSE:
        key = _derived(role, "key")[:32]
        if ApiClient.objects.filter(organization=organization, key=key, revoked_at=None).exists():
            token_url = f"{site_address(organization_site(organization.pk))}/oauth/token"
            secret = _derived(role, "secret")
            found.append({"for": role, "client_id": key, "client_secret": secret, "token_url": token_url})
    return found
