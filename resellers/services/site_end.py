"""What of a storefront goes when its plan ends, and when its data is erased (``channel.md`` 3.5)."""

from resellers.models import Site
from resellers.site_models import SiteDesign, SiteImage


def forget_site(site: Site) -> None:
    """Erase every version and picture of a site that is deleted."""
    SiteDesign.objects.filter(site=site).delete()
    SiteImage.objects.filter(site=site).delete()
    Site.objects.filter(pk=site.pk).update(look={})
