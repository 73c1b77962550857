"""Tokens through MSAL: the application's own (A) and the application plus user one (U) by refresh token.

One MSAL application object per instance and settings fingerprint, kept in memory, tokens renewed five minutes early. A
refresh token is exchanged under the instance's lock and its successor stored at once. A refused exchange is not tried
again for ten minutes, unless the settings or the refresh token change. Source: ``partner-center.md`` 3.
"""

import base64
import datetime as dt
import hashlib
import json
import threading
import time
from collections.abc import Mapping
from typing import Any

import msal
from django.utils.translation import gettext as _

from core.http import AddressRefused, Answer, HttpClient, HttpError
from office365.client.settings import InstanceSettings, read_certificate
from office365.errors import PartnerCenterError, error_from_identity
from office365.schemas.common import IdentityError, read_error, read_text
from provisioning.ports import Context, ErrorKind

RENEW_EARLY = 300
BLOCK_SECONDS = 600
REFRESH_TOKEN = "refresh_token"  # noqa: S105 - the name of a secret, not the secret

_lock = threading.RLock()
_known: "dict[tuple[str, str], InstanceTokens]" = {}


class _Response:
    """What MSAL reads of an answer."""

    def __init__(self, answer: Answer) -> None:
        self.status_code = answer.status
        self.headers = answer.headers
        self.text = answer.body.decode("utf-8-sig", "replace")

    def raise_for_status(self) -> None:
        """MSAL asks for an exception where an answer is no good."""
        if self.status_code >= 400:
            raise HttpError(f"HTTP {self.status_code}")


class _MsalTransport:
    """Carries MSAL's requests through the one HTTP client, so that guard, CA and repeats apply to them as well."""

    def __init__(self, http: HttpClient) -> None:
        self._http = http

    def get(self, url: str, params: Any = None, headers: Any = None, **_options: Any) -> _Response:
        """A read, such as discovery."""
        return _Response(self._http.request("GET", url, params=params, headers=headers))

    def post(self, url: str, params: Any = None, data: Any = None, headers: Any = None, **_options: Any) -> _Response:
        """A token request; safe to repeat, and its body is never logged."""
        answer = self._http.request("POST", url, params=params, data=data, headers=headers, repeat_safe=True)
        return _Response(answer)

    def close(self) -> None:
        """Nothing to close: the client is shared."""


class InstanceTokens:
    """The tokens of one instance with one set of credentials."""

    def __init__(self, settings: InstanceSettings, http: HttpClient) -> None:
        self._settings = settings
        self._http = http
        self._app: Any = None
        self._user: dict[str, tuple[str, float]] = {}
        self._blocked: dict[str, tuple[float, PartnerCenterError]] = {}
        self._mutex = threading.RLock()

    def application_token(self) -> str:
        """An app-only token for the API, from memory if it still has five minutes."""
        with self._mutex:
            self._raise_if_blocked("app")
            answer = self._ask(
                "app",
                lambda app: app.acquire_token_for_client(scopes=[f"{self._settings.resource}/.default"]),
            )
            return str(answer["access_token"])

    def user_token(self, ctx: Context, scope: str) -> str:
        """A token of application and user for a scope; exchanges the refresh token if none is in memory."""
        with self._mutex:
            token, expires = self._user.get(scope, ("", 0.0))
            if token and time.time() < expires - RENEW_EARLY:
                return token
            ctx.secrets.swap(REFRESH_TOKEN, lambda old: self._exchange(scope, old))
            return self._user[scope][0]

    def forget(self) -> None:
        """Drop every token in memory: Microsoft refused one of them."""
        with self._mutex:
            self._user.clear()
            if self._app is not None:
                self._app.remove_tokens_for_client()

    def redeem_code(self, code: str, redirect_uri: str, scope: str) -> Mapping[str, Any]:
        """Exchange a consent's code in the partner's tenant; the answer holds the refresh token."""
        with self._mutex:
            return self._ask(
                "code",
                lambda app: app.acquire_token_by_authorization_code(code, scopes=[scope], redirect_uri=redirect_uri),
                user=True,
            )

    def _exchange(self, scope: str, old: str) -> str:
        if not old:
            raise PartnerCenterError(
                ErrorKind.MISCONFIGURED,
                _("Microsoft needs your consent. Give it in the instance's settings."),
                code="consent_lost",
                flag="consent_lost",
            )
        key = "user:" + hashlib.sha256(old.encode()).hexdigest()
        self._raise_if_blocked(key)
        answer = self._ask(key, lambda app: app.acquire_token_by_refresh_token(old, scopes=[scope]), user=True)
        lifetime = float(str(answer.get("expires_in") or 0))
        self._user[scope] = (str(answer["access_token"]), time.time() + lifetime)
        return read_text(answer.get("refresh_token")) or old

    def _raise_if_blocked(self, key: str) -> None:
        until, error = self._blocked.get(key, (0.0, None))
        if error is not None and time.time() < until:
            raise error

    def _ask(self, key: str, ask: Any, *, user: bool = False) -> Mapping[str, Any]:
        try:
            answer = ask(self._application())
        except PartnerCenterError:
            raise
        except AddressRefused as error:
            raise PartnerCenterError(
                ErrorKind.MISCONFIGURED,
                _("The sign-in address may not be called: %(reason)s") % {"reason": error},
                code="address_refused",
            ) from error
        except HttpError as error:
            raise PartnerCenterError(
                ErrorKind.WAITING,
                _("Microsoft's sign-in service cannot be reached. It is tried again by itself."),
                code="identity_unavailable",
                retry_after=dt.timedelta(minutes=1),
            ) from error
        if "access_token" in answer:
            return dict(answer)
        refused = read_error(int(answer.get("status") or 400), dict(answer))
        if not isinstance(refused, IdentityError):
            refused = IdentityError(400, "invalid_response", str(answer)[:200])
        refusal = error_from_identity(refused, user=user)
        if refusal.kind is ErrorKind.MISCONFIGURED:
            self._blocked[key] = (time.time() + BLOCK_SECONDS, refusal)
        raise refusal

    def _application(self) -> Any:
        if self._app is None:
            settings = self._settings
            try:
                self._app = msal.ConfidentialClientApplication(
                    settings.application_id,
                    authority=settings.authority,
                    client_credential=client_credential(settings),
                    # Only Microsoft's own hosts can be asked whether an authority is theirs.
                    instance_discovery=None if settings.is_microsoft_login else False,
                    validate_authority=settings.is_microsoft_login,
                    http_client=_MsalTransport(self._http),
                )
            except ValueError as error:
                raise PartnerCenterError(
                    ErrorKind.MISCONFIGURED,
                    _("Microsoft does not know this partner tenant. Check the tenant id and the sign-in address."),
                    code="tenant_unknown",
                    flag="credentials_refused",
                    field_errors={"partner_tenant": _("Microsoft does not know this tenant.")},
                ) from error
        return self._app


def client_credential(settings: InstanceSettings) -> object:
    """What MSAL takes as the application's proof: the key's text, or key and certificate (PS256 assertions)."""
    pair = read_certificate(settings.certificate)
    if pair is not None:
        return {"private_key": pair.private_key, "public_certificate": pair.certificate}
    if not settings.application_key:
        raise PartnerCenterError(
            ErrorKind.MISCONFIGURED,
            _("Give an application key or a certificate."),
            code="credentials_missing",
            flag="credentials_refused",
        )
    return settings.application_key


def tokens_for(instance_id: str, settings: InstanceSettings, http: HttpClient) -> InstanceTokens:
    """The tokens of an instance; changed settings get a new, unblocked set and the old one is forgotten."""
    with _lock:
        key = (instance_id, settings.fingerprint)
        if key not in _known:
            for other in [item for item in _known if item[0] == instance_id]:
                del _known[other]
            _known[key] = InstanceTokens(settings, http)
        return _known[key]


def forget_tokens(instance_id: str = "") -> None:
    """Drop all tokens and blocks of an instance (of all, if none is named): after a consent, and in tests."""
    with _lock:
        for key in [item for item in _known if not instance_id or item[0] == instance_id]:
            del _known[key]


def read_claims(token: str) -> dict[str, Any]:
    """The claims of a JWT that came to us directly from its issuer; the signature is not checked here."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError):
        return {}
    return claims if isinstance(claims, dict) else {}
