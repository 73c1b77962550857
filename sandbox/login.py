"""Microsoft's identity platform: applications, grants and tokens (``partner-center.md`` 3).

Refresh tokens and codes are stored as hashes only; access tokens are JWTs of one hour, signed with this service's key.
Everything here is on real time. The demo's application and the partner's tenant are fixed.
"""

import base64
import hashlib
import hmac
import os
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid4, uuid5

import jwt

from sandbox.faults import OF_LOGIN
from sandbox.login_errors import aadsts
from sandbox.login_keys import AssertionRefused, SigningKey, b64url, check_assertion, digest, kept_secret, thumbprints
from sandbox.router import Route, Routes, Vendor
from sandbox.state import State
from sandbox.wire import Request, Response, WireError

PARTNER_TENANT = "6f1d2b8e-53a4-4c07-9f0e-2d7a61c9b114"
CLIENT_ID = "b2c5a7f4-0d3e-4b61-8a9c-71e4f0d62c38"
PARTNER_DOMAIN = "aster-distribution.onmicrosoft.example"
DEMO_USER = f"admin@{PARTNER_DOMAIN}"
ACCESS_SECONDS = 3600
CODE_SECONDS = 600
GRACE_SECONDS = 60
IDLE_SECONDS = 90 * 24 * 3600
API = "https://api.partnercenter.microsoft.com"
CHINA_API = "https://partner.partnercenterapi.microsoftonline.cn"
SALES = "https://api.partner.microsoft.com"
GRAPH = "https://graph.microsoft.com"
RETIRED = "https://graph.windows.net"
ESD = "https://esd.channelinclusion.microsoft.com"
ESD_SANDBOX = "https://sandbox.esd.channelinclusion.microsoft.com"
RESOURCES = frozenset({API, CHINA_API, SALES, GRAPH, RETIRED, ESD, ESD_SANDBOX})
ANY_TENANT = frozenset({"common", "organizations"})
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_KEEP_TOKENS = 5000
_OPEN_ID = frozenset({"openid", "profile", "email", "offline_access"})


class Login(Vendor):
    """The sign-in service; a vendor like the others, so that faults and the journal cover it too."""

    name = "login"
    prefix = "/login"
    fault_kinds = frozenset({"aadsts", "consent_revoked", "token_revoked", "token_expired", "secret_expired"})

    def __init__(self, state: State, home: Path) -> None:
        folder = home / "login"
        folder.mkdir(parents=True, exist_ok=True)
        self.client_id = CLIENT_ID
        self.key = SigningKey(folder / "signing.pem")
        self._secret = os.environ.get("SANDBOX_CLIENT_SECRET") or kept_secret(folder / "client_secret")
        self._applications = state.table("login", "applications")
        self._refresh = state.table("login", "refresh_tokens")
        self._codes = state.table("login", "codes")
        self._assertions = state.table("login", "assertions")
        self.other_tenants: Callable[[str], bool] = lambda tenant: False
        self.routes = Routes()

    # What the control surface asks for

    def seed(self) -> None:
        """The demo partner's application."""
        if CLIENT_ID not in self._applications:
            self._applications.put(CLIENT_ID, {"client_id": CLIENT_ID, "name": "Cloud BSS (demo)", "certificates": []})

    def demo_credentials(self) -> dict[str, Any]:
        """Tenant, application, secret and a fresh refresh token of the demo partner, who has consented."""
        return {
            "tenant_id": PARTNER_TENANT,
            "client_id": CLIENT_ID,
            "client_secret": self._secret,
            "refresh_token": self._new_refresh_token(CLIENT_ID, PARTNER_TENANT, DEMO_USER, ["pwd", "mfa"]),
            "tenant_domain": PARTNER_DOMAIN,
            "user": DEMO_USER,
        }

    def add_application(
        self, client_id: str, name: str, *, tenants: Collection[str], resources: Collection[str]
    ) -> None:
        """Let another vendor's application in: it has no secret, proves itself with assertions of ten
        minutes at most, gets tokens of some tenants for some resources, and stays over a reset with its certificates.
        """
        known = self._applications.get(client_id) or {"certificates": []}
        limits = {"tenants": sorted(tenants), "resources": sorted(resources), "longest": 600, "kept": True}
        fresh = known | {"client_id": client_id, "name": name, **limits}
        if fresh != known:
            self._applications.put(client_id, fresh)

    def certificates(self, client_id: str) -> list[str]:
        """The certificates (PEM) of an application, oldest first."""
        return list((self._applications.get(client_id) or {}).get("certificates", []))

    def forget_certificates(self, client_id: str) -> None:
        """An application proves itself with none of its certificates any more."""
        known = self._applications.get(client_id)
        if known is not None:
            self._applications.put(client_id, known | {"certificates": []})

    def add_certificate(self, pem: str, client_id: str) -> dict[str, Any]:
        """Let an application sign assertions with a certificate. Raises ``ValueError``."""
        prints = thumbprints(pem)
        application = self._applications.get(client_id)
        if application is None:
            raise ValueError("unknown application")
        if pem not in application["certificates"]:
            application["certificates"] = [*application["certificates"], pem][-20:]
            self._applications.put(client_id, application)
        return {"client_id": client_id, **prints}

    def forget_assertions(self) -> None:
        """Drop certificates, codes and the memory of assertions; consents and other vendors' applications stay."""
        self._assertions.clear()
        self._codes.clear()
        for row in self._applications.values():
            if not row.get("kept"):
                self._applications.delete(row["client_id"])
        self.seed()

    def operation(self, request: Request, route: Route) -> str:
        """Token calls are told apart by their grant: ``token:app`` and ``token:user``."""
        if route.operation != "token:app":
            return route.operation
        return "token:app" if request.form().get("grant_type") == "client_credentials" else "token:user"

    def operations(self) -> list[str]:
        """The names of all calls, those that are told apart included."""
        return [*self.routes.operations(), "token:user"]

    def client_reference(self, request: Request) -> str:
        """The caller's id for logs."""
        return request.headers.get("client-request-id", "")

    def answer_failure(self, request: Request) -> Response:
        """Its way to say that something went wrong for a moment."""
        error = aadsts(request, 90033)
        return Response(500, error.body, error.headers)

    def fault(
        self, kind: str, fault: Mapping[str, Any], request: Request, handle: Callable[[], Response]
    ) -> Response | None:
        """``aadsts`` with a ``code``, and the named ones."""
        code = int(fault.get("code") or 90033) if kind == "aadsts" else OF_LOGIN.get(kind, 0)
        if not code:
            return None
        raise aadsts(request, code, self.client_id, PARTNER_TENANT)

    # What the vendors ask for

    def verify(self, token: str, *, audience: str | Collection[str]) -> dict[str, Any]:
        """The claims of an access token for one of the audiences. Raises ``WireError`` 401 with the reason."""
        wanted = {audience} if isinstance(audience, str) else set(audience)
        try:
            claims = self.key.read(token)
        except jwt.ExpiredSignatureError as error:
            raise _unauthorized("The access token expired.") from error
        except jwt.InvalidTokenError as error:
            raise _unauthorized("The access token is missing or not valid.") from error
        if str(claims.get("aud", "")).rstrip("/") not in wanted:
            raise _unauthorized(f"The access token's audience {claims.get('aud')} is not ours.")
        return claims

    @staticmethod
    def is_user(claims: Mapping[str, Any]) -> bool:
        """Whether a token speaks for application and user together."""
        return bool(claims.get("scp"))

    # Tenants and applications

    def tenant(self, request: Request) -> str:
        """The tenant of the path as an id, ``common`` and ``organizations`` as they are. Raises AADSTS90002."""
        given = request.params["tenant"].lower()
        if given in ANY_TENANT or given == PARTNER_TENANT:
            return given
        if given == PARTNER_DOMAIN:
            return PARTNER_TENANT
        if self.other_tenants(given):
            return given
        raise aadsts(request, 90002, request.params["tenant"])

    def application(self, request: Request, client_id: str) -> dict[str, Any]:
        """An application by id. Raises AADSTS700016."""
        found = self._applications.get(client_id.lower())
        if found is None:
            raise aadsts(request, 700016, client_id, request.params.get("tenant", ""))
        return found

    def authenticate(self, request: Request, form: Mapping[str, str], tenant: str) -> dict[str, Any]:
        """The application that the form proves to be, by secret or by assertion. Raises AADSTS errors."""
        if not form.get("client_id"):
            raise aadsts(request, 900144, "client_id")
        application = self.application(request, form["client_id"])
        if tenant not in application.get("tenants", [tenant]):
            raise aadsts(request, 700016, form["client_id"], tenant)
        if form.get("client_assertion"):
            if form.get("client_assertion_type") != _ASSERTION_TYPE:
                raise aadsts(request, 900144, "client_assertion_type")
            self._check_assertion(request, form["client_assertion"], application, tenant)
        elif not form.get("client_secret"):
            raise aadsts(request, 7000218)
        elif application.get("kept") or not hmac.compare_digest(form["client_secret"].encode(), self._secret.encode()):
            raise aadsts(request, 7000215)
        return application

    def _check_assertion(self, request: Request, text: str, application: Mapping[str, Any], tenant: str) -> None:
        base = f"{request.base_url}/login/"
        tenants = {tenant, request.params["tenant"]}
        audiences = {base + name + end for name in tenants for end in ("/oauth2/token", "/oauth2/v2.0/token", "/v2.0")}
        client_id = str(application["client_id"])
        if application.get("kept"):
            audiences = {f"{request.base_url}{request.full_path}"}
        try:
            claims = check_assertion(
                text,
                client_id=client_id,
                audiences=audiences,
                certificates=application["certificates"],
                longest=application.get("longest"),
            )
        except AssertionRefused as error:
            raise aadsts(request, error.code, text=str(error), also=(700027,)) from error
        used = digest(f"{client_id} {claims['jti']}")
        if used in self._assertions:
            raise aadsts(request, 700027, text="The client assertion's identifier 'jti' was already used.")
        self._assertions.put(used, {"exp": claims["exp"]})
        self._assertions.trim(_KEEP_TOKENS)

    # Codes and refresh tokens

    def new_code(self, grant: Mapping[str, Any]) -> str:
        """A code for an answered consent; works once and for ten minutes."""
        code = f"0.A{b64url(os.urandom(64))}"
        self._codes.put(digest(code), {**grant, "expires": time.time() + CODE_SECONDS, "used": False})
        self._codes.trim(200)
        return code

    def redeem_code(self, request: Request, form: Mapping[str, str], client_id: str) -> dict[str, Any]:
        """The consent behind a code. Raises AADSTS errors."""
        if not form.get("code"):
            raise aadsts(request, 900144, "code")
        key = digest(form["code"])
        grant = self._codes.get(key)
        if grant is None or grant["client_id"] != client_id:
            raise aadsts(request, 70002, also=(50126,))
        if grant["used"]:
            raise aadsts(request, 54005, also=(70002,))
        if time.time() > float(grant["expires"]):
            raise aadsts(request, 70008)
        if form.get("redirect_uri") != grant["redirect_uri"]:
            raise aadsts(request, 500112, form.get("redirect_uri", ""), str(grant["redirect_uri"]))
        if grant.get("challenge") and not _is_verified(str(grant["challenge"]), form.get("code_verifier", "")):
            raise aadsts(request, 501481)
        grant["used"] = True
        return self._codes.put(key, grant)

    def redeem_refresh_token(self, request: Request, text: str, client_id: str) -> dict[str, Any]:
        """The consent behind a refresh token, which from now on works 60 s more. Raises AADSTS errors."""
        if not text:
            raise aadsts(request, 900144, "refresh_token")
        key, now = digest(text), time.time()
        grant = self._refresh.get(key)
        if grant is None or grant["client_id"] != client_id:
            raise aadsts(request, 70002, also=(50126,))
        if grant["until"] and now > float(grant["until"]):
            raise aadsts(request, 50173)
        if now - float(grant["issued"]) > IDLE_SECONDS:
            raise aadsts(request, 700082)
        if not grant["until"]:
            grant["until"] = now + GRACE_SECONDS
            self._refresh.put(key, grant)
        return grant

    def _new_refresh_token(self, client_id: str, tenant: str, user: str, amr: list[str]) -> str:
        text = f"1.A{b64url(os.urandom(96))}"
        grant = {"client_id": client_id, "tenant": tenant, "user": user, "amr": amr}
        self._refresh.put(digest(text), {**grant, "issued": time.time(), "until": 0.0})
        if len(self._refresh) > _KEEP_TOKENS:
            self._forget_refresh_tokens()
        return text

    def _forget_refresh_tokens(self) -> None:
        """Make room: those that have ended go first."""
        now = time.time()
        for key in self._refresh:
            if 0 < float((self._refresh.get(key) or {}).get("until") or 0) < now:
                self._refresh.delete(key)
        self._refresh.trim(_KEEP_TOKENS - _KEEP_TOKENS // 10)

    # Tokens

    def app_answer(self, request: Request, client_id: str, tenant: str, resource: str, *, v1: bool) -> dict[str, Any]:
        """The answer to ``client_credentials``: an app-only token."""
        claims = self._claims(client_id, tenant, resource) | {
            "oid": str(uuid5(NAMESPACE_URL, f"{client_id}/{tenant}")),
            "sub": str(uuid5(NAMESPACE_URL, f"{client_id}/{tenant}")),
            "idtyp": "app",
            "roles": [],
        }
        return _token_answer(self.key.sign(claims), resource, "", v1=v1)

    def user_answer(
        self, request: Request, grant: Mapping[str, Any], resource: str, scope: str, *, v1: bool
    ) -> dict[str, Any]:
        """The answer to a grant with a user: access token, a new refresh token, an id token, client info."""
        client_id, tenant, user = str(grant["client_id"]), str(grant["tenant"]), str(grant["user"])
        oid = str(uuid5(NAMESPACE_URL, user))
        claims = self._claims(client_id, tenant, resource) | {
            "oid": oid,
            "sub": b64url(hashlib.sha256(f"{client_id}{oid}".encode()).digest()),
            "scp": "user_impersonation",
            "amr": list(grant["amr"]),
            "upn": user,
            "unique_name": user,
            "name": "Demo Administrator",
        }
        answer = _token_answer(self.key.sign(claims), resource, scope, v1=v1)
        answer["refresh_token"] = self._new_refresh_token(client_id, tenant, user, list(grant["amr"]))
        answer["foci"] = "0"
        answer["id_token"] = self.id_token(request, grant)
        answer["client_info"] = b64url(f'{{"uid":"{oid}","utid":"{tenant}"}}'.encode())
        return answer

    def id_token(self, request: Request, grant: Mapping[str, Any], code: str = "") -> str:
        """Who signed in, for the application."""
        now, tenant, user = int(time.time()), str(grant["tenant"]), str(grant["user"])
        claims = {
            "aud": grant["client_id"],
            "iss": f"{request.base_url}/login/{tenant}/v2.0",
            "iat": now,
            "nbf": now,
            "exp": now + ACCESS_SECONDS,
            "tid": tenant,
            "oid": str(uuid5(NAMESPACE_URL, user)),
            "sub": b64url(hashlib.sha256(f"{grant['client_id']}{user}".encode()).digest()),
            "amr": list(grant["amr"]),
            "name": "Demo Administrator",
            "preferred_username": user,
            "upn": user,
            "ver": "2.0",
        }
        if grant.get("nonce"):
            claims["nonce"] = grant["nonce"]
        if code:
            claims["c_hash"] = b64url(hashlib.sha256(code.encode()).digest()[:16])
        return self.key.sign(claims)

    def _claims(self, client_id: str, tenant: str, resource: str) -> dict[str, Any]:
        now = int(time.time())
        return {
            "aud": resource,
            "iss": f"https://sts.windows.net/{tenant}/",
            "iat": now,
            "nbf": now,
            "exp": now + ACCESS_SECONDS,
            "appid": client_id,
            "appidacr": "1",
            "tid": tenant,
            "uti": uuid4().hex[:22],
            "ver": "1.0",
        }


def resource_of(request: Request, form: Mapping[str, str], *, v1: bool, fallback: str) -> str:
    """The resource that a token is asked for, by ``resource`` (v1) or ``scope`` (v2). Raises AADSTS errors."""
    if v1:
        found = form.get("resource", "").strip() or fallback
    else:
        scopes = [scope for scope in form.get("scope", "").split() if scope not in _OPEN_ID]
        if not scopes and not fallback:
            raise aadsts(request, 70011, form.get("scope", ""))
        found = scopes[0].rpartition("/")[0] if scopes else fallback
    if found.rstrip("/") not in RESOURCES:
        raise aadsts(request, 500011, found, request.params.get("tenant", ""))
    return found.rstrip("/")


def _token_answer(token: str, resource: str, scope: str, *, v1: bool) -> dict[str, Any]:
    now = int(time.time())
    if not v1:
        answer: dict[str, Any] = {
            "token_type": "Bearer",
            "expires_in": ACCESS_SECONDS,
            "ext_expires_in": ACCESS_SECONDS,
        }
        if scope:
            answer["scope"] = scope
        return answer | {"access_token": token}
    # The older endpoint writes its numbers as strings.
    answer = {
        "token_type": "Bearer",
        "expires_in": str(ACCESS_SECONDS),
        "ext_expires_in": str(ACCESS_SECONDS),
        "expires_on": str(now + ACCESS_SECONDS),
        "not_before": str(now - 300),
        "resource": resource,
    }
    if scope:
        answer["scope"] = scope
    return answer | {"access_token": token}


def _is_verified(challenge: str, verifier: str) -> bool:
    hashed = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    return hmac.compare_digest(challenge, hashed)


def _unauthorized(message: str) -> WireError:
    return WireError(
        401,
        {"code": 800001, "description": message, "data": [], "source": "PartnerFD"},
        {"WWW-Authenticate": 'OAuth realm="api.partnercenter.microsoft.com"'},
    )
