"""Calls are served before everything that only pages need: sessions, cookies, forms, languages."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from resellers.enums import SiteStatus
from resellers.models import Site
from tests.api.caller import Program
from tests.bss.staff import staff_client
from tests.shop import Shop

pytestmark = pytest.mark.django_db


def test_answers_are_sealed_against_browsers(distributor: Program):
    for path in ("/api/subscriptions", "/api/nothing/here", "/oauth/token"):
        answer = distributor.get(path)
        assert answer["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert answer["X-Frame-Options"] == "DENY"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert int(answer["Content-Length"]) == len(answer.content)


def test_a_session_means_nothing_to_a_call(shop: Shop, distributor: Program):
    browser = staff_client(shop.organization)
    with CaptureQueriesContext(connection) as captured:
        answer = browser.get("/api/subscriptions")
    assert (answer.status_code, answer.json()["code"]) == (401, "token_missing")
    assert not [row["sql"] for row in captured.captured_queries if "django_session" in row["sql"]]

    answer = browser.get("/api/subscriptions", headers={"authorization": f"Bearer {distributor.token}"})
    assert answer.status_code == 200
    assert not answer.cookies


def test_a_site_that_is_not_live_answers_no_call(shop: Shop, distributor: Program):
    Site.objects.filter(pk=shop.site.pk).update(status=SiteStatus.SUSPENDED)
    answer = distributor.get("/api/subscriptions")
    assert (answer.status_code, answer.json()["status"], answer["Retry-After"]) == (503, 503, "30")


def test_a_bug_is_answered_in_the_form_of_the_api(distributor: Program, monkeypatch: pytest.MonkeyPatch):
    def broken(*_given: object, **_more: object) -> None:
        raise RuntimeError("no matter what")

    monkeypatch.setattr("api.middleware.resolve", broken)
    answer = distributor.get("/api/subscriptions")
    assert (answer.status_code, answer.json()["type"]) == (500, "ServerError")
