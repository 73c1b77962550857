"""Each general kind of fault, on the sign-in service's calls: what the caller sees, and whether there was an effect."""

import email.utils
import socket
import time
from typing import Any

import pytest
import requests

from tests.sandbox.conftest import API
from tests.twins import Twins

READ = "keys"
WRITE = "token:user"


def fault(twin: Twins, kind: str, operation: str = READ, **values: Any) -> dict[str, Any]:
    body = {"vendor": "login", "operation": operation, "kind": kind, **values}
    return dict(twin.call("POST", "/_twin/faults", json=body))


def read(twin: Twins, timeout: float = 5, **values: Any) -> requests.Response:
    return requests.get(f"{twin.url}/login/common/discovery/keys", timeout=timeout, allow_redirects=False, **values)


def write(twin: Twins, timeout: float = 5) -> requests.Response:
    known = twin.credentials()
    form = {name: known[name] for name in ("client_id", "client_secret", "refresh_token")}
    form |= {"grant_type": "refresh_token", "resource": API}
    return requests.post(f"{twin.url}/login/{known['tenant_id']}/oauth2/token", data=form, timeout=timeout)


def entries(twin: Twins, operation: str) -> list[tuple[int, bool]]:
    found = twin.call("GET", f"/_twin/journal?vendor=login&operation={operation}")["entries"]
    return [(entry["status"], entry["effect"]) for entry in found]


@pytest.mark.parametrize(
    ("kind", "error", "journal"),
    [
        ("timeout_before", requests.ReadTimeout, (0, False)),
        ("timeout_after", requests.ReadTimeout, (200, True)),
        ("reset_before", requests.ConnectionError, (0, False)),
        ("reset_after", requests.ConnectionError, (200, True)),
        ("drop_before", requests.ConnectionError, (0, False)),
        ("drop_after", requests.ConnectionError, (200, True)),
    ],
)
def test_no_answer(twin: Twins, kind: str, error: type[Exception], journal: tuple[int, bool]) -> None:
    fault(twin, kind, WRITE)
    with pytest.raises(error):
        write(twin, timeout=0.4)
    assert entries(twin, WRITE) == [journal]
    assert write(twin).status_code == 200
    assert twin.call("GET", "/_twin/faults") == {"faults": []}


def test_timeout_ends_after_its_seconds(twin: Twins) -> None:
    fault(twin, "timeout_before", seconds=0.5)
    started = time.monotonic()
    with pytest.raises(requests.ConnectionError):
        read(twin)
    assert 0.5 <= time.monotonic() - started < 2


def test_reset_is_a_reset_and_drop_is_not(twin: Twins) -> None:
    host, port = twin.url.removeprefix("http://").split(":")
    outcomes = []
    for kind in ("reset_before", "drop_before"):
        fault(twin, kind)
        with socket.create_connection((host, int(port)), timeout=5) as connection:
            connection.sendall(b"GET /login/common/discovery/keys HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            try:
                outcomes.append(connection.recv(100))
            except ConnectionResetError:
                outcomes.append(b"reset")
    assert outcomes == [b"reset", b""]


def test_reset_over_tls(twin: Twins) -> None:
    fault(twin, "reset_before")
    url = f"{twin.tls_url}/login/common/discovery/keys"
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=5, verify=str(twin.ca_file))
    assert requests.get(url, timeout=5, verify=str(twin.ca_file)).status_code == 200


def test_silent_caller_does_not_block_tls(twin: Twins) -> None:
    host, port = twin.tls_url.removeprefix("https://").split(":")
    with socket.create_connection((host, int(port)), timeout=5):
        started = time.monotonic()
        url = f"{twin.tls_url}/login/common/discovery/keys"
        assert requests.get(url, timeout=10, verify=str(twin.ca_file)).status_code == 200
        assert time.monotonic() - started < 5


def test_many_time_outs_hold_no_worker(twin: Twins) -> None:
    fault(twin, "timeout_before", times=60, seconds=30)
    host, port = twin.url.removeprefix("http://").split(":")
    held = []
    for _ in range(60):
        connection = socket.create_connection((host, int(port)), timeout=5)
        connection.sendall(b"GET /login/common/discovery/keys HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        held.append(connection)
    for _ in range(50):
        if not twin.call("GET", "/_twin/faults")["faults"]:
            break
        time.sleep(0.05)
    started = time.monotonic()
    assert read(twin).status_code == 200
    assert time.monotonic() - started < 2
    for connection in held:
        connection.close()


@pytest.mark.parametrize(
    ("kind", "status", "journal"),
    [("http_500_before", 500, (500, False)), ("http_500_after", 500, (200, True)), ("auth_401", 401, (401, False))],
)
def test_error_before_and_after(twin: Twins, kind: str, status: int, journal: tuple[int, bool]) -> None:
    fault(twin, kind, WRITE)
    assert write(twin).status_code == status
    assert entries(twin, WRITE) == [journal]


def test_500_takes_another_status(twin: Twins) -> None:
    fault(twin, "http_500_before", status=503)
    answer = read(twin)
    assert (answer.status_code, answer.json()["error_codes"]) == (503, [90033])


def test_throttled_in_seconds_as_date_and_without(twin: Twins) -> None:
    found = []
    for form in ("seconds", "date", "none"):
        fault(twin, "http_429", form=form, seconds=57)
        answer = read(twin)
        assert (answer.status_code, answer.json()["statusCode"]) == (429, 429)
        found.append(answer.headers.get("Retry-After"))
    assert (found[0], found[2]) == ("57", None)
    moment = email.utils.parsedate_to_datetime(str(found[1])).timestamp()
    assert 50 < moment - time.time() < 60


def test_malformed_is_no_json(twin: Twins) -> None:
    fault(twin, "malformed")
    answer = read(twin)
    with pytest.raises(requests.JSONDecodeError):
        answer.json()
    assert int(answer.headers["Content-Length"]) == len(answer.content)


def test_truncated_ends_too_early(twin: Twins) -> None:
    fault(twin, "truncated")
    with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.ConnectionError)):
        read(twin)


def test_bom_before_json(twin: Twins) -> None:
    fault(twin, "bom")
    assert read(twin).content[:4] == b"\xef\xbb\xbf{"


def test_html_page_redirect_and_empty_body(twin: Twins) -> None:
    fault(twin, "html_page")
    page = read(twin)
    assert (page.status_code, page.headers["Content-Type"]) == (502, "text/html; charset=utf-8")
    fault(twin, "redirect", location="https://elsewhere.example/")
    moved = read(twin)
    assert (moved.status_code, moved.headers["Location"]) == (302, "https://elsewhere.example/")
    fault(twin, "empty_body")
    empty = read(twin)
    assert (empty.status_code, empty.content) == (200, b"")


def test_slow_body_and_delay_take_their_time(twin: Twins) -> None:
    for kind in ("slow_body", "delay"):
        fault(twin, kind, seconds=0.4)
        started = time.monotonic()
        assert read(twin).json()["keys"]
        assert 0.4 <= time.monotonic() - started < 2


def test_delay_comes_on_top_of_another_fault(twin: Twins) -> None:
    fault(twin, "delay", seconds=0.3)
    fault(twin, "http_500_before")
    started = time.monotonic()
    assert read(twin).status_code == 500
    assert time.monotonic() - started >= 0.3


def test_times_skip_and_operation_limit_a_fault(twin: Twins) -> None:
    fault(twin, "http_500_before", times=2, skip=1)
    assert requests.get(f"{twin.url}/login/common/v2.0/.well-known/openid-configuration", timeout=5).status_code == 200
    assert [read(twin).status_code for _ in range(4)] == [200, 500, 500, 200]


def test_probability_strikes_sometimes(twin: Twins) -> None:
    fault(twin, "http_500_before", probability=0.5)
    found = {read(twin).status_code for _ in range(60)}
    assert found == {200, 500}
    assert twin.call("GET", "/_twin/faults")["faults"][0]["left"] is None


def test_token_fault_named_without_grant_hits_both(twin: Twins) -> None:
    fault(twin, "aadsts", "token", code=700082)
    assert write(twin).json()["error_codes"] == [700082]


def test_faults_deleted_one_by_one(twin: Twins) -> None:
    first, second = fault(twin, "bom"), fault(twin, "malformed")
    assert first["id"] != second["id"]
    twin.call("DELETE", f"/_twin/faults/{first['id']}")
    assert [item["kind"] for item in twin.call("GET", "/_twin/faults")["faults"]] == ["malformed"]
    assert requests.delete(f"{twin.url}/_twin/faults/{first['id']}", timeout=5).status_code == 404


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"vendor": "nobody", "kind": "bom"}, "unknown vendor: nobody"),
        ({"vendor": "login", "kind": "explode"}, "unknown kind: explode"),
        ({"vendor": "login", "kind": "bom", "operation": "fly"}, "unknown operation: fly"),
        ({"vendor": "login", "kind": "bom", "probability": 2}, "probability is a number from 0 to 1"),
    ],
)
def test_wrong_fault_refused(twin: Twins, spec: dict[str, Any], message: str) -> None:
    answer = requests.post(f"{twin.url}/_twin/faults", json=spec, timeout=5)
    assert (answer.status_code, answer.json()) == (400, {"error": message})
    assert twin.call("GET", "/_twin/faults") == {"faults": []}
