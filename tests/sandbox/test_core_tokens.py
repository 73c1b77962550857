"""The sign-in service in this process, with a clock of its own: what ends when, and what a vendor accepts."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from sandbox import login as login_module
from sandbox.login import API, PARTNER_TENANT, SALES, Login
from sandbox.login_pages import add_routes
from sandbox.state import State
from sandbox.wire import Request, WireError

NOW = 1_800_000_000.0


class Time:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.value = NOW

    def time(self) -> float:
        return self.value


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Time:
    fake = Time()
    monkeypatch.setattr(login_module, "time", fake)
    return fake


@pytest.fixture
def login(tmp_path: Path) -> Iterator[Login]:
    state = State(tmp_path)
    made = Login(state, tmp_path)
    add_routes(made)
    made.seed()
    yield made
    state.close()


def ask(login: Login, **form: str) -> dict[str, Any]:
    known = login.demo_credentials()
    form = {"client_id": known["client_id"], "client_secret": known["client_secret"], "resource": API, **form}
    path = f"/{PARTNER_TENANT}/oauth2/token"
    found = login.routes.match("POST", path)
    assert found
    request = Request(
        "POST", path, {}, {}, urlencode(form).encode(), "http://127.0.0.1:1", dt.datetime.now(dt.UTC), found[1]
    )
    try:
        return dict(found[0].handler(request).body)
    except WireError as error:
        return {"codes": error.body["error_codes"]}


def refresh(login: Login, text: str) -> dict[str, Any]:
    return ask(login, grant_type="refresh_token", refresh_token=text)


def test_old_refresh_token_ends_after_a_minute(login: Login, clock: Time) -> None:
    old = login.demo_credentials()["refresh_token"]
    new = refresh(login, old)["refresh_token"]
    clock.value += 59
    assert "access_token" in refresh(login, old)
    clock.value += 2
    assert refresh(login, old) == {"codes": [50173]}
    assert "access_token" in refresh(login, new)


def test_unused_refresh_token_ends_after_ninety_days(login: Login, clock: Time) -> None:
    text = login.demo_credentials()["refresh_token"]
    clock.value += 90 * 86_400 + 1
    assert refresh(login, text) == {"codes": [700082]}


def test_many_refresh_tokens_are_bounded_and_the_live_ones_stay(
    login: Login, clock: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(login_module, "_KEEP_TOKENS", 20)
    text = login.demo_credentials()["refresh_token"]
    for _ in range(50):
        clock.value += 61
        text = refresh(login, text)["refresh_token"]
    assert len(login._refresh) <= 20
    assert "access_token" in refresh(login, text)


def test_code_ends_after_ten_minutes(login: Login, clock: Time) -> None:
    grant = {
        "client_id": login.client_id,
        "tenant": PARTNER_TENANT,
        "user": "u",
        "amr": [],
        "redirect_uri": "https://a/",
    }
    code = login.new_code(grant)
    clock.value += 601
    answer = ask(login, grant_type="authorization_code", code=code, redirect_uri="https://a/")
    assert answer == {"codes": [70008]}


def test_verify_checks_audience_signature_and_expiry(login: Login, monkeypatch: pytest.MonkeyPatch) -> None:
    app = ask(login, grant_type="client_credentials")["access_token"]
    user = refresh(login, login.demo_credentials()["refresh_token"])["access_token"]
    claims = login.verify(app, audience=API)
    assert (claims["appid"], login.is_user(claims)) == (login.client_id, False)
    assert login.is_user(login.verify(user, audience={API, SALES}))
    for token, audience in ((app, SALES), (app[:-4] + "AAAA", API), ("", API), ("a.b.c", API)):
        with pytest.raises(WireError) as caught:
            login.verify(token, audience=audience)
        assert caught.value.status == 401
        assert "WWW-Authenticate" in caught.value.headers
    expires = float(claims["exp"])
    monkeypatch.setattr("sandbox.login_keys.time.time", lambda: expires)
    with pytest.raises(WireError, match="401"):
        login.verify(app, audience=API)


def test_secret_and_keys_stay_the_same(tmp_path: Path) -> None:
    found = []
    for _ in range(2):
        state = State(tmp_path)
        made = Login(state, tmp_path)
        found.append((made.demo_credentials()["client_secret"], made.key.kid))
        state.close()
    assert found[0] == found[1]
