"""The one way out to vendors: time-outs, an address guard, bounded answers, safe repeats and redacted logs.

What it promises: no redirect is followed; only https is spoken, except to hosts in ``LOOPBACK_HOSTS``; a host name is
resolved once, every private, loopback, link-local, multicast or otherwise special address is refused unless its host
is listed, and the connection goes to the very address that was checked; certificates are verified, against
``EXTRA_CA_FILE`` too. Neither bodies nor secrets are logged. It knows no vendor.

The outcome that matters most is told apart by exception class: :class:`NotSent` (nothing reached the other side, so
any request may be repeated) and :class:`OutcomeUnknown` (it may have had its effect).
"""

import contextlib
import functools
import ipaddress
import logging
import os
import secrets
import socket
import ssl
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from django.conf import settings
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import (
    ConnectTimeoutError,
    NameResolutionError,
    NewConnectionError,
)
from urllib3.exceptions import HTTPError as TransportError
from urllib3.util.connection import create_connection

logger = logging.getLogger("core.http")

READ_REPEATS = (0.5, 1.5, 3.5)
MAX_BODY = 32 * 1024 * 1024
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_SHOWN_HEADERS = frozenset(
    {
        "accept",
        "content-type",
        "content-length",
        "retry-after",
        "x-locale",
        "ms-requestid",
        "ms-correlationid",
        "ms-cv",
    }
)

NAT64 = ipaddress.ip_network("64:ff9b::/96")

Resolver = Callable[[str, int], list[str]]


class HttpError(Exception):
    """A request that brought no usable answer; the text never holds a secret."""


class NotSent(HttpError):
    """Nothing reached the other side: refused, not resolved, no connection in time, no trusted certificate."""


class AddressRefused(NotSent):
    """The address guard does not let us go there."""


class OutcomeUnknown(HttpError):
    """The request may have had its effect: no answer in time, connection lost, answer cut off."""


class AnswerTooLarge(OutcomeUnknown):
    """The answer is larger than the caller is ready to take."""


@dataclass(frozen=True)
class Answer:
    """What came back: status, headers (case-insensitive, values as sent) and the whole body."""

    status: int
    headers: Mapping[str, str] = field(default_factory=CaseInsensitiveDict)
    body: bytes = b""


@dataclass(frozen=True)
class Timeouts:
    """Seconds: to connect, to wait for an answer to a read, and to a write. The whole answer has the same time."""

    connect: float = 5.0
    read: float = 60.0
    write: float = 120.0


# --- The address guard ---


def resolve_host(host: str, port: int) -> list[str]:
    """All addresses of a host, in the resolver's order."""
    rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(row[4][0]) for row in rows))


def is_public_address(address: str) -> bool:
    """Whether an address is one of the open internet; IPv4 inside IPv6 is judged as IPv4."""
    ip = ipaddress.ip_address(address.split("%", 1)[0])
    mapped = getattr(ip, "ipv4_mapped", None) or getattr(ip, "sixtofour", None)
    if ip in NAT64:
        mapped = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    if mapped is not None:
        ip = mapped
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified or ip.is_loopback)


@dataclass(frozen=True)
class AddressGuard:
    """Decides where we may go; ``listed`` hosts may be private and may speak plain http."""

    listed: frozenset[str] = frozenset()
    resolver: Resolver = resolve_host

    def is_listed(self, host: str) -> bool:
        """Whether the operator lists this host or address."""
        return host.strip("[]").lower() in self.listed

    def check_url(self, url: str) -> None:
        """Refuse anything but https to a host, or http to a listed one, without credentials in the URL."""
        parts = urlsplit(url)
        host = parts.hostname or ""
        if not host or parts.username is not None:
            raise AddressRefused(f"The address {parts.scheme}://{host} is not one we may call.")
        if parts.scheme != "https" and not (parts.scheme == "http" and self.is_listed(host)):
            raise AddressRefused(f"{host} may be called over https only.")

    def pick(self, host: str, port: int) -> str:
        """The address to connect to; refused if any address of the host is not public (and the host is not listed)."""
        addresses = self.resolver(host.strip("[]"), port)
        if not addresses:
            raise socket.gaierror(socket.EAI_NONAME, "no address")
        if not self.is_listed(host):
            for address in addresses:
                if not is_public_address(address) and address not in self.listed:
                    raise AddressRefused(f"{host} leads to an address that may not be called.")
        return addresses[0]

    def opened(self, connection: socket.socket) -> None:
        """Called with each new connection, before TLS; a guard that has to cut it in time keeps hold of it."""


def _guarded_socket(connection: Any, guard: AddressGuard) -> socket.socket:
    host, port = str(connection._dns_host), int(connection.port)
    try:
        made = create_connection(
            (guard.pick(host, port), port),
            connection.timeout,
            source_address=connection.source_address,
            socket_options=connection.socket_options,
        )
        guard.opened(made)
        return made
    except socket.gaierror as error:
        raise NameResolutionError(host, connection, error) from error
    except TimeoutError as error:
        raise ConnectTimeoutError(connection, f"{host} did not accept a connection in time") from error
    except OSError as error:
        raise NewConnectionError(connection, f"no connection to {host}: {error.strerror or 'failed'}") from error


class _GuardedAdapter(HTTPAdapter):
    """A transport whose connections are made by the address guard."""

    def __init__(self, guard: AddressGuard, tls: ssl.SSLContext | None, **options: Any) -> None:
        self._guard = guard
        self._tls = tls
        super().__init__(**options)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Let every pool make guarded connections, with our own certificate where there is one."""
        if self._tls is not None:
            options["ssl_context"] = self._tls
        super().init_poolmanager(*args, **options)
        guard = self._guard

        class Plain(HTTPConnection):
            def _new_conn(self) -> socket.socket:
                return _guarded_socket(self, guard)

        class Secure(HTTPSConnection):
            def _new_conn(self) -> socket.socket:
                return _guarded_socket(self, guard)

        class PlainPool(HTTPConnectionPool):
            ConnectionCls = Plain

        class SecurePool(HTTPSConnectionPool):
            ConnectionCls = Secure

        self.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": SecurePool}


@dataclass(frozen=True)
class ClientPair:
    """A certificate with its chain and its private key, both PEM, with which we prove ourselves in TLS."""

    certificate: str
    key: str = field(repr=False)

    def tls(self) -> ssl.SSLContext:
        """A TLS context that presents the pair; raises ``ValueError`` if the key does not belong to the certificate.

        Python loads keys from files only, so the key lies for that moment in a file of ours, encrypted with a
        passphrase that nobody else knows.
        """
        context = ssl.create_default_context()
        passphrase = secrets.token_hex(32).encode()
        own = load_pem_private_key(self.key.encode(), password=None)
        locked = own.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(passphrase))
        with tempfile.NamedTemporaryFile(prefix="cloudbss-tls-", suffix=".pem") as file:
            file.write(self.certificate.encode() + b"\n" + locked)
            file.flush()
            try:
                context.load_cert_chain(file.name, password=passphrase)
            except ssl.SSLError as error:
                raise ValueError("the key does not belong to the certificate") from error
        return context


# --- The client ---


def _was_not_sent(error: BaseException) -> bool:
    """Whether an exception of requests proves that no byte of the request went out."""
    if isinstance(error, requests.exceptions.ConnectTimeout | requests.exceptions.SSLError):
        return True
    seen: BaseException | None = error
    for _ in range(6):
        if isinstance(seen, NewConnectionError | NameResolutionError | ConnectTimeoutError):
            return True
        reason = getattr(seen, "reason", None)
        following = reason if isinstance(reason, BaseException) else None
        if following is None and seen is not None and seen.args and isinstance(seen.args[0], BaseException):
            following = seen.args[0]
        if following is None:
            return False
        seen = following
    return False


class HttpClient:
    """A session with our rules. Safe to share between threads; not across processes (see :func:`http_client`)."""

    def __init__(
        self,
        *,
        timeouts: Timeouts | None = None,
        guard: AddressGuard | None = None,
        extra_ca_file: str = "",
        sleep: Callable[[float], None] = time.sleep,
        pool_size: int = 16,
        client_pair: ClientPair | None = None,
    ) -> None:
        self.timeouts = timeouts or Timeouts()
        self.guard = guard or AddressGuard()
        self.sleep = sleep
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._session.headers.update({"User-Agent": "cloudbss", "Accept-Encoding": "gzip, deflate"})
        tls = client_pair.tls() if client_pair is not None else None
        adapter = _GuardedAdapter(self.guard, tls, pool_connections=pool_size, pool_maxsize=pool_size, max_retries=0)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)
        self._verify = _certificates(extra_ca_file)

    def close(self) -> None:
        """Give up the connections."""
        self._session.close()

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        json: Any = None,
        data: Mapping[str, str] | bytes | None = None,
        repeat_safe: bool | None = None,
        max_body: int = MAX_BODY,
        correlation_id: str = "",
    ) -> Answer:
        """Send one request and return its answer, whatever its status.

        Reads (or ``repeat_safe`` ones) are repeated three times, after 0.5, 1.5 and 3.5 s, on transport errors and
        5xx; writes only if nothing was sent. Raises :class:`NotSent` or :class:`OutcomeUnknown`.
        """
        safe = method.upper() in SAFE_METHODS if repeat_safe is None else repeat_safe
        arguments: dict[str, Any] = {
            "headers": dict(headers or {}),
            "params": params,
            "json": json,
            "data": data,
        }
        for pause in (*READ_REPEATS, None):
            try:
                answer = self._send_once(method, url, safe, max_body, correlation_id, arguments)
            except AddressRefused:
                raise
            except (NotSent, OutcomeUnknown) as error:
                may_repeat = safe or isinstance(error, NotSent)
                if pause is None or not may_repeat or isinstance(error, AnswerTooLarge):
                    raise
            else:
                is_throttled = "retry-after" in answer.headers
                if answer.status < 500 or not safe or pause is None or is_throttled:
                    return answer
            self.sleep(pause)
        raise AssertionError("unreachable: the last round returns or raises")

    def download(
        self,
        url: str,
        target: Path,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        max_bytes: int = 256 * 1024 * 1024,
        correlation_id: str = "",
    ) -> Answer:
        """Stream a large answer to a file; a status other than 200 comes back with its (bounded) body instead."""
        started = time.monotonic()
        with self._open("GET", url, True, {"headers": dict(headers or {}), "params": params}) as response:
            if response.status_code != 200:
                body = b"".join(_chunks(response, 1024 * 1024, started + self.timeouts.read))
                self._log("GET", url, response.status_code, started, correlation_id, headers)
                return Answer(response.status_code, response.headers, body)
            with target.open("wb") as file:
                for chunk in _chunks(response, max_bytes, started + 10 * self.timeouts.read):
                    file.write(chunk)
            self._log("GET", url, 200, started, correlation_id, headers)
            return Answer(200, response.headers)

    def post_and_peek(self, url: str, body: bytes, headers: Mapping[str, str], *, most: int) -> Answer:
        """POST once, and read no more than ``most`` bytes of the answer; its status counts even if they do not come."""
        started, outcome, kept = time.monotonic(), "failed", b""
        try:
            with self._open("POST", url, False, {"headers": dict(headers), "data": body}) as response:
                outcome = str(response.status_code)
                with contextlib.suppress(TransportError, OSError):
                    while len(kept) < most and (piece := response.raw.read1(most - len(kept))):
                        kept += piece
                return Answer(response.status_code, response.headers, kept)
        finally:
            self._log("POST", url, outcome, started, "", headers)

    def _open(self, method: str, url: str, safe: bool, arguments: Mapping[str, Any]) -> requests.Response:
        self.guard.check_url(url)
        patience = self.timeouts.read if safe else self.timeouts.write
        try:
            return self._session.request(
                method,
                url,
                timeout=(self.timeouts.connect, patience),
                allow_redirects=False,
                verify=self._verify,
                stream=True,
                **arguments,
            )
        except requests.exceptions.RequestException as error:
            host = urlsplit(url).hostname
            if _was_not_sent(error):
                raise NotSent(f"{host} cannot be reached.") from error
            raise OutcomeUnknown(f"{host} did not answer.") from error

    def _send_once(
        self,
        method: str,
        url: str,
        safe: bool,
        max_body: int,
        correlation_id: str,
        arguments: Mapping[str, Any],
    ) -> Answer:
        started = time.monotonic()
        try:
            with self._open(method, url, safe, arguments) as response:
                patience = self.timeouts.read if safe else self.timeouts.write
                body = b"".join(_chunks(response, max_body, started + patience))
                answer = Answer(response.status_code, response.headers, body)
        except HttpError as error:
            self._log(method, url, type(error).__name__, started, correlation_id, arguments["headers"])
            raise
        self._log(method, url, answer.status, started, correlation_id, arguments["headers"])
        return answer

    def _log(
        self,
        method: str,
        url: str,
        outcome: int | str,
        started: float,
        correlation_id: str,
        headers: Mapping[str, str] | None,
    ) -> None:
        parts = urlsplit(url)
        logger.info(
            "vendor request",
            extra={
                "method": method,
                "url": f"{parts.scheme}://{parts.netloc}{parts.path}",
                "query_names": sorted({name for name, _ in parse_qsl(parts.query, keep_blank_values=True)}),
                "outcome": outcome,
                "milliseconds": round((time.monotonic() - started) * 1000),
                "correlation_id": correlation_id,
                "request_headers": mask_headers(headers or {}),
            },
        )


def mask_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers as they may be logged: only harmless ones with their value."""
    return {name: value if name.lower() in _SHOWN_HEADERS else "***" for name, value in headers.items()}


def _chunks(response: requests.Response, limit: int, deadline: float) -> Iterator[bytes]:
    """The decoded body in pieces; bounded in size and in time, so that neither a flood nor a trickle holds a worker."""
    taken = 0
    try:
        # read1 hands over what has arrived, so that a trickle is noticed in time.
        while chunk := response.raw.read1(64 * 1024, decode_content=True):
            taken += len(chunk)
            if taken > limit:
                raise AnswerTooLarge(f"The answer is larger than {limit} bytes.")
            if time.monotonic() > deadline:
                raise OutcomeUnknown("The answer did not arrive in time.")
            yield chunk
    except (requests.exceptions.RequestException, TransportError, OSError) as error:
        raise OutcomeUnknown("The answer was cut off.") from error


def _certificates(extra_ca_file: str) -> str | bool:
    """What to verify certificates against: the public roots, plus the operator's file if one is named."""
    if not extra_ca_file:
        return True
    extra = Path(extra_ca_file)
    stamp = f"{extra.resolve()}:{extra.stat().st_mtime_ns}"
    return _bundle(DEFAULT_CA_BUNDLE_PATH, str(extra), stamp)


@functools.lru_cache(maxsize=4)
def _bundle(public: str, extra: str, stamp: str) -> str:
    """A file with both sets of roots, private to this process."""
    handle, name = tempfile.mkstemp(prefix="cloudbss-ca-", suffix=".pem")
    with os.fdopen(handle, "wb") as file:
        file.write(Path(public).read_bytes() + b"\n" + Path(extra).read_bytes())
    return name


@functools.lru_cache(maxsize=32)
def _client_for(
    process: int, timeouts: Timeouts, listed: frozenset[str], extra: str, pair: ClientPair | None
) -> HttpClient:
    return HttpClient(timeouts=timeouts, guard=AddressGuard(listed=listed), extra_ca_file=extra, client_pair=pair)


def listed_hosts() -> frozenset[str]:
    """The hosts that may be private and speak plain http, by the operator's will."""
    return frozenset(host.strip("[]").lower() for host in settings.LOOPBACK_HOSTS)


def http_client(*, patience: float | None = None, client_pair: ClientPair | None = None) -> HttpClient:
    """The process's client, made from the settings; a forked process and changed settings get their own.

    ``patience`` is the most seconds to wait for an answer, where a vendor's contract names less than the settings
    do; with ``client_pair`` the client proves itself in TLS.
    """
    longest = float("inf") if patience is None else patience
    timeouts = Timeouts(
        connect=float(settings.VENDOR_CONNECT_TIMEOUT),
        read=min(float(settings.VENDOR_READ_TIMEOUT), longest),
        write=min(float(settings.VENDOR_WRITE_TIMEOUT), longest),
    )
    return _client_for(os.getpid(), timeouts, listed_hosts(), str(settings.EXTRA_CA_FILE), client_pair)
