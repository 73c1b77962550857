"""The CIS twin's own faults: lag, late answers, wrong numbers of tokens, catalogues that move while they are read."""

from collections.abc import Callable, Mapping
from typing import Any

from sandbox.cis.answers import problem
from sandbox.cis.desk import Desk
from sandbox.wire import Request, Response, response_of

KINDS = frozenset(
    {
        "error", "pending", "return_rejected", "version_moves", "foreign_product", "tokens", "camel_case",
        "missing_optional",
    }
)  # fmt: skip
WORDS = {
    "State": "Escalated",
    "TokenStatus": "Quarantined",
    "ReturnStatus": "UnderReview",
    "FulfillmentType": "Media",
    "ReturnType": "Negotiable",
    "Status": "Reviewed",
}
OPTIONAL = {"Description", "OfferUri", "ReturnWindowDays", "Links", "RedeemedUtc", "ReturnableUntilUtc", "Message"}
Handle = Callable[[], Response]
Fault = Mapping[str, Any]


class CisFaults:
    """Answers under the vendor's own faults."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def answer(self, kind: str, fault: Fault, request: Request, handle: Handle) -> Response | None:
        """The answer, or ``None`` for a kind that is not ours."""
        method = getattr(self, f"_{kind}", None) if kind in KINDS | {"lag", "unknown_enum"} else None
        answer: Response | None = method(fault, request, handle) if method else None
        return answer

    def _with(self, handle: Handle, **switches: Any) -> Response:
        """The answer with switches of the desk set while the call is handled."""
        usual = {name: getattr(self.desk, name) for name in switches}
        for name, value in switches.items():
            setattr(self.desk, name, value)
        try:
            return handle()
        finally:
            for name, value in usual.items():
                setattr(self.desk, name, value)

    def _lag(self, fault: Fault, request: Request, handle: Handle) -> Response:
        """A write's transaction and licence show after ``seconds``; a read hides what is younger."""
        seconds = float(fault["seconds"])
        return self._with(handle, **{"blind" if request.method == "GET" else "lag": seconds})

    def _error(self, fault: Fault, request: Request, handle: Handle) -> Response:
        """Any error: ``code``, ``status``, ``message``, with the effect (``after``) or without."""
        if fault.get("after"):
            handle()
        code, message = str(fault.get("code") or "InternalError"), str(fault.get("message") or "")
        return response_of(problem(code, message, status=int(fault.get("status", 0))))

    def _pending(self, fault: Fault, request: Request, handle: Handle) -> Response:
        """A purchase is decided after ``seconds`` (60); the other members are those of ``POST /_twin/cis/pending``."""
        return self._with(handle, pending=pending_of({"seconds": 60, **{k: v for k, v in fault.items() if v}}))

    def _return_rejected(self, fault: Fault, request: Request, handle: Handle) -> Response:
        """200 with ReturnStatus Rejected."""
        return self._with(handle, return_rejected=True)

    def _tokens(self, fault: Fault, request: Request, handle: Handle) -> Response:
        """An answer with ``count`` (0) tokens in its line; there is one licence all the same."""
        return self._with(handle, tokens=int(fault.get("count", 0)))

    def _version_moves(self, fault: Fault, request: Request, handle: Handle) -> Response:
        """The catalogue gets a new version after this answer."""
        answer = handle()
        if answer.status == 200:
            self.desk.catalogue.move(self.desk.client(request).country)
        return answer

    def _foreign_product(self, fault: Fault, request: Request, handle: Handle) -> Response:
        """The page's first product is of another ``country`` or ``language``."""
        answer = handle()
        products = answer.body.get("Products") if isinstance(answer.body, dict) else None
        if products:
            products[0]["Country"] = str(fault.get("country") or products[0]["Country"])
            products[0]["Language"] = str(fault.get("language") or products[0]["Language"])
            if not fault.get("country") and not fault.get("language"):
                products[0]["Country"] = "FR"
        return answer

    def _unknown_enum(self, fault: Fault, request: Request, handle: Handle) -> Response:
        """Words that nobody knows."""
        answer = handle()
        if answer.status < 300:
            answer.body = _walked(answer.body, lambda key, value: WORDS.get(key, value) if value else value)
        return answer

    def _camel_case(self, fault: Fault, request: Request, handle: Handle) -> Response:
        """The members' names begin with small letters."""
        answer = handle()
        answer.body = _renamed(answer.body)
        return answer

    def _missing_optional(self, fault: Fault, request: Request, handle: Handle) -> Response:
        """Without the members that may be missing."""
        answer = handle()
        answer.body = _reduced(answer.body)
        return answer


def pending_of(spec: Mapping[str, Any]) -> dict[str, Any]:
    """The switch that lets purchases wait. Raises ``ValueError``."""
    found = {
        "seconds": float(spec.get("seconds") or 0),
        "form": str(spec.get("form") or "202"),
        "outcome": str(spec.get("outcome") or "completed").lower(),
        "error_code": str(spec.get("error_code") or "OutOfStock"),
    }
    if found["form"] not in ("202", "state") or found["outcome"] not in ("completed", "rejected"):
        raise ValueError("form is 202 or state, outcome is completed or rejected")
    return found


def _walked(value: Any, change: Callable[[str, Any], Any]) -> Any:
    if isinstance(value, dict):
        return {
            key: change(key, item) if isinstance(item, str) else _walked(item, change) for key, item in value.items()
        }
    return [_walked(item, change) for item in value] if isinstance(value, list) else value


def _renamed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key[:1].lower() + key[1:]: _renamed(item) for key, item in value.items()}
    return [_renamed(item) for item in value] if isinstance(value, list) else value


def _reduced(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _reduced(item) for key, item in value.items() if key not in OPTIONAL and item is not None}
    return [_reduced(item) for item in value] if isinstance(value, list) else value
