"""The calls of the sign-in service: tokens, discovery, keys and a plain consent page."""

import html
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from sandbox.clock import iso, real_now
from sandbox.login import ANY_TENANT, DEMO_USER, PARTNER_TENANT, RETIRED, Login, resource_of
from sandbox.login_errors import NO_STORE, aadsts
from sandbox.wire import HTML, Request, Response, WireError

_CSP = {"Content-Security-Policy": "default-src 'none'; script-src 'self'; frame-ancestors 'none'"}
_HEAD = '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>'
_HEAD += "<body>\n<h1>{title}</h1>\n"
_FOOT = (
    "<p>This page belongs to a vendor twin. It is not Microsoft's, and asks for no real account.</p></body></html>\n"
)
_SUBMIT_SCRIPT = "document.forms[0].submit();\n"
_KEPT = (
    "client_id",
    "redirect_uri",
    "response_type",
    "response_mode",
    "scope",
    "resource",
    "state",
    "nonce",
    "code_challenge",
)


def add_routes(login: Login) -> None:
    """Give the sign-in service its calls."""
    pages = Pages(login)
    add = login.routes.add
    for version, token, page in (("v1", "/oauth2", pages.authorize_v1), ("v2", "/oauth2/v2.0", pages.authorize_v2)):
        handler = pages.token_v1 if version == "v1" else pages.token_v2
        add("POST", f"/{{tenant}}{token}/token", "token:app", handler, write=True, token="none")
        add("GET", f"/{{tenant}}{token}/authorize", "authorize", page, token="none")
        add("POST", f"/{{tenant}}{token}/authorize", "authorize", page, write=True, token="none")
    for folder in ("", "/v2.0"):
        path = f"/{{tenant}}{folder}/.well-known/openid-configuration"
        add("GET", path, "discovery", pages.discovery, token="none")
    for path in ("/{tenant}/discovery/keys", "/{tenant}/discovery/v2.0/keys", "/common/discovery/keys"):
        add("GET", path, "keys", pages.keys, token="none")
    add("GET", "/submit.js", "script", pages.script, token="none")
    add("GET", "/error", "error", pages.error, token="none")


class Pages:
    """The handlers of the sign-in service's calls."""

    def __init__(self, login: Login) -> None:
        self.login = login

    def token_v1(self, request: Request) -> Response:
        """``POST /{tenant}/oauth2/token``: numbers as strings, ``resource``."""
        return self._token(request, v1=True)

    def token_v2(self, request: Request) -> Response:
        """``POST /{tenant}/oauth2/v2.0/token``: numbers as numbers, ``scope``."""
        return self._token(request, v1=False)

    def _token(self, request: Request, *, v1: bool) -> Response:
        login, form = self.login, request.form()
        tenant = login.tenant(request)
        kind = form.get("grant_type", "")
        if not kind:
            raise aadsts(request, 900144, "grant_type")
        if kind not in ("client_credentials", "authorization_code", "refresh_token"):
            raise aadsts(request, 70003, kind)
        application = login.authenticate(request, form, tenant)
        client_id = str(application["client_id"])
        if kind == "client_credentials":
            if tenant in ANY_TENANT:
                raise aadsts(request, 90002, tenant)
            resource = resource_of(request, form, v1=v1, fallback=RETIRED if v1 else "")
            if resource not in application.get("resources", [resource]):
                raise aadsts(request, 500011, resource, tenant)
            return Response(200, login.app_answer(request, client_id, tenant, resource, v1=v1), dict(NO_STORE))
        if kind == "authorization_code":
            grant = login.redeem_code(request, form, client_id)
        else:
            grant = login.redeem_refresh_token(request, form.get("refresh_token", ""), client_id)
        fallback = str(grant.get("resource") or RETIRED)
        resource = resource_of(request, form, v1=v1, fallback=fallback)
        if tenant not in ANY_TENANT:
            grant = {**grant, "tenant": tenant}
        scope = "user_impersonation" if v1 else f"{resource}/user_impersonation"
        return Response(200, login.user_answer(request, grant, resource, scope, v1=v1), dict(NO_STORE))

    def discovery(self, request: Request) -> Response:
        """The OpenID configuration, with addresses on the host that was asked."""
        tenant = self.login.tenant(request)
        base = f"{request.base_url}/login/{tenant}"
        issuer = f"{request.base_url}/login/{'{tenantid}' if tenant in ANY_TENANT else tenant}/v2.0"
        return Response(
            200,
            {
                "token_endpoint": f"{base}/oauth2/v2.0/token",
                "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
                "jwks_uri": f"{base}/discovery/v2.0/keys",
                "response_modes_supported": ["query", "fragment", "form_post"],
                "subject_types_supported": ["pairwise"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "response_types_supported": ["code", "id_token", "code id_token"],
                "scopes_supported": ["openid", "profile", "email", "offline_access"],
                "issuer": issuer,
                "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                "end_session_endpoint": f"{base}/oauth2/v2.0/logout",
                "tenant_region_scope": "EU",
                "cloud_instance_name": request.base_url.partition("://")[2],
            },
        )

    def keys(self, request: Request) -> Response:
        """The public signing key."""
        return Response(200, self.login.key.jwks())

    def script(self, request: Request) -> Response:
        """Sends the form of a form_post page on its way."""
        return Response(200, _SUBMIT_SCRIPT, content_type="text/javascript; charset=utf-8")

    def error(self, request: Request) -> Response:
        """What ``error_uri`` leads to."""
        code = html.escape(request.query.get("code", ""))
        return _page(200, "Sign-in error", f"<p>AADSTS{code}</p>\n")

    def authorize_v1(self, request: Request) -> Response:
        """The consent page of the older endpoint."""
        return self._authorize(request, v1=True)

    def authorize_v2(self, request: Request) -> Response:
        """The consent page."""
        return self._authorize(request, v1=False)

    def _authorize(self, request: Request, *, v1: bool) -> Response:
        given = request.query if request.method != "POST" else request.form()
        try:
            tenant = self.login.tenant(request)
            application = self.login.application(request, given.get("client_id", ""))
            if not _may_return_to(given.get("redirect_uri", "")):
                raise aadsts(request, 50011, given.get("redirect_uri", ""))
            resource = resource_of(request, given, v1=v1, fallback=RETIRED)
        except WireError as error:
            return _page(400, "Sign in", f"<p>{html.escape(str(error.body['error_description']))}</p>\n")
        if request.method != "POST":
            return self._ask(request, given, str(application["name"]))
        if given.get("answer") != "accept":
            refusal = aadsts(request, 65004).body
            values = {"error": refusal["error"], "error_description": refusal["error_description"]}
            return _send_back(request, given, values)
        grant = {
            "client_id": application["client_id"],
            "tenant": PARTNER_TENANT if tenant in ANY_TENANT else tenant,
            "user": given.get("user") or DEMO_USER,
            "amr": ["pwd", "mfa"] if given.get("mfa") else ["pwd"],
            "redirect_uri": given["redirect_uri"],
            "nonce": given.get("nonce", ""),
            "challenge": given.get("code_challenge", ""),
            "resource": resource,
            "consented": iso(real_now()),
        }
        code = self.login.new_code(grant)
        values = {"code": code, "session_state": "00000000-0000-0000-0000-000000000000"}
        if "id_token" in given.get("response_type", ""):
            values["id_token"] = self.login.id_token(request, grant, code)
        return _send_back(request, given, values)

    def _ask(self, request: Request, given: Mapping[str, str], name: str) -> Response:
        user = html.escape(given.get("login_hint") or DEMO_USER)
        body = (
            f"<p><strong>{html.escape(name)}</strong> asks for permission to act for you at Partner Center.</p>\n"
            f'<form method="post" action="{html.escape(request.full_path)}">\n{_hidden(given, _KEPT)}'
            f'<p><label>Sign in as <input name="user" value="{user}"></label></p>\n'
            '<p><label><input type="checkbox" name="mfa" value="1" checked> with a second factor</label></p>\n'
            '<p><button type="submit" name="answer" value="accept">Accept</button>\n'
            '<button type="submit" name="answer" value="decline">Decline</button></p>\n</form>\n'
        )
        return _page(200, "Permissions requested", body)


def _send_back(request: Request, given: Mapping[str, str], values: Mapping[str, str]) -> Response:
    """The answer to the application by query, fragment or form post."""
    answer = dict(values)
    if given.get("state"):
        answer["state"] = given["state"]
    target = given["redirect_uri"]
    default = "fragment" if "id_token" in given.get("response_type", "") else "query"
    mode = given.get("response_mode") or default
    if mode == "form_post":
        body = (
            f'<form method="post" action="{html.escape(target)}">\n{_hidden(answer, tuple(answer))}'
            '<p><button type="submit">Continue</button></p>\n</form>\n'
            f'<script src="{html.escape(request.prefix)}/submit.js"></script>\n'
        )
        return _page(200, "Working ...", body)
    mark = "#" if mode == "fragment" else "&" if "?" in target else "?"
    return Response(302, None, {"Location": f"{target}{mark}{urlencode(answer)}", **NO_STORE})


def _may_return_to(uri: str) -> bool:
    """Any https address, and http on loopback: nobody registers addresses at a twin."""
    parts = urlsplit(uri)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1"))


def _hidden(values: Mapping[str, Any], names: tuple[str, ...]) -> str:
    return "".join(
        f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(str(values[name]))}">\n'
        for name in names
        if values.get(name)
    )


def _page(status: int, title: str, body: str) -> Response:
    headers = {**NO_STORE, **_CSP}
    return Response(status, _HEAD.format(title=title) + body + _FOOT, headers, HTML)
