"""System checks of the settings: each bad value has an id, says what is wrong, and hints at what to do.

``manage.py check`` runs them, and so do ``migrate``, every worker and the web process before they start. E001 to E099
hold everywhere, E101 and on only under production settings. No message repeats a secret.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from django.apps.config import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.core.exceptions import ImproperlyConfigured
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils.module_loading import import_string

from resellers.aliases import may_be_alias

TAG = "cloudbss"
SECRET_KEY_LENGTH = 50
BROKER_SCHEMES = frozenset({"redis", "rediss", "amqp", "amqps", "memory"})
CACHE_SCHEMES = frozenset({"redis", "rediss", "unix"})
POSITIVE = (
    "VENDOR_CONNECT_TIMEOUT",
    "VENDOR_READ_TIMEOUT",
    "VENDOR_WRITE_TIMEOUT",
    "OPERATION_CLAIM_SECONDS",
)
NEW_SECRET = "python -c 'import secrets; print(secrets.token_urlsafe(60))'"  # noqa: S105 - a command
NEW_KEY = "python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'"


def _error(number: int, message: str, hint: str) -> Error:
    return Error(message, hint=hint, id=f"{TAG}.E{number:03d}")


def _secret_key() -> Iterator[CheckMessage]:
    try:
        key = str(settings.SECRET_KEY)
    except ImproperlyConfigured:
        key = ""
    if not key:
        yield _error(1, "SECRET_KEY is not set.", f"Set SECRET_KEY or SECRET_KEY_FILE; make one with {NEW_SECRET}")
    elif len(key) < SECRET_KEY_LENGTH or len(set(key)) < 5:
        yield _error(
            1,
            f"SECRET_KEY is shorter than {SECRET_KEY_LENGTH} characters or too uniform.",
            f"Make one with {NEW_SECRET}",
        )


def _encryption_keys() -> Iterator[CheckMessage]:
    keys = list(settings.FIELD_ENCRYPTION_KEYS)
    if not keys:
        yield _error(2, "FIELD_ENCRYPTION_KEYS is not set: no vendor secret can be stored.", f"Make one with {NEW_KEY}")
    for position, key in enumerate(keys, start=1):
        try:
            Fernet(str(key).encode())
        except ValueError:
            yield _error(
                3,
                f"Key {position} of FIELD_ENCRYPTION_KEYS is not a Fernet key (32 bytes, URL-safe base64).",
                f"Keys are separated by commas, the newest first. Make one with {NEW_KEY}",
            )


def _database() -> Iterator[CheckMessage]:
    engine = str(settings.DATABASES["default"].get("ENGINE", ""))
    if "postgresql" not in engine:
        yield _error(
            4,
            f"The database engine is '{engine or 'none'}'; only PostgreSQL works.",
            "Set DATABASE_URL to postgres://user:password@host:5432/name.",
        )


def _connectors() -> Iterator[CheckMessage]:
    for code, path in settings.CONNECTORS.items():
        hint = f"CONNECTORS['{code}'] must be the dotted path of a class as docs/adding-a-vendor.md describes it."
        try:
            connector = import_string(path)
        except Exception as error:  # An import may fail in any way; each is the same finding.
            yield _error(5, f"The connector '{path}' cannot be imported ({type(error).__name__}: {error}).", hint)
            continue
        lacking = [name for name in ("code", "name", "verbs") if not getattr(connector, name, None)]
        if lacking:
            yield _error(5, f"The connector '{path}' does not say its {', '.join(lacking)}.", hint)
        elif connector.code != code:
            yield _error(5, f"The connector '{path}' calls itself '{connector.code}', not '{code}'.", hint)


def _extra_certificates() -> Iterator[CheckMessage]:
    path = settings.EXTRA_CA_FILE
    if not path:
        return
    hint = "Give the path of a PEM file this user can read."
    try:
        text = Path(path).read_text(encoding="ascii")
    except FileNotFoundError:
        # The twins write theirs when they start, which is after the database was migrated: no reason to stop.
        yield Warning(f"EXTRA_CA_FILE does not exist (yet): {path}", hint=hint, id=f"{TAG}.W006")
    except (OSError, ValueError) as error:
        yield _error(6, f"EXTRA_CA_FILE cannot be read ({type(error).__name__}): {path}", hint)
    else:
        if "BEGIN CERTIFICATE" not in text:
            yield _error(6, f"EXTRA_CA_FILE holds no certificate: {path}", hint)


def _addresses() -> Iterator[CheckMessage]:
    for name, known in (("REDIS_URL", CACHE_SCHEMES), ("CELERY_BROKER_URL", BROKER_SCHEMES)):
        scheme = urlsplit(str(getattr(settings, name))).scheme
        if scheme not in known:
            yield _error(
                7,
                f"{name} has the unknown scheme '{scheme}'.",
                f"It must begin with one of: {', '.join(sorted(known))}.",
            )
    public = urlsplit(str(settings.PUBLIC_URL))
    if public.scheme not in {"http", "https"} or not public.hostname or public.path.strip("/"):
        yield _error(
            8,
            "PUBLIC_URL is not an address of a host.",
            "Give scheme and host without a path, such as https://shop.example.com; links in mails begin with it.",
        )


def _numbers() -> Iterator[CheckMessage]:
    for name in POSITIVE:
        if not getattr(settings, name) > 0:
            yield _error(9, f"{name} must be more than 0 seconds.", f"Leave {name} out to get its usual value.")


def _unreadable() -> Iterator[CheckMessage]:
    for name, problem in settings.UNREADABLE_VARIABLES.items():
        yield _error(10, f"{name} {problem}.", f"Mend {name}, or leave it out to get its usual value.")


def _first_segments() -> Iterator[CheckMessage]:
    """A word that begins one of our addresses could otherwise be taken as a storefront's alias and hide it."""
    for segment in sorted(_segments_of(get_resolver().url_patterns)):
        if may_be_alias(segment):
            yield _error(
                11,
                f"The address /{segment} could be taken as a storefront's alias.",
                "Add its first segment to the reserved words of resellers/aliases.py.",
            )


def _segments_of(patterns: Sequence[URLPattern | URLResolver]) -> set[str]:
    found: set[str] = set()
    for row in patterns:
        text = str(row.pattern)
        if text:
            found.add(text.partition("/")[0])
        elif isinstance(row, URLResolver):
            found |= _segments_of(row.url_patterns)
    return found


def _only_for_demo() -> Iterator[CheckMessage]:
    switches: Sequence[tuple[int, str, str]] = (
        (
            101,
            "EXTRA_CA_FILE",
            "It makes us trust the twins' certificates. Add a real authority to the system's store.",
        ),
        (102, "LOOPBACK_HOSTS", "It lets vendor addresses lead into our own network."),
        (103, "CLOCK_MOVABLE", "Whoever moves the clock bills and renews; it belongs to demo and test."),
        (
            104,
            "SANDBOX_URL",
            "It leads to the vendor twins; real vendors have their addresses in the instance's settings.",
        ),
        (105, "DEBUG", "It shows settings and data to whoever meets an error."),
        (109, "WEBHOOK_LOOPBACK", "It lets whoever names a webhook's address reach services of this machine."),
    )
    for number, name, why in switches:
        if getattr(settings, name, None):
            yield _error(number, f"{name} is set in production.", f"{why} Leave it out.")


def _mail() -> Iterator[CheckMessage]:
    if settings.EMAIL_BACKEND.endswith(".dummy.EmailBackend"):
        yield Warning(
            "EMAIL_URL is not set: mails are only kept to be looked at, nobody receives them.",
            hint="Set EMAIL_URL to smtp+tls://user:password@host:587.",
            id=f"{TAG}.W108",
        )


def _reachable() -> Iterator[CheckMessage]:
    if urlsplit(str(settings.PUBLIC_URL)).scheme != "https":
        yield _error(
            106, "PUBLIC_URL does not begin with https.", "Give the address that customers type in, with https."
        )
    hosts = list(settings.ALLOWED_HOSTS)
    if not hosts or "*" in hosts:
        yield _error(
            107,
            "ALLOWED_HOSTS is empty or allows every host.",
            "List the distributor's host and the resellers' hosts; a leading dot allows all below a domain.",
        )


ALWAYS: Sequence[Callable[[], Iterator[CheckMessage]]] = (
    _secret_key,
    _encryption_keys,
    _database,
    _connectors,
    _extra_certificates,
    _addresses,
    _numbers,
    _unreadable,
    _first_segments,
)
IN_PRODUCTION: Sequence[Callable[[], Iterator[CheckMessage]]] = (_only_for_demo, _reachable, _mail)


@register(TAG)
def check_settings(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Everything that is wrong with the settings, in the order of the ids."""
    checks = [*ALWAYS, *(IN_PRODUCTION if settings.PRODUCTION else ())]
    return [message for check in checks for message in check()]
