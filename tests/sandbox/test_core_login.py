"""The sign-in service: grants, assertions, rotation, consent, errors."""

import datetime as dt
import html
import re
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import jwt
import msal
import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from sandbox.login_keys import thumbprints
from tests.sandbox.conftest import API
from tests.twins import Twins

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
REPLY = "http://127.0.0.1:9/reply"


def claims_of(token: str) -> dict[str, Any]:
    return dict(jwt.decode(token, options={"verify_signature": False}))


def token(twin: Twins, path: str = "/oauth2/token", **form: str) -> requests.Response:
    known = twin.credentials()
    form = {"client_id": known["client_id"], "client_secret": known["client_secret"], **form}
    form = {name: value for name, value in form.items() if value}
    return requests.post(f"{twin.url}/login/{known['tenant_id']}{path}", data=form, timeout=10)


@pytest.fixture(scope="module")
def pair() -> tuple[str, str]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "application")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private.decode(), certificate.public_bytes(serialization.Encoding.PEM).decode()


def assertion(twin: Twins, pair: tuple[str, str], algorithm: str, header: str, **changes: Any) -> dict[str, str]:
    known, now = twin.credentials(), int(time.time())
    claims = {
        "aud": f"{twin.url}/login/{known['tenant_id']}/oauth2/token",
        "iss": known["client_id"],
        "sub": known["client_id"],
        "jti": str(uuid4()),
        "nbf": now,
        "exp": now + 500,
        **changes,
    }
    text = jwt.encode(claims, pair[0], algorithm=algorithm, headers={header: thumbprints(pair[1])[header]})
    return {"client_secret": "", "client_assertion_type": ASSERTION_TYPE, "client_assertion": text}


def msal_app(twin: Twins, credential: Any) -> tuple[msal.ConfidentialClientApplication, requests.Session]:
    known, session = twin.credentials(), requests.Session()
    # Without this a CA bundle named by the environment would take precedence.
    session.trust_env = False
    session.verify = str(twin.ca_file)
    app = msal.ConfidentialClientApplication(
        known["client_id"],
        authority=f"{twin.tls_url}/login/{known['tenant_id']}",
        client_credential=credential,
        instance_discovery=False,
        http_client=session,
    )
    return app, session


def test_app_token_v1_has_numbers_as_strings(twin: Twins) -> None:
    answer = token(twin, grant_type="client_credentials", resource=API)
    body = answer.json()
    assert (answer.status_code, body["token_type"], body["expires_in"], body["resource"]) == (
        200,
        "Bearer",
        "3600",
        API,
    )
    claims = claims_of(body["access_token"])
    known = twin.credentials()
    assert (claims["aud"], claims["appid"], claims["tid"]) == (API, known["client_id"], known["tenant_id"])
    assert "scp" not in claims and "amr" not in claims
    assert claims["exp"] - claims["iat"] == 3600
    assert "refresh_token" not in body


def test_app_token_v2_has_numbers(twin: Twins) -> None:
    body = token(twin, "/oauth2/v2.0/token", grant_type="client_credentials", scope=f"{API}/.default").json()
    assert body["expires_in"] == 3600
    assert claims_of(body["access_token"])["aud"] == API


def test_signature_verifies_with_published_keys(twin: Twins) -> None:
    body = token(twin, grant_type="client_credentials", resource=API).json()
    keys = requests.get(f"{twin.url}/login/common/discovery/keys", timeout=10).json()["keys"]
    assert jwt.decode(body["access_token"], jwt.PyJWK(keys[0]).key, algorithms=["RS256"], audience=API)["aud"] == API


def test_msal_app_token_over_tls(twin: Twins) -> None:
    app, session = msal_app(twin, twin.credentials()["client_secret"])
    with session:
        answer = app.acquire_token_for_client([f"{API}/.default"])
    assert claims_of(answer["access_token"])["aud"] == API


def test_msal_refresh_token_gives_user_token(twin: Twins) -> None:
    app, session = msal_app(twin, twin.credentials()["client_secret"])
    with session:
        answer = app.acquire_token_by_refresh_token(
            twin.credentials()["refresh_token"], scopes=[f"{API}/user_impersonation"]
        )
    claims = claims_of(answer["access_token"])
    assert (claims["aud"], claims["scp"], claims["amr"]) == (API, "user_impersonation", ["pwd", "mfa"])
    assert answer["refresh_token"]


def test_msal_certificate_signs_ps256(twin: Twins, pair: tuple[str, str]) -> None:
    twin.call("POST", "/_twin/certificates", json={"certificate": pair[1]})
    app, session = msal_app(twin, {"private_key": pair[0], "public_certificate": pair[1]})
    with session:
        answer = app.acquire_token_for_client([f"{API}/.default"])
    assert "access_token" in answer, answer


@pytest.mark.parametrize(("algorithm", "header"), [("PS256", "x5t#S256"), ("RS256", "x5t")])
def test_assertion_accepted_once(twin: Twins, pair: tuple[str, str], algorithm: str, header: str) -> None:
    twin.call("POST", "/_twin/certificates", json={"certificate": pair[1]})
    form = assertion(twin, pair, algorithm, header)
    first = token(twin, grant_type="client_credentials", resource=API, **form)
    again = token(twin, grant_type="client_credentials", resource=API, **form)
    assert (first.status_code, again.status_code) == (200, 401)
    assert "'jti' was already used" in again.json()["error_description"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"aud": "https://login.microsoftonline.com/x/oauth2/token"}, 50052),
        ({"exp": int(time.time()) - 60}, 700024),
        ({"nbf": int(time.time()) + 3600}, 700024),
        ({"sub": "somebody"}, 700021),
        ({"exp": int(time.time()) + 90_000}, 700024),
    ],
)
def test_assertion_with_wrong_claims_refused(
    twin: Twins, pair: tuple[str, str], changes: dict[str, Any], code: int
) -> None:
    twin.call("POST", "/_twin/certificates", json={"certificate": pair[1]})
    form = assertion(twin, pair, "RS256", "x5t", **changes)
    answer = token(twin, grant_type="client_credentials", resource=API, **form)
    assert (answer.status_code, answer.json()["error"], answer.json()["error_codes"]) == (
        401,
        "invalid_client",
        [code, 700027],
    )


def test_assertion_of_unregistered_certificate_refused(twin: Twins, pair: tuple[str, str]) -> None:
    form = assertion(twin, pair, "RS256", "x5t")
    answer = token(twin, grant_type="client_credentials", resource=API, **form)
    assert (answer.status_code, answer.json()["error_codes"][0]) == (401, 700027)


def test_assertion_with_changed_signature_refused(twin: Twins, pair: tuple[str, str]) -> None:
    twin.call("POST", "/_twin/certificates", json={"certificate": pair[1]})
    form = assertion(twin, pair, "PS256", "x5t#S256")
    head, payload, signature = form["client_assertion"].split(".")
    form["client_assertion"] = (
        f"{head}.{payload}.{signature[:20]}{'A' if signature[20] != 'A' else 'B'}{signature[21:]}"
    )
    answer = token(twin, grant_type="client_credentials", resource=API, **form)
    assert (answer.status_code, answer.json()["error_codes"][0]) == (401, 700027)


@pytest.mark.parametrize(
    ("form", "status", "error", "code"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client", 7000215),
        ({"client_id": str(uuid4())}, 400, "unauthorized_client", 700016),
        ({"resource": "https://example.com"}, 400, "invalid_resource", 500011),
        ({"grant_type": "password"}, 400, "unsupported_grant_type", 70003),
        ({"grant_type": ""}, 400, "invalid_request", 900144),
        ({"grant_type": "refresh_token", "refresh_token": "nonsense"}, 400, "invalid_grant", 70002),
        ({"grant_type": "authorization_code", "code": "nonsense"}, 400, "invalid_grant", 70002),
    ],
)
def test_errors_have_microsofts_shape(twin: Twins, form: dict[str, str], status: int, error: str, code: int) -> None:
    answer = token(twin, **{"grant_type": "client_credentials", "resource": API, **form})
    body = answer.json()
    assert (answer.status_code, body["error"], body["error_codes"][0]) == (status, error, code)
    assert body["error_description"].startswith(f"AADSTS{code}: ")
    assert f"\r\nTrace ID: {body['trace_id']}\r\n" in body["error_description"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ", body["timestamp"])


def test_unknown_tenant_refused(twin: Twins) -> None:
    url = f"{twin.url}/login/{uuid4()}"
    data = {"grant_type": "client_credentials"}
    assert requests.post(f"{url}/oauth2/token", data=data, timeout=10).json()["error_codes"] == [90002]
    answer = requests.get(f"{url}/v2.0/.well-known/openid-configuration", timeout=10)
    assert (answer.status_code, answer.json()["error_codes"]) == (400, [90002])


def test_refresh_rotates_and_old_one_works_a_little_longer(twin: Twins) -> None:
    old = twin.credentials()["refresh_token"]
    first = token(twin, grant_type="refresh_token", refresh_token=old, resource=API, scope="openid").json()
    again = token(twin, grant_type="refresh_token", refresh_token=old, resource=API).json()
    assert len({old, first["refresh_token"], again["refresh_token"]}) == 3
    assert claims_of(first["access_token"])["amr"] == ["pwd", "mfa"]
    sales = "https://api.partner.microsoft.com"
    other = token(twin, grant_type="refresh_token", refresh_token=first["refresh_token"], resource=sales).json()
    assert claims_of(other["access_token"])["aud"] == sales


def test_revoked_consent_by_fault_hits_user_grants_only(twin: Twins) -> None:
    twin.fault("*", "consent_revoked", vendor="partner_center")
    assert token(twin, grant_type="client_credentials", resource=API).status_code == 200
    old = twin.credentials()["refresh_token"]
    refused = token(twin, grant_type="refresh_token", refresh_token=old, resource=API)
    assert (refused.status_code, refused.json()["error_codes"]) == (400, [65001])
    assert token(twin, grant_type="refresh_token", refresh_token=old, resource=API).status_code == 200


def consent(twin: Twins, version: str, **query: str) -> requests.Response:
    known = twin.credentials()
    query = {"client_id": known["client_id"], "redirect_uri": REPLY, "state": "s & t", **query}
    url = f"{twin.url}/login/common/oauth2{version}/authorize"
    page = requests.get(url, params=query, timeout=10)
    assert page.status_code == 200, page.text
    form = fields(page.text)
    answer = "decline" if query.get("decline") else "accept"
    form |= {"user": "owner@aster.example", "mfa": "1", "answer": answer}
    return requests.post(url, data=form, timeout=10, allow_redirects=False)


def fields(page: str) -> dict[str, str]:
    found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', page)
    return {html.unescape(name): html.unescape(value) for name, value in found}


def test_consent_by_form_post_gives_code_and_id_token(twin: Twins) -> None:
    answer = consent(
        twin, "", response_mode="form_post", response_type="code id_token", scope="openid profile", nonce="n-1"
    )
    values = fields(answer.text)
    assert f'action="{REPLY}"' in answer.text
    assert values["state"] == "s & t"
    identity, known = claims_of(values["id_token"]), twin.credentials()
    assert (identity["aud"], identity["nonce"], identity["tid"]) == (known["client_id"], "n-1", known["tenant_id"])
    form = {"grant_type": "authorization_code", "code": values["code"], "redirect_uri": REPLY, "resource": API}
    first, again = token(twin, **form), token(twin, **form)
    assert claims_of(first.json()["access_token"])["upn"] == "owner@aster.example"
    assert first.json()["refresh_token"]
    assert (again.status_code, again.json()["error_codes"][0]) == (400, 54005)


def test_consent_by_query_redeemed_with_msal(twin: Twins) -> None:
    answer = consent(twin, "/v2.0", response_type="code", scope=f"{API}/user_impersonation offline_access")
    assert answer.status_code == 302
    code = parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]
    app, session = msal_app(twin, twin.credentials()["client_secret"])
    with session, pytest.warns(DeprecationWarning, match="acquire_token_by_auth_code_flow"):
        result = app.acquire_token_by_authorization_code(code, [f"{API}/user_impersonation"], redirect_uri=REPLY)
    assert claims_of(result["access_token"])["amr"] == ["pwd", "mfa"]
    assert result["id_token_claims"]["preferred_username"] == "owner@aster.example"


def test_declined_consent_goes_back_with_error(twin: Twins) -> None:
    answer = consent(twin, "/v2.0", response_type="code", decline="1")
    values = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert (values["error"], values["state"]) == (["access_denied"], ["s & t"])


def test_code_needs_same_reply_address(twin: Twins) -> None:
    answer = consent(twin, "/v2.0", response_type="code")
    code = parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]
    refused = token(twin, grant_type="authorization_code", code=code, redirect_uri=REPLY + "x", resource=API)
    assert refused.json()["error_codes"] == [500112]


def test_foreign_plain_reply_address_refused(twin: Twins) -> None:
    known = twin.credentials()
    query = {"client_id": known["client_id"], "redirect_uri": "http://evil.example/", "response_type": "code"}
    page = requests.get(f"{twin.url}/login/common/oauth2/authorize", params=query, timeout=10)
    assert page.status_code == 400
    assert "AADSTS50011" in page.text
