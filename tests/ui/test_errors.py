"""Errors: one place that turns a refusal into a page, JSON, or a message on the page it came from."""

import json

import pytest
from django.contrib.messages import get_messages
from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.sessions.backends.signed_cookies import SessionStore
from django.http import Http404, HttpResponse
from django.test import Client
from django.urls import reverse

from core.errors import BusinessError, Conflict, NotVisible, PermissionRefused
from tests import factories
from tests.bss.staff import said, staff_client
from tests.shop import make_shop
from ui import errors
from ui.errors import BusinessErrorMiddleware, error_page, status_of, wants_json

pytestmark = pytest.mark.django_db
REFUSALS = [
    (PermissionRefused("no", "Your role is too small."), 403),
    (NotVisible("gone", "It is gone."), 404),
    (Conflict("late", "Somebody was faster."), 409),
    (BusinessError("rule", "The rule says no."), 400),
]
JSON = {"accept": "application/json"}


@pytest.fixture
def middleware():
    return BusinessErrorMiddleware(lambda request: HttpResponse("fine"))


def make(rf, verb: str = "get", path: str = "/orders/", **headers: str):
    """A request with a session and messages, as the middleware sees it."""
    request = getattr(rf, verb)(path, headers=headers)
    request.session = SessionStore()
    request._messages = FallbackStorage(request)
    return request


def messages_of(request) -> list[str]:
    return [str(message) for message in get_messages(request)]


def test_answer_without_an_error_passes(rf, middleware):
    assert middleware(make(rf)).content == b"fine"


@pytest.mark.parametrize(("error", "status"), REFUSALS, ids=[str(status) for _error, status in REFUSALS])
def test_refusal_is_a_page_with_its_status_and_words(rf, middleware, error, status):
    response = middleware.process_exception(make(rf), error)
    html = response.content.decode()
    assert (status_of(error), response.status_code) == (status, status)
    assert (error.message in html, f">{status}<" in html) == (True, True)


@pytest.mark.parametrize(("error", "status"), REFUSALS, ids=[str(status) for _error, status in REFUSALS])
def test_refusal_is_json_for_who_asks_for_it(rf, middleware, error, status):
    response = middleware.process_exception(make(rf, "post", referer="http://testserver/basket/", **JSON), error)
    assert (response.status_code, response["Content-Type"]) == (status, "application/json")
    assert json.loads(response.content) == {
        "status": status,
        "code": error.code,
        "message": error.message,
        "request_id": "",
    }


@pytest.mark.parametrize(
    ("accept", "asks"),
    [
        ("application/json", True),
        ("text/html,application/json", False),
        ("*/*", False),
        ("", False),
    ],
)
def test_who_asks_for_json(rf, accept, asks):
    assert wants_json(rf.get("/", headers={"accept": accept})) is asks


@pytest.mark.parametrize(("error", "status"), REFUSALS, ids=[str(status) for _error, status in REFUSALS])
def test_form_gets_a_message_on_the_page_it_came_from(rf, middleware, error, status):
    request = make(rf, "post", referer="http://testserver/basket/?a=1")
    response = middleware.process_exception(request, error)
    if status in (400, 409):
        assert (response.status_code, response["Location"]) == (302, "http://testserver/basket/?a=1")
        assert messages_of(request) == [error.message]
    else:
        assert response.status_code == status
        assert messages_of(request) == []


@pytest.mark.parametrize(
    "referer",
    [
        "",
        "http://evil.test/basket/",
        "//evil.test/basket/",
        "http://testserver.evil.test/",
        "http://testserver@evil.test/",
        "http:///evil.test/",
        "javascript:alert(1)",
        "\\\\evil.test",
    ],
)
def test_foreign_referer_is_not_followed(rf, middleware, referer):
    request = make(rf, "post", referer=referer)
    response = middleware.process_exception(request, BusinessError("rule", "The rule says no."))
    assert (response.status_code, "Location" in response) == (400, False)
    assert messages_of(request) == []


def test_secure_page_does_not_lead_to_an_insecure_one(rf, middleware):
    request = make(rf, "post", referer="http://testserver/basket/")
    request.META["wsgi.url_scheme"] = "https"
    assert middleware.process_exception(request, BusinessError("rule", "No.")).status_code == 400


def test_get_is_never_sent_back(rf, middleware):
    request = make(rf, referer="http://testserver/orders/")
    assert middleware.process_exception(request, BusinessError("rule", "No.")).status_code == 400


@pytest.mark.parametrize("error", [ValueError("bug"), Http404()])
def test_everything_else_goes_on_up(rf, middleware, error):
    assert middleware.process_exception(make(rf), error) is None


def test_words_of_an_error_are_escaped(rf):
    html = error_page(make(rf), 400, "<script>alert(1)</script>").content.decode()
    assert ("<script>alert" in html, "&lt;script&gt;alert" in html) == (False, True)


def test_status_without_a_page_of_its_own_gets_the_general_one(rf):
    response = error_page(make(rf), 422, "Odd.")
    assert (response.status_code, "Odd." in response.content.decode()) == (422, True)


@pytest.mark.parametrize(
    ("handler", "status"),
    [
        (lambda request: errors.bad_request(request, ValueError()), 400),
        (lambda request: errors.permission_denied(request, PermissionError()), 403),
        (lambda request: errors.page_not_found(request, Http404()), 404),
        (errors.csrf_failure, 403),
        (errors.server_error, 500),
    ],
)
def test_handlers_answer_pages_and_json(rf, handler, status):
    page, data = handler(make(rf)), handler(make(rf, **JSON))
    assert (page.status_code, page["Content-Type"]) == (status, "text/html; charset=utf-8")
    assert (data.status_code, json.loads(data.content)["status"]) == (status, status)


def test_missing_page_has_the_id_somebody_can_quote():
    client = Client(headers={"host": factories.site_of(factories.organization()).host})
    response = client.get("/nowhere/", headers={"X-Request-Id": "quote-me-123"})
    assert (response.status_code, response["X-Request-Id"]) == (404, "quote-me-123")
    assert "quote-me-123" in response.content.decode()
    body = client.get("/nowhere/", headers=JSON | {"X-Request-Id": "quote-me-123"}).json()
    assert (body["status"], body["request_id"]) == (404, "quote-me-123")


def test_form_without_a_token_is_told_to_reload():
    here = factories.organization()
    client = Client(headers={"host": factories.site_of(here).host}, enforce_csrf_checks=True)
    response = client.post(reverse("account_login"), {"login": "a"})
    assert (response.status_code, "open for too long" in response.content.decode()) == (403, True)


def test_refusal_on_a_real_page_comes_back_as_a_message():
    shop = make_shop()
    client = staff_client(shop.organization)
    products = reverse("bss:product_list")
    host = factories.site_of(shop.organization).host
    data = {"action": "nothing", "row": str(shop.product.public_id)}
    response = client.post(products, data, headers={"referer": f"http://{host}{products}?q=x"}, follow=True)
    assert response.redirect_chain == [(f"http://{host}{products}?q=x", 302)]
    assert said(response) == ["Choose what to do with the rows."]
    assert client.post(products, data, headers={"referer": "http://evil.test/"}).status_code == 400
