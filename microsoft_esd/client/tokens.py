"""Tokens of the directory, asked for with an assertion that the instance's certificate signs (``esd.md`` 10).

Kept in memory per instance and certificate until five minutes before they end, by real time: no clock of the business
moves them. A certificate that is missing or over asks for nothing.
"""

import base64
import datetime as dt
import threading
from uuid import uuid4

import jwt
from django.utils import formats
from django.utils.translation import gettext as _

from core import clock
from core.http import AddressRefused, HttpClient, HttpError
from microsoft_esd.calls import CALLS, parse_answer
from microsoft_esd.client.settings import InstanceSettings
from microsoft_esd.errors import EsdError, credentials_refused, error_from_identity, identity_unavailable
from microsoft_esd.schemas.answers import AccessToken, IdentityError
from provisioning.ports import ClientCertificate, Context, ErrorKind, VendorError

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_SECONDS = 600
RENEW_EARLY = dt.timedelta(minutes=5)

_lock = threading.RLock()
_known: dict[tuple[str, ...], tuple[str, dt.datetime]] = {}


def x5t(thumbprint: str) -> str:
    """base64url without padding of a certificate's SHA-1, given in hex."""
    return base64.urlsafe_b64encode(bytes.fromhex(thumbprint)).decode().rstrip("=")


def assertion(certificate: ClientCertificate, *, client_id: str, audience: str) -> str:
    """The JWT with which we prove to be the client; valid for ten minutes of real time."""
    start = int(clock.real_now().timestamp())
    claims = {
        "aud": audience,
        "iss": client_id,
        "sub": client_id,
        "jti": str(uuid4()),
        "nbf": start,
        "exp": start + ASSERTION_SECONDS,
    }
    headers = {"typ": "JWT", "x5t": x5t(certificate.thumbprint)}
    return jwt.encode(claims, certificate.key_pem, algorithm="RS256", headers=headers)


def valid_certificate(ctx: Context) -> ClientCertificate:
    """The instance's certificate; raises ``EsdError(MISCONFIGURED)`` if there is none or it is over."""
    certificate = ctx.certificate()
    if certificate is None:
        message = _("This instance has no certificate. Choose one in its settings.")
        raise EsdError(
            ErrorKind.MISCONFIGURED,
            message,
            code="certificate_missing",
            field_errors={"thumbprint": message},
        )
    if certificate.expires_at <= ctx.now():
        message = _("The certificate expired on %(date)s. Choose another one of the same currency.") % {
            "date": formats.date_format(certificate.expires_at.date())
        }
        raise EsdError(
            ErrorKind.MISCONFIGURED, message, code="certificate_expired", field_errors={"thumbprint": message}
        )
    return certificate


class Tokens:
    """The token of one instance with its present certificate."""

    def __init__(self, ctx: Context, settings: InstanceSettings, http: HttpClient) -> None:
        self._ctx = ctx
        self._settings = settings
        self._http = http

    def get(self) -> str:
        """A token that has five minutes left, from memory or asked for; raises ``EsdError`` if there is none."""
        certificate = valid_certificate(self._ctx)
        key = self._key(certificate)
        with _lock:
            token, ends = _known.get(key, ("", clock.real_now()))
        if token and clock.real_now() < ends - RENEW_EARLY:
            return token
        answer = self._ask(certificate)
        lifetime = dt.timedelta(seconds=min(max(float(answer.expires_in), 0.0), 86_400.0))
        with _lock:
            for other in [item for item in _known if item[0] == key[0]]:
                del _known[other]
            _known[key] = (answer.access_token, clock.real_now() + lifetime)
        return answer.access_token

    def _key(self, certificate: ClientCertificate) -> tuple[str, ...]:
        values = self._settings
        asked = (values.token_url, values.resource, values.client_id)
        return (self._ctx.instance_id, certificate.thumbprint, *asked)

    def _ask(self, certificate: ClientCertificate) -> AccessToken:
        values = self._settings
        form = {
            "grant_type": "client_credentials",
            "resource": values.resource,
            "client_id": values.client_id,
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": assertion(certificate, client_id=values.client_id, audience=values.token_url),
        }
        headers = {"Accept": "application/json", "client-request-id": str(uuid4())}
        try:
            answer = self._http.request(
                "POST",
                values.token_url,
                data=form,
                headers=headers,
                # An assertion is good for one request: the next one brings its own.
                repeat_safe=False,
                correlation_id=str(self._ctx.operation_id),
            )
            found = parse_answer(CALLS["get_token_v1"], answer.status, answer.body)
        except AddressRefused as error:
            raise EsdError(
                ErrorKind.MISCONFIGURED,
                _("The sign-in address may not be called: %(reason)s") % {"reason": error},
                code="address_refused",
                field_errors={"authority": str(error)},
            ) from error
        except (HttpError, VendorError) as error:
            # Without a token nothing was sent, so that an unreadable answer is no more than a delay.
            raise identity_unavailable() from error
        if isinstance(found, IdentityError):
            raise error_from_identity(found)
        if not isinstance(found, AccessToken):
            raise credentials_refused()
        return found


def forget_tokens(instance_id: str = "") -> None:
    """Drop the tokens of an instance (of all, if none is named)."""
    with _lock:
        for key in [item for item in _known if not instance_id or item[0] == instance_id]:
            del _known[key]
