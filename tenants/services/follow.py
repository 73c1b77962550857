"""Keeping managed copies what the reseller's accounts are (``channel.md`` 5.3)."""

from django.db.models import F, Q

from core.tenancy import system_actor
from tenants.enums import TenantStatus
from tenants.models import ManagedAccount
from tenants.services.sides import FOLLOWED, follow

BATCH = 1000


def follow_accounts() -> int:
    """Give every managed copy whose account was changed its new data; returns how many changed."""
    differs = Q()
    for name in FOLLOWED:
        differs |= ~Q(**{f"managed__{name}": F(f"own__{name}")})
    rows = ManagedAccount.objects.filter(differs, tenant__status=TenantStatus.ACTIVE, tenant__live_at__isnull=False)
    changed = 0
    for row in rows.select_related("managed", "own", "tenant").order_by("id")[:BATCH]:
        actor = system_actor(row.organization_id, label=row.tenant.name)
        changed += follow(actor, row.managed, row.own)
    return changed
