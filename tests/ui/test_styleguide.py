"""The style guide shows every component once, to employees only."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from tests import factories
from tests.bss.staff import customer_client, staff_client
from ui.icons import ICONS
from ui.tones import ICONS as TONE_ICONS
from users.permissions import StaffRole

pytestmark = pytest.mark.django_db
PAGE = reverse("ui:styleguide")


@pytest.fixture
def here():
    return factories.organization()


def test_style_guide_is_for_employees(here):
    visitor = Client(headers={"host": factories.site_of(here).host}).get(PAGE)
    assert (visitor.status_code, visitor["Location"]) == (302, f"{reverse('account_login')}?next={PAGE}")
    assert customer_client(here, factories.account(here)).get(PAGE).status_code == 403
    assert staff_client(here, StaffRole.READ_ONLY).get(PAGE).status_code == 200
    assert staff_client(here).post(PAGE).status_code == 405


def test_style_guide_shows_every_component(here):
    html = staff_client(here).get(PAGE).content.decode()
    for name in ICONS:
        assert f">{name}</span>" in html
    for tone in TONE_ICONS:
        assert f"alert tone-{tone}" in html
    parts = ("button-primary", "badge", "stats", "form-grid", "error-summary", "choice-cards", "steps", "timeline")
    more = ("progress", "table", "tiles", "empty", "skeleton", "<dialog")
    assert [part for part in (*parts, *more) if part not in html] == []


def test_style_guide_obeys_the_content_security_policy(here):
    response = staff_client(here).get(PAGE)
    html = response.content.decode()
    policy = response["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert re.findall(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]* src=)", html) == []
    assert html.count("<h1") == 1


def test_style_guide_in_both_themes(here):
    client = staff_client(here)
    client.cookies["bss_theme"] = "dark"
    assert 'data-theme="dark"' in client.get(PAGE).content.decode()
    client.cookies["bss_theme"] = '"><script>'
    assert "<script>" not in client.get(PAGE).content.decode()
