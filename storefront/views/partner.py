"""My Account > Microsoft Cloud Services: a reseller's MPN IDs (``channel.md`` 6.3, 6.4)."""

from typing import Any

from django.utils.translation import gettext_lazy

from provisioning.services.stamps import partner_instances
from subscriptions.selectors import stamp_runs
from ui import partner_pages as pages
from users.permissions import Perm
from vendors.selectors import account_links_for

RUNS_SHOWN = 10


class OwnPartner(pages.PartnerAddresses):
    """Pages about the own MPN IDs."""

    perm = Perm.SHOP_MPN
    layout = "base_storefront.html"
    back = (gettext_lazy("Microsoft Cloud Services"), "storefront:partner_home")


class PartnerHome(OwnPartner):
    """The MPN ID at each instance, and the last runs."""

    template_name = "storefront/partner_home.html"
    title = gettext_lazy("Microsoft Cloud Services")
    back = (gettext_lazy("Company and users"), "storefront:profile")

    def get(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Show them."""
        links = {row.instance_id: row for row in account_links_for(self.actor).filter(account=self.reseller())}
        found = [(row, links.get(row.pk), self.change_url(row)) for row in partner_instances(self.actor)]
        runs = stamp_runs(self.actor).filter(account=self.reseller())[:RUNS_SHOWN]
        return self.show(instances=found, runs=list(runs))


class PartnerChange(OwnPartner, pages.PartnerChange):
    """A new MPN ID."""


class PartnerCheck(OwnPartner, pages.PartnerCheck):
    """What the vendor says about it."""


class StampDetail(OwnPartner, pages.StampRunPage):
    """A run over the own customers' services."""

    acting_perm = Perm.SHOP_MPN
