"""Partner Center's own faults (``partner-center.md`` 16): errors with and without effect, lag, styles of answers."""

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from sandbox.clock import iso
from sandbox.partner_center.answers import classic, decode_token, encode_token, newer, pascal
from sandbox.partner_center.desk import Desk
from sandbox.wire import HTML, Request, Response, response_of

KINDS = frozenset(
    {
        "conflict_409", "error", "stale_etag", "link_form", "page_lost", "availability_rotated", "patch_202",
        "patch_ignored", "partial_checkout", "no_relationship", "no_delegation", "mfa_required", "under_review",
        "transition_failed", "pascal_case", "string_numbers", "missing_optional", "html_error",
    }
)  # fmt: skip
CONFLICTS = {
    800060: "The request is already being processed.",
    800064: "The order is already being processed.",
    800065: "The cart is already being processed.",
    800014: "A concurrent request is being processed.",
    900278: "Another operation is pending on this subscription.",
}
OPTIONAL = {
    "links", "attributes", "description", "publisherName", "isMicrosoftProduct", "entitlementId", "alternateId",
    "currencySymbol", "totalPrice", "refundOptions", "refundableQuantity", "actionTaken", "attentionNeeded",
    "commerceId", "allowDelegatedAccess", "renewalInstructions", "lastModifiedUser", "unitType", "publisher",
}  # fmt: skip
HTML_PAGE = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
Handle = Callable[[], Response]
Fault = Mapping[str, Any]


class PartnerCenterFaults:
    """Answers under the vendor's own faults; each may make the call, or not, and change its answer."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        desk.handlers["patch_later"] = self._patch_late
        self._late: dict[str, Handle] = {}

    def answer(self, kind: str, fault: Fault, request: Request, handle: Handle) -> Response | None:
        """The answer, or ``None`` for a kind that is not ours."""
        method = getattr(self, f"_{kind}", None) if kind in KINDS | {"lag", "unknown_enum"} else None
        answer: Response | None = method(fault, request, handle) if method else None
        return answer

    # --- Errors ---

    def _conflict_409(self, fault: Fault, request: Request, handle: Handle) -> Response:
        """409 with a code, with the effect (``after``) or without."""
        if fault.get("after"):
            handle()
        code = int(fault.get("code", 800060))
        return response_of(classic(409, code, CONFLICTS.get(code, "Conflict.")))

    def _error(self, fault: Fault, request: Request, handle: Handle) -> Response:
        """Any error: ``status``, ``code``, ``description``, with the effect (``after``) or without."""
        if fault.get("after"):
            handle()
        description = str(fault.get("description") or "The request cannot be processed.")
        return response_of(classic(int(fault.get("status", 400)), int(fault.get("code", 0)), description))

    def _stale_etag(self, fault: Fault, request: Request, handle: Handle) -> Response:
        """Somebody changed the object between reading and writing: its version rises, the write is refused."""
        key = request.params.get("subscription", "").lower()
        row = self.desk.subscriptions.get(key)
        if row is not None:
            changed = row | {"_version": row["_version"] + 1}
            changed |= {name: fault[name] for name in ("quantity", "friendlyName") if name in fault}
            self.desk.subscriptions.put(key, changed)
            self.desk.world.journal.effect = False
        return response_of(classic(400, 2055, "Etag is no longer valid."))

    def _no_relationship(self, fault: Fault, request: Request, handle: Handle) -> Response:
        return response_of(classic(403, 20002, "No relationship between caller and account."))

    def _no_delegation(self, fault: Fault, request: Request, handle: Handle) -> Response:
        return response_of(classic(403, 900308, "The partner has no delegated admin privileges for this customer."))

    def _mfa_required(self, fault: Fault, request: Request, handle: Handle) -> Response:
        message = "MFA is required for partner accounts; the token has no MFA claim."
        return response_of(newer(403, 10001, "MFARequired", message))

    def _under_review(self, fault: Fault, request: Request, handle: Handle) -> Response:
        """Vetting is not over: its status says so, everything else is refused."""
        if request.operation == "get_validation_status":
            answer = handle()
            return _restyled(answer, lambda body: body | {"status": "UnderReview"})
        return response_of(classic(403, 800073, "The customer account is under review."))

    def _html_error(self, fault: Fault, request: Request, handle: Handle) -> Response:
        """A proxy's page in the place of an answer, with the effect (``after``) or without."""
        if fault.get("after"):
            handle()
        return Response(int(fault.get("status", 502)), HTML_PAGE, {}, HTML)

    # --- Effects ---

    def _lag(self, fault: Fault, request: Request, handle: Handle) -> Response:
        """A write's objects show in reads only after ``seconds``; a read hides objects that are younger."""
        seconds = float(fault["seconds"])
        if request.method == "GET":
            self.desk.blind = seconds
        else:
            self.desk.lag = seconds
        try:
            return handle()
        finally:
            self.desk.lag = self.desk.blind = 0.0

    def _partial_checkout(self, fault: Fault, request: Request, handle: Handle) -> Response:
        """The line of number ``line`` goes to ``orderErrors``."""
        self.desk.refused_line = int(fault.get("line", 1))
        try:
            return handle()
        finally:
            self.desk.refused_line = None

    def _transition_failed(self, fault: Fault, request: Request, handle: Handle) -> Response:
        """An upgrade is taken, and its conversion fails at the end."""
        self.desk.fails_transition = True
        try:
            return handle()
        finally:
            self.desk.fails_transition = False

    def _availability_rotated(self, fault: Fault, request: Request, handle: Handle) -> Response:
        """The availability ids in this answer are out of date as soon as it is sent."""
        answer = handle()
        self.desk.rotate()
        return answer

    def _patch_ignored(self, fault: Fault, request: Request, handle: Handle) -> Response:
        """200 with the object as it was, without effect."""
        row = self.desk.subscription(request)
        self.desk.world.journal.effect = False
        return Response(200, {"id": row["id"], "quantity": row["quantity"], "status": row["status"]})

    def _patch_202(self, fault: Fault, request: Request, handle: Handle) -> Response:
        """202 with a Location; the effect comes after ``seconds`` of the twin's time (30 if none are given)."""
        row = self.desk.subscription(request)
        seconds = float(fault.get("seconds") or 30)
        key = f"{row['id']}:{request.headers.get('ms-requestid', '')}"
        self._late[key] = handle
        self.desk.at(iso(request.now + dt.timedelta(seconds=seconds)), "patch_later", key)
        self.desk.world.journal.effect = "change taken for later"
        return Response(202, None, {"Location": f"/v1/customers/{row['_customer']}/subscriptions/{row['id']}"})

    def _patch_late(self, key: str, _moment: dt.datetime) -> None:
        handle = self._late.pop(key, None)
        if handle is not None:
            handle()

    # --- Pages ---

    def _link_form(self, fault: Fault, request: Request, handle: Handle) -> Response:
        """The link to the next page in another form: slash, bare, v1, absolute, foreign_host."""
        answer = handle()
        following = _next_link(answer)
        if following:
            bare = following["uri"].lstrip("/").removeprefix("v1/")
            form = str(fault.get("form") or "slash")
            forms = {
                "slash": f"/{bare}",
                "bare": bare,
                "v1": f"/v1/{bare}",
                "absolute": f"{request.base_url}{request.prefix}/v1/{bare}",
                "foreign_host": f"https://elsewhere.example/v1/{bare}",
            }
            following["uri"] = forms.get(form, f"/{bare}")
        return answer

    def _page_lost(self, fault: Fault, request: Request, handle: Handle) -> Response:
        """The second page: 404, 204, or a link with the same token again (``form``: 404, 204, same_token)."""
        token = request.headers.get("ms-continuationtoken", "")
        answer = handle()
        if not token:
            return answer
        form = str(fault.get("form") or "404")
        if form == "204":
            return Response(204)
        if form == "same_token" and isinstance(answer.body, dict):
            uri = f"{request.path.removeprefix('/v1')}?seekOperation=Next"
            headers = [{"key": "MS-ContinuationToken", "value": encode_token(decode_token(token))}]
            links = answer.body.get("links") or {}
            answer.body = answer.body | {"links": links | {"next": {"uri": uri, "method": "GET", "headers": headers}}}
            return answer
        return response_of(classic(404, 1000, "The page was not found."))

    # --- Styles ---

    def _unknown_enum(self, fault: Fault, request: Request, handle: Handle) -> Response:
        """Words that nobody knows: status ``in_grace_period``, billing cycle ``quadrennial``."""
        words = {"status": "in_grace_period", "billingCycle": "quadrennial"}
        return _restyled(handle(), lambda body: _replace(body, words))

    def _pascal_case(self, fault: Fault, request: Request, handle: Handle) -> Response:
        return _restyled(handle(), pascal)

    def _string_numbers(self, fault: Fault, request: Request, handle: Handle) -> Response:
        return _restyled(handle(), _stringed)

    def _missing_optional(self, fault: Fault, request: Request, handle: Handle) -> Response:
        return _restyled(handle(), _reduced)


def _restyled(answer: Response, style: Callable[[Any], Any]) -> Response:
    """The answer with its body in another style; an error stays as it is."""
    if answer.status < 300 and isinstance(answer.body, dict | list):
        answer.body = style(answer.body)
    return answer


def _next_link(answer: Response) -> dict[str, Any] | None:
    links = answer.body.get("links") if isinstance(answer.body, dict) else None
    found: dict[str, Any] | None = links.get("next") if links else None
    return found


def _replace(value: Any, words: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {
            key: words[key] if key in words and isinstance(item, str) else _replace(item, words)
            for key, item in value.items()
        }
    return [_replace(item, words) for item in value] if isinstance(value, list) else value


def _stringed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _stringed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_stringed(item) for item in value]
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _reduced(value: Any, depth: int = 0) -> Any:
    if isinstance(value, dict):
        # The links of a collection are no option: without them there is no next page.
        gone = OPTIONAL - {"links"} if depth == 0 and "items" in value else OPTIONAL
        return {key: _reduced(item, depth + 1) for key, item in value.items() if key not in gone}
    return [_reduced(item, depth + 1) for item in value] if isinstance(value, list) else value
