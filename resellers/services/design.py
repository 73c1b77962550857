"""The look of a storefront: a draft is worked on, previewed, published, and brought back (``channel.md`` 4.1).

Publishing writes the look into the site, so that no page asks for a design. The last 20 versions are kept.
"""

import copy
from collections.abc import Mapping
from typing import Any

from django.core import signing
from django.db import transaction
from django.utils.translation import gettext as _

from core import audit, clock
from core.errors import BusinessError, Conflict, NotVisible
from core.pictures import read_picture
from core.tenancy import Actor, TenantQuerySet
from resellers.look import COLUMNS, IMAGES, Look, clean_look, read_look
from resellers.models import Site
from resellers.routing import site_of_reseller
from resellers.site_models import DesignState, SiteDesign, SiteImage
from users.permissions import Perm

KEPT = 20
MAX_IMAGES = 60
PREVIEW_SECONDS = 8 * 3600
SALT = "resellers.design.preview"
# The longest side of a picture by its place, in pixels.
LONGEST = {"logo": 480, "favicon": 64, "hero_image": 1600, "text_image": 1200, "banner_image": 1600}


class LookRefused(BusinessError):
    """Values that a look cannot have; ``context["fields"]`` says which and why."""


def site_to_design(actor: Actor) -> Site:
    """The site whose look the actor may change: the organization's for employees, a reseller's own for him.

    Raises PermissionRefused without the right, NotVisible ``site_missing`` if there is none.
    """
    if actor.is_staff:
        actor.require(Perm.SYSTEM_OPTIONS)
        site = Site.objects.select_related("organization").filter(organization_id=actor.tenant_id, account=None).first()
    else:
        actor.require(Perm.SHOP_SITE_MANAGE)
        site = site_of_reseller(actor.account_id) if actor.account_id else None
    if site is None:
        raise NotVisible("site_missing", _("There is no storefront yet. Order a reseller plan first."))
    return site


def _own(actor: Actor, site: Site) -> Site:
    """The row of the site, locked, if the actor may design it; foreign sites do not exist."""
    if site_to_design(actor).pk != site.pk:
        raise NotVisible("site_missing", _("This storefront does not exist."))
    return Site.objects.select_for_update(of=("self",)).get(pk=site.pk)


def designs_of(actor: Actor, site: Site) -> TenantQuerySet[SiteDesign]:
    """The published versions of a site, the newest first."""
    return SiteDesign.objects.visible_to(actor).filter(site=site, state=DesignState.PUBLISHED)


def live_look(site: Site) -> Look:
    """The look as everybody sees it now."""
    return read_look({**(site.look or {}), **{name: getattr(site, name) for name in COLUMNS}})


def draft_of(actor: Actor, site: Site) -> SiteDesign | None:
    """The draft of a site, if somebody has changed anything since it was published."""
    return SiteDesign.objects.visible_to(actor).filter(site=site, state=DesignState.DRAFT).first()


def edited_look(actor: Actor, site: Site) -> Look:
    """What the editor shows: the draft, else what is live."""
    draft = draft_of(actor, site)
    return read_look(draft.content) if draft is not None else live_look(site)


@transaction.atomic
def save_draft(
    actor: Actor, *, site: Site, values: Mapping[str, Any], files: Mapping[str, bytes] | None = None
) -> SiteDesign:
    """Keep what was typed as the site's draft; ``files`` are pictures by their field. Nobody else sees any of it.

    Raises :class:`LookRefused` with the fields; then nothing was kept.
    """
    row = _own(actor, site)
    wanted = {**edited_look(actor, row), **values}
    wrong: dict[str, str] = {}
    for name, data in (files or {}).items():
        try:
            wanted[name] = _keep_image(row, name, data)
        except BusinessError as error:
            wrong[name] = str(error.message)
    look, found = clean_look(wanted)
    wrong = found | wrong | _foreign_images(row, look)
    if wrong:
        raise LookRefused(
            "look_refused", _("The look could not be saved. See the fields below."), context={"fields": wrong}
        )
    draft, made = SiteDesign.objects.select_for_update(of=("self",)).get_or_create(
        site=row,
        state=DesignState.DRAFT,
        defaults={"organization_id": row.organization_id, "content": look},
    )
    if not made:
        draft.content = look
        draft.save(update_fields=["content", "updated_at"])
    return draft


def _foreign_images(site: Site, look: Look) -> dict[str, str]:
    """Pictures the site does not have: a name typed by hand leads to nobody else's."""
    named = {name: look[name] for name in IMAGES if look[name]}
    known = set(SiteImage.objects.filter(site=site, name__in=named.values()).values_list("name", flat=True))
    return {name: _("Upload the picture again.") for name, value in named.items() if value not in known}


def _keep_image(site: Site, place: str, data: bytes) -> str:
    """Keep a picture of the site once; returns its name."""
    picture = read_picture(data, longest=LONGEST[place], square=place == "favicon")
    if SiteImage.objects.filter(site=site, name=picture.name).exists():
        return picture.name
    _forget_images(site)
    if SiteImage.objects.filter(site=site).count() >= MAX_IMAGES:
        raise BusinessError("too_many_pictures", _("There are too many pictures. Publish, then try again."))
    SiteImage.objects.create(
        site=site,
        organization_id=site.organization_id,
        name=picture.name,
        content_type=picture.content_type,
        width=picture.width,
        height=picture.height,
        data=picture.data,
    )
    return picture.name


def _forget_images(site: Site) -> None:
    """Delete pictures that no kept version shows."""
    contents = list(SiteDesign.objects.filter(site=site).values_list("content", flat=True))
    used = {str(content.get(name, "")) for content in [*contents, site.look or {}] for name in IMAGES}
    SiteImage.objects.filter(site=site).exclude(name__in=used).delete()


@transaction.atomic
def discard_draft(actor: Actor, *, site: Site) -> None:
    """Forget the draft; the site stays as it is."""
    row = _own(actor, site)
    SiteDesign.objects.filter(site=row, state=DesignState.DRAFT).delete()


@transaction.atomic
def publish_design(
    actor: Actor, *, site: Site, values: Mapping[str, Any] | None = None, files: Mapping[str, bytes] | None = None
) -> SiteDesign:
    """Show the draft, with what was typed since, to everybody as the next version.

    Other terms or another privacy notice are a new version of the terms, which every buyer is asked at his next order.
    Raises Conflict ``nothing_to_publish`` without a draft.
    """
    row = _own(actor, site)
    if values is not None:
        save_draft(actor, site=row, values=values, files=files)
    draft = SiteDesign.objects.select_for_update(of=("self",)).filter(site=row, state=DesignState.DRAFT).first()
    if draft is None:
        raise Conflict("nothing_to_publish", _("Nothing was changed since the storefront was published."))
    return _publish(actor, row, read_look(draft.content), draft)


@transaction.atomic
def restore_design(actor: Actor, *, site: Site, number: int) -> SiteDesign:
    """Publish a former version again, as a new one; a draft goes away. Raises NotVisible ``design_missing``."""
    row = _own(actor, site)
    former = SiteDesign.objects.filter(site=row, state=DesignState.PUBLISHED, number=number).first()
    if former is None:
        raise NotVisible("design_missing", _("This version is not kept any more."))
    SiteDesign.objects.filter(site=row, state=DesignState.DRAFT).delete()
    fresh = SiteDesign.objects.create(
        site=row, organization_id=row.organization_id, state=DesignState.DRAFT, restored_from=number
    )
    return _publish(actor, row, read_look(former.content), fresh)


def _publish(actor: Actor, site: Site, look: Look, design: SiteDesign) -> SiteDesign:
    former = live_look(site)
    last = SiteDesign.objects.filter(site=site).order_by("-number").first()
    if last is None or not last.number:
        last = _first_version(site, former)
    design.number, design.state, design.content = last.number + 1, DesignState.PUBLISHED, look
    design.author, design.published_at = actor.label or actor.email, clock.now()
    design.save(update_fields=["number", "state", "content", "author", "published_at", "updated_at"])
    _write(site, look)
    if (look["terms"], look["privacy"]) != (former["terms"], former["privacy"]):
        site.terms_version += 1
    site.save(update_fields=[*COLUMNS, "look", "terms_version", "updated_at"])
    SiteDesign.objects.filter(site=site, state=DesignState.PUBLISHED, number__lte=design.number - KEPT).delete()
    _forget_images(site)
    changed = sorted(name for name in look if look[name] != former[name])
    after = {"version": design.number, "changed": changed, "terms_version": site.terms_version}
    audit.record(actor, "site.published", site, after=after, account=site.account)
    return design


def _first_version(site: Site, look: Look) -> SiteDesign:
    """What the site looked like before anybody published anything, so that one can go back to it."""
    return SiteDesign.objects.create(
        site=site,
        organization_id=site.organization_id,
        state=DesignState.PUBLISHED,
        number=1,
        content=look,
        published_at=site.created_at,
    )


def _write(site: Site, look: Look) -> None:
    for name in COLUMNS:
        setattr(site, name, look[name])
    site.look = {name: value for name, value in look.items() if name not in COLUMNS}


def preview_token(actor: Actor, *, site: Site) -> str:
    """What lets one see the draft of this site for eight hours, also without signing in."""
    if site_to_design(actor).pk != site.pk:
        raise NotVisible("site_missing", _("This storefront does not exist."))
    return signing.dumps(site.public_id.hex, salt=SALT, compress=False)


def previewed_site(token: str, site: Site) -> Site | None:
    """The site of the request as its draft has it; None for a token of another site, a forged or an old one."""
    try:
        named = signing.loads(token, salt=SALT, max_age=PREVIEW_SECONDS)
    except signing.BadSignature:
        return None
    if named != site.public_id.hex:
        return None
    draft = SiteDesign.objects.filter(site=site, state=DesignState.DRAFT).first()
    shown = copy.copy(site)
    if draft is not None:
        _write(shown, read_look(draft.content))
    return shown


def image_of(site: Site, name: str) -> SiteImage | None:
    """A picture of this very site."""
    return SiteImage.objects.filter(site=site, name=name).first()
