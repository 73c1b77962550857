"""Errors of the sign-in service in Microsoft's AADSTS shape (``partner-center.md`` 3.4)."""

from uuid import uuid4

from sandbox.clock import real_now
from sandbox.wire import Request, WireError

NO_STORE = {"Cache-Control": "no-store, no-cache", "Pragma": "no-cache", "Expires": "-1"}

# AADSTS number: OAuth error, HTTP status, text.
ERRORS: dict[int, tuple[str, int, str]] = {
    900144: ("invalid_request", 400, "The request body must contain the following parameter: '{0}'."),
    70003: ("unsupported_grant_type", 400, "The app requested an unsupported grant type '{0}'."),
    90002: ("invalid_request", 400, "Tenant '{0}' not found. Check to make sure you have the correct tenant ID."),
    700016: ("unauthorized_client", 400, "Application with identifier '{0}' was not found in the directory '{1}'."),
    7000215: (
        "invalid_client",
        401,
        "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value.",
    ),
    7000222: ("invalid_client", 401, "The provided client secret keys for app '{0}' are expired."),
    7000218: (
        "invalid_client",
        401,
        "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
    ),
    500011: ("invalid_resource", 400, "The resource principal named {0} was not found in the tenant named {1}."),
    70011: (
        "invalid_scope",
        400,
        "The provided request must include a 'scope' input parameter. The scope '{0}' is not valid.",
    ),
    65001: ("invalid_grant", 400, "The user or administrator has not consented to use the application with ID '{0}'."),
    65004: ("access_denied", 400, "User declined to consent to access the app."),
    50076: (
        "invalid_grant",
        400,
        "Due to a configuration change made by your administrator, or because you moved to a new location, "
        "you must use multi-factor authentication to access '{0}'.",
    ),
    50173: (
        "invalid_grant",
        400,
        "The provided grant has expired due to it being revoked, a fresh auth token is needed.",
    ),
    700082: ("invalid_grant", 400, "The refresh token has expired due to inactivity."),
    70008: ("invalid_grant", 400, "The provided authorization code or refresh token has expired due to inactivity."),
    54005: (
        "invalid_grant",
        400,
        "OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing "
        "refresh token.",
    ),
    70002: ("invalid_grant", 400, "Error validating credentials. The provided grant is not valid."),
    501481: (
        "invalid_grant",
        400,
        "The Code_Verifier does not match the code_challenge supplied in the authorization request.",
    ),
    50011: (
        "invalid_request",
        400,
        "The redirect URI '{0}' specified in the request does not match the redirect URIs configured for the "
        "application.",
    ),
    500112: (
        "invalid_client",
        400,
        "The reply address '{0}' does not match the reply address '{1}' provided when requesting Authorization code.",
    ),
    90033: ("temporarily_unavailable", 503, "A transient error has occurred. Please try again."),
}


def aadsts(request: Request, code: int, *values: str, also: tuple[int, ...] = (), text: str = "") -> WireError:
    """The error of a number, with its values filled in; a number without an entry is an ``invalid_client``."""
    error, status, pattern = ERRORS.get(code, ("invalid_client", 401, "{0}"))
    now = real_now()
    trace, stamp = str(uuid4()), now.strftime("%Y-%m-%d %H:%M:%SZ")
    correlation = request.headers.get("client-request-id") or str(uuid4())
    message = text or pattern.format(*values)
    body = {
        "error": error,
        "error_description": (
            f"AADSTS{code}: {message}\r\nTrace ID: {trace}\r\nCorrelation ID: {correlation}\r\nTimestamp: {stamp}"
        ),
        "error_codes": [code, *also],
        "timestamp": stamp,
        "trace_id": trace,
        "correlation_id": correlation,
        "error_uri": f"{request.base_url}/login/error?code={code}",
    }
    return WireError(status, body, {**NO_STORE, "x-ms-request-id": trace})
