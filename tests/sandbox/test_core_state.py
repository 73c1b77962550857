"""State, clock, journal and control surface: what survives a killed process, what a reset leaves."""

import datetime as dt
import json
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

from sandbox import state as state_module
from sandbox.clock import Clock, add_duration, parse_moment, real_now
from sandbox.journal import Journal
from sandbox.router import Routes
from sandbox.state import State, StateUnreadable
from sandbox.wire import Request, Response
from tests.sandbox.conftest import API
from tests.twins import Twins


def start(home: Path) -> Twins:
    twins = Twins.start(home)
    assert twins.process.stdout
    twins.process.stdout.close()
    return twins


def refresh(twin: Twins, text: str) -> requests.Response:
    known = twin.credentials()
    form = {"client_id": known["client_id"], "client_secret": known["client_secret"], "refresh_token": text}
    form |= {"grant_type": "refresh_token", "resource": API}
    return requests.post(f"{twin.url}/login/{known['tenant_id']}/oauth2/token", data=form, timeout=5)


def test_killed_process_keeps_state(tmp_path: Path) -> None:
    twin = start(tmp_path)
    known = twin.credentials()
    twin.advance("P3D")
    twin.call("POST", "/_twin/faults", json={"vendor": "login", "operation": "keys", "kind": "bom"})
    rotated = refresh(twin, known["refresh_token"]).json()["refresh_token"]
    journal = twin.journal("login")
    assert [entry["operation"] for entry in journal] == ["token:user"]
    os.kill(twin.process.pid, signal.SIGKILL)
    twin.process.wait(10)

    twin = start(tmp_path)
    try:
        again = twin.credentials()
        assert [again[name] for name in ("tenant_id", "client_id", "client_secret")] == [
            known[name] for name in ("tenant_id", "client_id", "client_secret")
        ]
        assert refresh(twin, rotated).status_code == 200
        now = parse_moment(twin.call("GET", "/_twin/clock")["now"])
        assert abs(now - real_now() - dt.timedelta(days=3)) < dt.timedelta(seconds=5)
        assert len(twin.call("GET", "/_twin/faults")["faults"]) == 1
        assert twin.journal("login")[:1] == journal
        assert [entry["number"] for entry in twin.journal("login")] == [1, 2]
    finally:
        twin.stop()


def test_signal_ends_the_process_within_a_second(tmp_path: Path) -> None:
    for sign in (signal.SIGTERM, signal.SIGINT):
        twin = start(tmp_path)
        twin.call("POST", "/_twin/faults", json={"vendor": "login", "kind": "delay", "seconds": 20})
        with pytest.raises(requests.ReadTimeout):
            requests.get(f"{twin.url}/login/common/discovery/keys", timeout=0.3)
        started = time.monotonic()
        os.kill(twin.process.pid, sign)
        assert twin.process.wait(10) == 0
        assert time.monotonic() - started < 1


def test_second_process_on_the_same_folder_refused(tmp_path: Path) -> None:
    twin = start(tmp_path)
    try:
        command = [sys.executable, "-m", "sandbox", "--port", "0", "--tls-port", "0", "--home", str(tmp_path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)
        assert (done.returncode, done.stdout) == (1, "")
        assert "Another process" in done.stderr
        assert twin.call("GET", "/_twin/health")["status"] == "ok"
    finally:
        twin.stop()


def test_secret_comes_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SANDBOX_CLIENT_SECRET", "known-secret")
    twin = start(tmp_path)
    try:
        assert twin.credentials()["client_secret"] == "known-secret"
    finally:
        twin.stop()
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"known-secret" not in kept


def test_no_secret_in_state_or_journal_and_keys_are_private(twin: Twins) -> None:
    known = twin.credentials()
    answer = refresh(twin, known["refresh_token"]).json()
    kept = b"".join((twin.home / name).read_bytes() for name in ("state.jsonl", "journal.jsonl", "twins.log"))
    for text in (known["refresh_token"], known["client_secret"], answer["access_token"], answer["refresh_token"]):
        assert text.encode() not in kept
    for name in ("ca.key", "server.key", "login/signing.pem", "state.jsonl", "journal.jsonl"):
        assert stat.S_IMODE((twin.home / name).stat().st_mode) == 0o600


def test_reset_ends_faults_clock_and_journal_but_not_consent(twin: Twins) -> None:
    text = twin.credentials()["refresh_token"]
    twin.advance("P1M")
    twin.call("POST", "/_twin/faults", json={"vendor": "login", "operation": "token", "kind": "bom"})
    answer = twin.call("POST", "/_twin/reset")
    assert answer["status"] == "ok"
    assert twin.call("GET", "/_twin/faults") == {"faults": []}
    assert twin.call("GET", "/_twin/clock")["offset_seconds"] == 0
    assert twin.journal("login") == []
    assert refresh(twin, text).status_code == 200
    assert refresh(twin, answer["credentials"]["refresh_token"]).status_code == 200


def test_clock_set_and_moved(twin: Twins) -> None:
    answer = twin.call("POST", "/_twin/clock", json={"now": "2026-11-21T00:00:00Z"})
    assert answer["now"].startswith("2026-11-21T00:00:0")
    assert twin.call("POST", "/_twin/clock", json={"advance": "P1DT2H"})["now"].startswith("2026-11-22T02:00:0")
    for wrong in ({}, {"advance": "a day"}, {"now": "today"}, {"advance": "P"}):
        assert requests.post(f"{twin.url}/_twin/clock", json=wrong, timeout=5).status_code == 400
    assert twin.call("GET", "/_twin/health")["now"].startswith("2026-11-22T02:00:0")


def test_journal_filters(twin: Twins) -> None:
    base = f"{twin.url}/login/common"
    requests.get(f"{base}/discovery/keys", headers={"client-request-id": "reference-1"}, timeout=5)
    requests.get(f"{base}/nowhere", timeout=5)
    first, second = twin.journal("login")
    assert (first["operation"], first["status"], first["effect"], first["client_reference"]) == (
        "keys",
        200,
        False,
        "reference-1",
    )
    assert (second["operation"], second["status"], second["path"]) == ("", 404, "/login/common/nowhere")

    def found(query: str) -> list[int]:
        return [entry["number"] for entry in twin.call("GET", f"/_twin/journal?{query}")["entries"]]

    assert found(f"since={first['number']}") == [second["number"]]
    assert found(f"since={second['time']}") == [second["number"]]
    assert found("operation=keys") == [first["number"]]
    assert found("client_reference=reference-1") == [first["number"]]
    assert found("status=404") == [second["number"]]
    assert found("limit=1") == [second["number"]]
    assert found("vendor=partner_center") == []


def test_control_surface_refuses_foreign_names(twin: Twins) -> None:
    answer = requests.get(f"{twin.url}/_twin/credentials", headers={"Host": "evil.example"}, timeout=5)
    assert (answer.status_code, "client_secret" in answer.text) == (403, False)
    assert requests.get(f"{twin.url}/_twin/nowhere", timeout=5).status_code == 404
    assert requests.put(f"{twin.url}/_twin/clock", timeout=5).status_code == 405
    assert requests.get(f"{twin.url}/_twin/state/login", timeout=5).status_code == 404
    assert "Vendor twins" in requests.get(twin.url, timeout=5).text


def test_operations_listed(twin: Twins) -> None:
    listed = twin.call("GET", "/_twin/operations")["login"]
    assert set(listed["operations"]) >= {"token:app", "token:user", "authorize", "discovery", "keys"}
    assert {"timeout_after", "http_429", "lag", "unknown_enum", "consent_revoked"} <= set(listed["fault_kinds"])


def test_table_survives_and_order_is_kept(tmp_path: Path) -> None:
    state = State(tmp_path)
    table = state.table("acme", "things")
    for key in ("b", "a", "c"):
        table.put(key, {"name": key, "text": "Ω"})
    state.flush()
    table.delete("a")
    table.put("b", {"name": "again"})
    assert state.changes("acme") == 2
    state.flush()
    assert state.changes("acme") == 0
    again = State(tmp_path)
    assert again.dump("acme") == {"things": {"b": {"name": "again"}, "c": {"name": "c", "text": "Ω"}}}
    assert list(again.table("acme", "things")) == ["b", "c"]
    again.table("acme", "things").trim(1)
    assert again.table("acme", "things").keys() == ["c"]
    again.close()
    state.close()


def test_unfinished_request_is_forgotten_as_a_whole(tmp_path: Path) -> None:
    state = State(tmp_path)
    state.table("acme", "things").put("kept", {})
    state.flush()
    state.table("acme", "things").put("one", {})
    state.table("acme", "others").put("two", {})
    state.close()
    content = state.path.read_bytes()
    state.path.write_bytes(content[:-5])
    again = State(tmp_path)
    assert again.dump("acme") == {"things": {"kept": {}}}
    again.close()


def test_damaged_file_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "state.jsonl"
    path.write_text("[]\nnonsense\n")
    with pytest.raises(StateUnreadable, match="line 2"):
        State(tmp_path)
    assert path.read_text() == "[]\nnonsense\n"


def test_file_stays_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state_module, "COMPACT_BYTES", 2000)
    state = State(tmp_path)
    for number in range(500):
        state.table("acme", "things").put("same", {"number": number})
        state.flush()
    assert state.path.stat().st_size < 4000
    state.close()
    assert State(tmp_path).table("acme", "things").get("same") == {"number": 499}


def test_journal_turns_its_file_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.journal.FILE_BYTES", 1000)
    journal = Journal(tmp_path)
    for _ in range(60):
        journal.add({"time": "2026-11-21T00:00:00.000000Z", "path": "/x"})
    assert sum(path.stat().st_size for path in tmp_path.glob("journal*")) < 2500
    assert json.loads((tmp_path / "journal.jsonl.1").read_text().splitlines()[0])["number"] > 1


@pytest.mark.parametrize(
    ("duration", "expected"),
    [
        ("P1D", "2026-02-01T12:00:00+00:00"),
        ("P1M", "2026-02-28T12:00:00+00:00"),
        ("P1Y", "2027-01-31T12:00:00+00:00"),
        ("-P2W", "2026-01-17T12:00:00+00:00"),
        ("PT36H30M", "2026-02-02T00:30:00+00:00"),
    ],
)
def test_durations(duration: str, expected: str) -> None:
    assert add_duration(parse_moment("2026-01-31T12:00:00"), duration).isoformat() == expected


def test_clock_is_real_until_moved(tmp_path: Path) -> None:
    state = State(tmp_path)
    clock = Clock(state)
    assert abs(clock.now() - real_now()) < dt.timedelta(seconds=1)
    clock.advance("P1D")
    assert clock.offset == pytest.approx(dt.timedelta(days=1), abs=dt.timedelta(seconds=1))
    clock.reset()
    assert clock.offset == dt.timedelta()
    state.close()


def test_routes_prefer_fixed_parts_and_ignore_case() -> None:
    def handler(request: Request) -> Response:
        return Response()

    routes = Routes()
    routes.add("GET", "/v1/customers/{customer}", "get_customer", handler)
    routes.add("GET", "/v1/customers/relationshiprequests", "get_request", handler)
    routes.add("GET", "/sales/sheets({arguments})/$value", "get_sheet", handler)
    found = [
        routes.match("GET", path)
        for path in (
            "/V1/Customers/RelationshipRequests",
            "/v1/customers/a%2Fb/",
            "/sales/sheets(Market='US',View='x')/$value",
            "/v1/customers",
        )
    ]
    assert [item and (item[0].operation, item[1]) for item in found] == [
        ("get_request", {}),
        ("get_customer", {"customer": "a/b"}),
        ("get_sheet", {"arguments": "Market='US',View='x'"}),
        None,
    ]
    assert routes.methods("/v1/customers/1") == ["GET"]


def test_bad_options_say_so() -> None:
    done = subprocess.run([sys.executable, "-m", "sandbox"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "--home" in done.stderr


def test_chunked_and_announced_bodies_are_taken(twin: Twins) -> None:
    answer = requests.post(f"{twin.url}/_twin/clock", data=iter([b'{"advance"', b': "P1D"}']), timeout=5)
    assert answer.json()["offset_seconds"] == pytest.approx(86_400, abs=5)
    answer = requests.post(
        f"{twin.url}/_twin/clock", data='{"advance": "P1D"}', headers={"Expect": "100-continue"}, timeout=5
    )
    assert answer.json()["offset_seconds"] == pytest.approx(2 * 86_400, abs=5)


def test_head_has_no_body(twin: Twins) -> None:
    answer = requests.head(f"{twin.url}/login/common/discovery/keys", timeout=5)
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["Content-Length"]) > 100


def test_malformed_json_refused(twin: Twins) -> None:
    for path in ("faults", "clock", "drift", "certificates"):
        assert requests.post(f"{twin.url}/_twin/{path}", data="{nonsense", timeout=5).status_code == 400


def test_every_vendor_call_has_an_operation_and_bad_specs_are_refused(twin: Twins) -> None:
    listed = twin.call("GET", "/_twin/operations")
    assert {"login", "partner_center"} <= set(listed)
    for vendor in listed.values():
        assert {call["operation"] for call in vendor["calls"]} <= set(vendor["operations"])
    for spec in ([], {"vendor": "partner_center", "count": "many"}, {"vendor": "partner_center", "kinds": 5}):
        assert requests.post(f"{twin.url}/_twin/drift", json=spec, timeout=5).status_code == 400
    assert requests.post(f"{twin.url}/_twin/drift", json={"vendor": "nobody"}, timeout=5).status_code == 404
