"""What belongs to a storefront besides the site itself: its designs and pictures (``channel.md`` 4.1, 4.6)."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.pictures import MAX_BYTES
from core.tenancy import TenantOwned


class DesignState(models.TextChoices):
    """Whether a design is worked on or was shown to people."""

    DRAFT = "draft", _("Draft")
    PUBLISHED = "published", _("Published")


class SiteDesign(TenantOwned):
    """One version of a site's look: the draft, or one that was published; ``number`` counts the published ones.

    ``content`` is a look as :mod:`resellers.look` cleans it. ``author`` is who published it, in words.
    """

    tenant_account = "site__account"

    site = models.ForeignKey("resellers.Site", on_delete=models.CASCADE, related_name="designs")
    state = models.CharField(max_length=20, choices=DesignState.choices, default=DesignState.DRAFT)
    number = models.PositiveIntegerField(default=0)
    content = models.JSONField(default=dict)
    author = models.CharField(max_length=200, blank=True)
    published_at = models.DateTimeField(null=True, blank=True)
    restored_from = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        ordering = ["-number", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["site"], condition=Q(state="draft"), name="design_one_draft"),
            models.UniqueConstraint(fields=["site", "number"], condition=~Q(number=0), name="design_number_once"),
        ]

    def __str__(self) -> str:
        return f"{self.site_id}/{self.number or 'draft'}"


class SiteImage(TenantOwned):
    """A picture of a site, written anew by :mod:`core.pictures`; ``name`` is the hash of its bytes with the ending."""

    tenant_account = "site__account"

    site = models.ForeignKey("resellers.Site", on_delete=models.CASCADE, related_name="images")
    name = models.CharField(max_length=80)
    content_type = models.CharField(max_length=20)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    data = models.BinaryField(max_length=MAX_BYTES)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["site", "name"], name="site_image_once")]

    def __str__(self) -> str:
        return self.name
