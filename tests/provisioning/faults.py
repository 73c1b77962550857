"""The faults of the matrices, and which of them say something at a call."""

import os
from collections.abc import Callable, Mapping
from typing import Protocol


class HasCalls(Protocol):
    """A flow: what it asks the vendor, in order."""

    calls: tuple[str, ...]


FAULTS: dict[str, dict[str, object]] = {
    "timeout before": {"kind": "timeout_before"},
    "timeout after": {"kind": "timeout_after"},
    "reset before": {"kind": "reset_before"},
    "reset after": {"kind": "reset_after"},
    "429 in seconds": {"kind": "http_429", "seconds": 1, "form": "seconds"},
    "429 with a date": {"kind": "http_429", "seconds": 1, "form": "date"},
    "500 before": {"kind": "http_500_before"},
    "500 after": {"kind": "http_500_after"},
    "malformed": {"kind": "malformed"},
    "byte order mark": {"kind": "bom"},
    "lag": {"kind": "lag", "seconds": 20},
    "expired token": {"kind": "auth_401"},
}
# A call that changes nothing leaves nothing behind: before and after are the same to it.
ONLY_OF_EFFECTS = ("timeout after", "reset after", "500 after", "429 with a date")
# What was done but not said: the faults that tempt one to do it twice.
UNSAID = ("timeout after", "reset after", "500 after", "malformed", "lag")
EVERYTHING = os.environ.get("FAULTS") == "all"


def cases(
    flows: Mapping[str, HasCalls], has_effect: Callable[[str], bool], *, each_anew: bool
) -> dict[tuple[str, str], list[str]]:
    """Flow and fault to the calls at which it is tried.

    A later flow only loses the answers of what had an effect, unless it has to begin ``each_anew``.
    """
    found: dict[tuple[str, str], list[str]] = {}
    known: set[str] = set()
    for name, flow in flows.items():
        for call in flow.calls:
            for fault in FAULTS:
                if _says_something(fault, has_effect=has_effect(call), tried_before=call in known):
                    found.setdefault((name, fault), []).append(call)
        known |= set() if each_anew else set(flow.calls)
    return found


def _says_something(fault: str, *, has_effect: bool, tried_before: bool) -> bool:
    """Whether a fault at a call is worth the suite's time; ``FAULTS=all`` (``make chaos``) tries each at each."""
    if EVERYTHING:
        return True
    if has_effect:
        return fault in UNSAID if tried_before else True
    return not tried_before and fault not in ONLY_OF_EFFECTS
