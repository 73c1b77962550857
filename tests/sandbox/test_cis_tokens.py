"""Signing in to CIS: certificate assertions, audiences, registered certificates."""

import time
from uuid import uuid4

import jwt
import pytest
import requests

from sandbox.seed import esd
from tests.sandbox.conftest import API
from tests.sandbox.esd import GERMANY, GREECE, RESOURCE, STATES, Distributor, made_pair, refused
from tests.twins import Twins


@pytest.fixture
def shop(twin: Twins) -> Distributor:
    twin.call("DELETE", "/_twin/cis/certificates")
    return Distributor(twin)


def test_token_answer(shop: Distributor) -> None:
    answer = shop.ask_token()
    body = answer.json()
    assert (answer.status_code, body["token_type"], body["expires_in"]) == (200, "Bearer", "3600")
    claims = jwt.decode(body["access_token"], options={"verify_signature": False})
    assert (claims["aud"], claims["appid"]) == (RESOURCE.rstrip("/"), GREECE.client_id)
    assert body["resource"] == RESOURCE.rstrip("/")


def test_every_flaw_of_an_assertion_is_refused(shop: Distributor) -> None:
    stranger = made_pair("stranger.example")
    now = int(time.time())  # After the key, which takes seconds on a busy machine.
    foreign_url = shop.token_url.replace("/oauth2/token", "/oauth2/v2.0/token")
    flaws = {
        "expired": (shop.assertion(nbf=now - 700, exp=now - 100), 700024),
        "too early": (shop.assertion(nbf=now + 60, exp=now + 600), 700024),
        "too long": (shop.assertion(exp=now + 660), 700024),
        "no nbf": (shop.assertion(nbf=None), 700027),
        "no jti": (shop.assertion(jti=None), 700027),
        "other audience": (shop.assertion(aud=RESOURCE), 50052),
        "other endpoint": (shop.assertion(aud=foreign_url), 50052),
        "other issuer": (shop.assertion(iss=STATES.client_id), 700021),
        "foreign certificate": (shop.assertion(pair=stranger), 700027),
        "foreign x5t": (shop.assertion(header={"x5t": stranger.x5t}), 700027),
        "foreign key": (shop.assertion(pair=stranger, header={"x5t": shop.pair.x5t}), 700027),
        "no x5t": (shop.assertion(header={"kid": "1"}), 700027),
        "no assertion": ("nonsense", 50027),
    }
    assert {name: shop.refused_token(text) for name, (text, _code) in flaws.items()} == {
        name: code for name, (_text, code) in flaws.items()
    }


def test_assertion_works_once(shop: Distributor) -> None:
    assertion = shop.assertion(jti=str(uuid4()))
    assert shop.ask_token(assertion).status_code == 200
    assert shop.refused_token(assertion) == 700027


def test_secret_other_resource_and_other_tenant_are_refused(shop: Distributor) -> None:
    secret = shop.twin.credentials()["client_secret"]
    data = {"grant_type": "client_credentials", "client_id": GREECE.client_id, "client_secret": secret}
    assert requests.post(shop.token_url, data=data, timeout=10).json()["error_codes"][0] == 7000215
    assert shop.refused_token(resource=API) == 500011
    partner = shop.twin.credentials()["tenant_id"]
    shop.token_url = shop.token_url.replace(esd.TENANT, partner)
    assert shop.refused_token() == 700016


def test_certificate_that_is_over_is_refused(shop: Distributor) -> None:
    over = made_pair("over.example", valid_days=-1)
    assert Distributor(shop.twin, pair=over).refused_token() == 700027


def test_certificates_are_listed_kept_over_a_reset_and_forgotten(shop: Distributor) -> None:
    Distributor(shop.twin, GERMANY)
    shop.twin.reset()
    rows = shop.twin.call("GET", "/_twin/cis/certificates")["certificates"]
    assert [(row["client_id"], row["country"], row["thumbprint"]) for row in rows] == [
        (GREECE.client_id, "GR", shop.pair.thumbprint),
        (GERMANY.client_id, "DE", shop.pair.thumbprint),
    ]
    assert shop.ask_token().status_code == 200
    shop.twin.call("DELETE", f"/_twin/cis/certificates?client_id={GREECE.client_id}")
    assert shop.refused_token() == 700027
    assert len(shop.twin.call("GET", "/_twin/cis/certificates")["certificates"]) == 1
    assert shop.twin.call("DELETE", "/_twin/cis/certificates") == {"certificates": []}


def test_registering_nonsense_is_refused(shop: Distributor) -> None:
    for body in ({}, {"client_id": "x", "pem": shop.pair.pem}, {"client_id": GREECE.client_id, "pem": "x"}):
        answer = requests.post(f"{shop.twin.url}/_twin/cis/certificates", json=body, timeout=10)
        assert (answer.status_code, list(answer.json())) == (400, ["error"])


def test_calls_need_a_token_for_this_service(shop: Distributor) -> None:
    known = shop.twin.credentials()
    form = {
        "grant_type": "client_credentials",
        "client_id": known["client_id"],
        "client_secret": known["client_secret"],
    }
    url = f"{shop.twin.url}/login/{known['tenant_id']}/oauth2/token"
    tokens = {
        resource: requests.post(url, data=form | {"resource": resource}, timeout=10).json()["access_token"]
        for resource in (API, RESOURCE)
    }
    for token in ("", "a.b.c", tokens[API]):
        answer = requests.get(f"{shop.base}/catalog", headers={"Authorization": f"Bearer {token}"}, timeout=10)
        assert refused(answer) == (401, "Unauthorized")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    foreign = requests.get(f"{shop.base}/catalog", headers={"Authorization": f"Bearer {tokens[RESOURCE]}"}, timeout=10)
    assert refused(foreign) == (403, "ChannelNotAuthorized")


def test_credentials_say_what_an_instance_needs(shop: Distributor) -> None:
    known = shop.twin.credentials()["cis"]
    assert (known["tenant_id"], known["resource"], known["service_path"]) == (esd.TENANT, RESOURCE, "/cis/v3_1/")
    assert [(row["country"], row["languages"], row["currencies"]) for row in known["clients"]] == [
        ("GR", ["el-GR", "en-US", "ww-WW"], ["EUR", "USD"]),
        ("US", ["en-US", "ww-WW"], ["USD"]),
        ("DE", ["de-DE", "en-US", "ww-WW"], ["EUR"]),
    ]


def test_other_names_of_the_same_tenant_and_service(shop: Distributor) -> None:
    shop.token_url = shop.token_url.replace(esd.TENANT, "msretailfederationppe.onmicrosoft.com")
    assert shop.ask_token().status_code == 200
    shop.base = shop.base.removesuffix("/v3_1")
    assert shop.buy()["State"] == "Completed"
    assert shop.send("GET", "nothing").json()["ErrorCode"] == "NotFound"
