"""What of a storefront goes when its plan ends, and when its data is erased (``channel.md`` 3.5)."""

from core import audit
from core.tenancy import system_actor
from resellers.domain_rules import DOMAIN_MACHINE, DomainEvent, DomainStatus
from resellers.enums import SITE_MACHINE, AliasState, SiteEvent
from resellers.models import Site, StorefrontAlias
from resellers.site_models import SiteDesign, SiteDomain, SiteImage, SiteMail, SiteMailText
from users.models import User


def unbind_domain(site: Site) -> None:
    """Remove the custom domain of a site whose plan has none; the alias leads to it again. Nothing without one."""
    row = SiteDomain.objects.filter(site=site).exclude(status=DomainStatus.REMOVED).first()
    if row is None:
        return
    DOMAIN_MACHINE.fire(row, DomainEvent.REMOVE, own_chain="", own_key_cipher="", own_until=None)
    Site.objects.filter(pk=site.pk, host=row.host).update(host="")
    site.host = ""
    after = {"host": row.host, "reason": "plan"}
    audit.record(system_actor(site.organization_id), "site.domain_removed", site, after=after, account=site.account)


def forget_mail(site: Site) -> None:
    """Erase the mail account of a site whose plan ended, its secret with it."""
    SiteMail.objects.filter(site=site).delete()


def forget_site(site: Site) -> None:
    """Erase every version and picture of a site that is deleted, and what it wrote in its mails."""
    SiteMailText.objects.filter(site=site).delete()
    SiteDesign.objects.filter(site=site).delete()
    SiteImage.objects.filter(site=site).delete()
    Site.objects.filter(pk=site.pk).update(look={})


def erase_site(site: Site) -> None:
    """Texts, look and logins of a closed site go; the row stays for the orders that name it."""
    SITE_MACHINE.fire(
        site,
        SiteEvent.DELETE,
        name="-",
        host="",
        alias="",
        tagline="",
        introduction="",
        brand_color="",
        support_email="",
        support_phone="",
        mail_sender="",
        terms="",
        privacy="",
    )
    forget_mail(site)
    forget_site(site)
    User.objects.filter(realm=site.public_id).update(is_active=False)
    if site.account is not None:
        StorefrontAlias.objects.filter(account=site.account, state=AliasState.KEPT).delete()
    audit.record(system_actor(site.organization_id), "site.deleted", site, account=site.account)
