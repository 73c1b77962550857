"""``POST /oauth/token``: client authentication by Basic, errors by RFC 6749 (``api.md`` 2.3)."""

import base64
import binascii
from typing import Any
from urllib.parse import unquote_plus

from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from api.errors import JSON, ApiError, error_response
from api.limits import TOKEN_CALLS, Allowance, count, too_many
from api.wire import dumps
from clients.services.tokens import Issued, TokenRefused, token_by_credentials, token_by_password
from resellers.models import Organization


@method_decorator(csrf_exempt, name="dispatch")
class Token(View):
    """The one endpoint that gives access tokens."""

    http_method_names = ["post"]

    def http_method_not_allowed(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """405 in the API's form."""
        return error_response(request, ApiError(405, headers={"Allow": "POST"}))

    def post(self, request: HttpRequest) -> HttpResponse:
        """A token, or why there is none."""
        try:
            key, secret = _basic(request)
            allowance = count({f"token:{key[:64]}:{request.META.get('REMOTE_ADDR', '')}": TOKEN_CALLS})[0]
            if allowance.left < 0:
                return error_response(request, too_many(allowance))
            issued = _issue(request, key, secret)
        except TokenRefused as refused:
            return _refusal(request, refused)
        body = {
            "access_token": issued.token,
            "token_type": "Bearer",
            "expires_in": issued.seconds,
            "scope": " ".join(issued.scopes),
        }
        return _answer(body, 200)


def _issue(request: HttpRequest, key: str, secret: str) -> Issued:
    form, organization = request.POST, getattr(request, "organization", None)
    if request.content_type != "application/x-www-form-urlencoded":
        raise TokenRefused("invalid_request", "Send the parameters form-encoded.")
    if any(len(values) > 1 for _name, values in form.lists()):
        raise TokenRefused("invalid_request", "A parameter stands there twice.")
    if "client_secret" in form or "client_id" in form:
        raise TokenRefused("invalid_request", "Send key and secret by Basic authentication, not in the body.")
    if not isinstance(organization, Organization):
        raise TokenRefused("invalid_client", "There is no API at this host.", 401)
    texts = {name: form.get(name, "") for name in ("grant_type", "scope", "username", "password")}
    if any("\x00" in text or len(text) > 1000 for text in texts.values()):
        raise TokenRefused("invalid_request", "A parameter is too long, or holds a null character.")
    match texts["grant_type"]:
        case "client_credentials":
            return token_by_credentials(organization.pk, key=key, secret=secret, scope=texts["scope"])
        case "password":
            user = {"user_name": texts["username"], "password": texts["password"]}
            return token_by_password(organization.pk, key=key, secret=secret, scope=texts["scope"], **user)
        case "":
            raise TokenRefused("invalid_request", "grant_type is missing.")
        case _:
            raise TokenRefused("unsupported_grant_type", "Use client_credentials.")


def _basic(request: HttpRequest) -> tuple[str, str]:
    """Key and secret of the Authorization header; both are form-encoded there (RFC 6749, 2.3.1)."""
    kind, _blank, given = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "basic":
        in_body = "client_secret" in request.POST or "client_id" in request.POST
        if in_body:
            raise TokenRefused("invalid_request", "Send key and secret by Basic authentication, not in the body.")
        raise TokenRefused("invalid_client", "Send key and secret by Basic authentication.", 401)
    try:
        key, colon, secret = base64.b64decode(given.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        colon = key = secret = ""
    if not colon or "\x00" in key:
        raise TokenRefused("invalid_client", "Send key and secret by Basic authentication.", 401)
    return unquote_plus(key)[:200], unquote_plus(secret)[:200]


def _refusal(request: HttpRequest, refused: TokenRefused) -> HttpResponse:
    if refused.status == 429:
        return error_response(request, too_many(Allowance(0, 600)))
    response = _answer({"error": refused.error, "error_description": refused.description}, refused.status)
    if refused.status == 401:
        response["WWW-Authenticate"] = 'Basic realm="api"'
    return response


def _answer(body: dict[str, Any], status: int) -> HttpResponse:
    response = HttpResponse(dumps(body), content_type=JSON, status=status)
    response["Cache-Control"] = "no-store"
    response["Pragma"] = "no-cache"
    response.is_api_answer = True  # type: ignore[attr-defined]
    return response
