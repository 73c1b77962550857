"""Draft, preview, publish and going back of a storefront's look."""

import pytest
from django.core import signing

from core.errors import Conflict, NotVisible, PermissionRefused
from resellers.enums import Edition
from resellers.look import Section, clean_look
from resellers.models import Site
from resellers.services import design, sites
from resellers.site_models import DesignState, SiteDesign, SiteImage
from tests.look.sites import browser, host, owner, picture, reseller_site

pytestmark = pytest.mark.django_db
LOOK = {"name": "Καφέ Cloud ☕", "tagline": "Hello there", "brand_color": "#0a7d55", "skin": "bold"}


@pytest.fixture
def site() -> Site:
    return reseller_site()


def preview(site: Site, token: str, **headers: str):
    return browser(site).get(f"/{site.alias}/shop/preview/{token}/", headers=headers)


def test_draft_is_seen_in_the_preview_alone_until_it_is_published(site):
    actor = owner(site)
    Site.objects.filter(pk=site.pk).update(anonymous_access=True)
    design.save_draft(actor, site=site, values=LOOK)
    token = design.preview_token(actor, site=site)
    page = preview(site, token)
    assert page.status_code == 200
    assert "Hello there" in page.content.decode()
    assert 'data-skin="bold"' in page.content.decode()
    live = browser(site).get(f"/{site.alias}/").content.decode()
    assert "Hello there" not in live
    assert 'data-skin="calm"' in live
    done = design.publish_design(actor, site=site)
    assert (done.number, done.state) == (2, DesignState.PUBLISHED)
    live = browser(site).get(f"/{site.alias}/").content.decode()
    assert "Καφέ Cloud ☕" in live
    assert 'data-skin="bold"' in live
    assert "b=0a7d55" in live


def test_preview_may_be_framed_by_the_own_pages_only(site):
    page = preview(site, design.preview_token(owner(site), site=site))
    assert page["X-Frame-Options"] == "SAMEORIGIN"
    assert "frame-ancestors 'self';" in page["Content-Security-Policy"] + ";"
    assert "no-store" in page["Cache-Control"]
    login = browser(site).get(f"/{site.alias}/accounts/login/")
    assert login["X-Frame-Options"] == "DENY"


def test_preview_token_of_another_site_or_a_forged_one_is_nothing(site):
    other = reseller_site("birch", name="Birch")
    token = design.preview_token(owner(other), site=other)
    assert preview(site, token).status_code == 404
    assert preview(site, "x" * 40).status_code == 404
    forged = signing.dumps(site.public_id.hex, salt="another.salt", compress=False)
    assert preview(site, forged).status_code == 404


def test_preview_token_ends(site, monkeypatch):
    token = design.preview_token(owner(site), site=site)
    monkeypatch.setattr(design, "PREVIEW_SECONDS", -1)
    assert preview(site, token).status_code == 404


def test_going_back_is_a_new_version_and_twenty_are_kept(site):
    actor = owner(site)
    for number in range(25):
        design.publish_design(actor, site=site, values={"tagline": f"Headline {number}"})
    numbers = list(SiteDesign.objects.filter(site=site).values_list("number", flat=True))
    assert numbers == list(range(26, 6, -1))
    design.restore_design(actor, site=site, number=20)
    fresh = Site.objects.get(pk=site.pk)
    assert fresh.tagline == "Headline 18"
    assert SiteDesign.objects.filter(site=site).first().restored_from == 20
    with pytest.raises(NotVisible, match="not kept"):
        design.restore_design(actor, site=site, number=1)


def test_new_terms_are_a_new_version_and_other_changes_are_not(site):
    actor = owner(site)
    design.publish_design(actor, site=site, values={"tagline": "Other"})
    assert Site.objects.get(pk=site.pk).terms_version == 1
    design.publish_design(actor, site=site, values={"terms": "## New\n\nTerms"})
    assert Site.objects.get(pk=site.pk).terms_version == 2
    design.publish_design(actor, site=site, values={"privacy": "We keep nothing."})
    assert Site.objects.get(pk=site.pk).terms_version == 3


def test_nothing_to_publish_and_a_discarded_draft(site):
    actor = owner(site)
    design.save_draft(actor, site=site, values=LOOK)
    design.discard_draft(actor, site=site)
    with pytest.raises(Conflict) as refused:
        design.publish_design(actor, site=site)
    assert refused.value.code == "nothing_to_publish"
    assert Site.objects.get(pk=site.pk).name == "Cedar Cloud"


def test_nobody_designs_a_foreign_site(site):
    other = reseller_site("birch", name="Birch")
    for deed in (
        lambda: design.save_draft(owner(other), site=site, values=LOOK),
        lambda: design.publish_design(owner(other), site=site, values=LOOK),
        lambda: design.restore_design(owner(other), site=site, number=1),
        lambda: design.discard_draft(owner(other), site=site),
        lambda: design.preview_token(owner(other), site=site),
    ):
        with pytest.raises(NotVisible):
            deed()
    assert SiteDesign.objects.count() == 0


def test_a_plan_is_needed(site):
    actor = owner(site)
    sites.close_plan(site.account_id, plan_id=site.plan_id, edition=Edition.BASIC)
    with pytest.raises(PermissionRefused):
        design.save_draft(owner(site), site=site, values=LOOK)
    assert actor.has("shop_site_manage")


def test_one_failed_value_keeps_nothing(site):
    actor = owner(site)
    with pytest.raises(design.LookRefused) as refused:
        design.save_draft(actor, site=site, values={"name": "", "tagline": "New"}, files={"logo": b"<svg/>"})
    assert set(refused.value.context["fields"]) == {"name", "logo"}
    assert not SiteDesign.objects.exists()


def test_pictures_are_kept_once_served_for_long_and_go_with_the_last_version(site):
    actor = owner(site)
    data = picture()
    design.publish_design(actor, site=site, values={}, files={"logo": data, "banner_image": data})
    design.publish_design(actor, site=site, values={"tagline": "x"}, files={"logo": data})
    assert SiteImage.objects.filter(site=site).count() == 1
    name = Site.objects.get(pk=site.pk).look["logo"]
    served = browser(site).get(f"/{site.alias}/image/{name}")
    assert (served.status_code, served["Content-Type"]) == (200, "image/png")
    assert "immutable" in served["Cache-Control"]
    assert served["Content-Security-Policy"] == "default-src 'none'; sandbox"
    other = reseller_site("birch", name="Birch")
    assert browser(other).get(f"/{other.alias}/image/{name}").status_code == 404
    with pytest.raises(design.LookRefused):
        design.save_draft(owner(other), site=other, values={"logo": name})


def test_deleted_site_forgets_designs_and_pictures(site):
    design.publish_design(owner(site), site=site, values=LOOK, files={"logo": picture()})
    sites.close_plan(site.account_id, plan_id=Site.objects.get(pk=site.pk).plan_id)
    Site.objects.filter(pk=site.pk).update(kept_until="2020-01-01T00:00:00Z")
    assert sites.age_site(site.pk)
    assert (SiteDesign.objects.count(), SiteImage.objects.count()) == (0, 0)
    assert Site.objects.get(pk=site.pk).look == {}


def test_sections_come_in_the_chosen_order(site):
    Site.objects.filter(pk=site.pk).update(anonymous_access=True)
    values = {"sections": [["text", True], ["hero", True], ["promises", False]], "text_title": "First words"}
    design.publish_design(owner(site), site=site, values={**values, "tagline": "Second words"})
    page = browser(site).get(f"/{site.alias}/").content.decode()
    assert page.index("First words") < page.index("Second words")
    assert "Ready in minutes" not in page


def test_every_section_has_a_template_and_a_place():
    look, _wrong = clean_look({"name": "x", "sections": [["hero", True], ["hero", False], ["nothing", True], 5]})
    assert [name for name, _on in look["sections"]] == ["hero", *[s.value for s in Section if s != Section.HERO]]


def test_analytics_only_for_who_agreed(site):
    Site.objects.filter(pk=site.pk).update(anonymous_access=True)
    design.publish_design(owner(site), site=site, values={"analytics_id": "g-abc1234"})
    client = browser(site)
    page = client.get("/cedar/")
    assert "measure.js" not in page.content.decode()
    assert "google" not in page["Content-Security-Policy"]
    assert client.post("/cedar/shop/consent/", {"consent": "yes", "next": "//evil.test/"})["Location"] == "/cedar/"
    page = client.get("/cedar/")
    assert 'data-measure="G-ABC1234"' in page.content.decode()
    assert "https://www.googletagmanager.com" in page["Content-Security-Policy"]
    client.post("/cedar/shop/consent/", {"consent": "no"})
    assert "google" not in client.get("/cedar/")["Content-Security-Policy"]


def test_a_site_answers_in_its_languages(site):
    design.publish_design(owner(site), site=site, values={"languages": ["el"]})
    assert 'lang="el"' in browser(site).get("/cedar/accounts/login/").content.decode()
    design.publish_design(owner(site), site=site, values={"languages": []})
    client = browser(site)
    client.post("/cedar/shop/language/", {"language": "el"})
    assert 'lang="el"' in client.get("/cedar/accounts/login/").content.decode()


def test_organizations_own_look_is_made_by_its_administrators(site):
    from tests import factories  # The organization's own site comes with the factory.

    own = factories.site_of(site.organization)
    design.publish_design(factories.actor(site.organization), site=own, values={"tagline": "Ours"})
    assert Site.objects.get(pk=own.pk).tagline == "Ours"
    with pytest.raises(NotVisible):
        design.publish_design(factories.actor(site.organization), site=site, values={"tagline": "Ours"})
    assert host(site) == own.host
