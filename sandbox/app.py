"""From a request to its answer: finds the vendor and the call, applies faults, keeps the journal.

Handlers run one at a time inside ``World.lock``, so an effect is there completely or not at all; what waits (delays,
slow bodies, time-outs) waits outside of it.
"""

import logging
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from sandbox.clock import iso, real_now
from sandbox.control import Control
from sandbox.faults import AFTER, BEFORE, BODY, INSTEAD, answer_instead, spoil
from sandbox.router import Route, Vendor
from sandbox.wire import Delivery, Hang, Request, Reset, Response, WireError, response_of
from sandbox.world import World

_log = logging.getLogger("sandbox")


class App:
    """All vendors, sign-in and the control surface behind one address."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.control = Control(world)

    def answer(self, method: str, uri: str, headers: Mapping[str, str], body: bytes, base_url: str) -> Delivery:
        """The answer to a request. Raises ``Hang`` or ``Reset`` where a fault leaves it without one."""
        path, _mark, query = uri.partition("?")
        request = Request(
            method=method,
            path=path,
            query=dict(parse_qsl(query, keep_blank_values=True)) if query else {},
            headers=headers,
            body=body,
            base_url=base_url,
            now=self.world.clock.now(),
            full_path=path,
            query_string=query,
        )
        lower = path.lower()
        for vendor in self.world.vendors:
            if lower.startswith(vendor.prefix) and lower[len(vendor.prefix) :][:1] in ("", "/"):
                request.prefix, request.path = path[: len(vendor.prefix)], path[len(vendor.prefix) :] or "/"
                return self._vendor_answer(vendor, request)
        with self.world.lock:
            try:
                answer = self.control.answer(request)
            except WireError as error:
                answer = response_of(error)
            except Exception:
                _log.exception("%s %s failed", method, path)
                answer = Response(500, {"error": "This failed; the log says why."})
            self.world.state.flush()
        return Delivery(answer)

    def _vendor_answer(self, vendor: Vendor, request: Request) -> Delivery:
        found = vendor.routes.match(request.method, request.path)
        if found is None and request.method == "HEAD":
            found = vendor.routes.match("GET", request.path)
        if found is None:
            answer = vendor.answer_unknown(request)
            self._note(vendor, request, "", answer.status, None)
            return Delivery(answer)
        route, request.params = found
        request.operation = vendor.operation(request, route)
        request.reference = vendor.client_reference(request)[:200]
        with self.world.lock:
            faults = self.world.faults.take(vendor.name, request.operation, request)
            if not faults:
                return Delivery(self._run(vendor, route, request, {}))
            self.world.state.flush()
        delay = sum(float(fault["seconds"]) for fault in faults if fault["kind"] == "delay")
        if delay:
            time.sleep(delay)
            request.now = self.world.clock.now()
        other = next((fault for fault in faults if fault["kind"] != "delay"), {})
        return self._under_fault(vendor, route, request, other)

    def _under_fault(self, vendor: Vendor, route: Route, request: Request, fault: Mapping[str, Any]) -> Delivery:
        kind = str(fault.get("kind", ""))
        if kind in BEFORE | INSTEAD:
            transport = kind in ("timeout_before", "reset_before", "drop_before")
            answer = Response(0) if transport else answer_instead(fault, vendor, request)
            self._note(vendor, request, kind, answer.status, False)
            _leave(kind, fault)
            return Delivery(answer)
        with self.world.lock:
            answer = self._run(vendor, route, request, fault)
        if kind in AFTER:
            _leave(kind, fault)
            return Delivery(answer_instead(fault, vendor, request))
        if kind in BODY:
            slow = float(fault["seconds"]) if kind == "slow_body" else 0.0
            return Delivery(spoil(kind, answer), cut=kind == "truncated", slow_seconds=slow)
        return Delivery(answer)

    def _run(self, vendor: Vendor, route: Route, request: Request, fault: Mapping[str, Any]) -> Response:
        """Handle the call inside the lock, write what it changed and note it."""
        world = self.world
        world.journal.effect = None

        def handle() -> Response:
            try:
                vendor.check(request, route)
                return vendor.around(request, route, lambda: route.handler(request))
            except WireError as error:
                return response_of(error)

        answer: Response | None = None
        leave: Hang | Reset | None = None
        kind = str(fault.get("kind", ""))
        try:
            vendor.tick(request.now)
            # What time has brought about is written apart, so that it does not count as this call's effect.
            world.state.flush()
            if kind and kind not in AFTER | BODY:
                try:
                    answer = vendor.fault(kind, fault, request, handle)
                except WireError as error:
                    answer = response_of(error)
            if answer is None:
                answer = handle()
        except (Hang, Reset) as error:
            answer, leave = Response(0), error
        except Exception:
            _log.exception("%s %s failed", request.method, request.full_path)
            answer = vendor.answer_failure(request)
        changed = route.write and world.state.changes(vendor.name) > 0
        world.state.flush()
        self._note(vendor, request, kind, answer.status, changed)
        if leave is not None:
            raise leave
        return answer

    def _note(self, vendor: Vendor, request: Request, fault: str, status: int, changed: bool | None) -> None:
        journal = self.world.journal
        with self.world.lock:
            said, journal.effect = journal.effect, None
            entry: dict[str, Any] = {
                "time": iso(real_now()),
                "vendor": vendor.name,
                "method": request.method,
                "path": request.full_path[:500],
                "client_reference": request.reference or vendor.client_reference(request)[:200],
                "operation": request.operation,
                "status": status,
                "effect": bool(changed) if said is None else bool(said),
            }
            if isinstance(said, str) and said:
                entry["note"] = said
            if fault:
                entry["fault"] = fault
            journal.add(entry)


def _leave(kind: str, fault: Mapping[str, Any]) -> None:
    """End without an answer, if the kind says so."""
    if kind.startswith("timeout"):
        raise Hang(float(fault["seconds"]))
    if kind.startswith("reset"):
        raise Reset
    if kind.startswith("drop"):
        raise Reset(orderly=True)
