"""Access tokens by OAuth 2.0 (RFC 6749): ``client_credentials``, and the password flow while a shared key exists."""

import datetime as dt
import hmac
import logging
import secrets
from contextlib import suppress
from dataclasses import dataclass

import redis
from django.core.cache import cache
from django.db import transaction

from clients.models import ApiClient, ApiPolicy, ApiToken
from clients.scopes import granted_scopes
from clients.selectors import secret_digest
from core import clock
from resellers.editions import Capability, has_capability
from resellers.enums import AccountStatus

logger = logging.getLogger(__name__)
LIFE = dt.timedelta(seconds=3600)
FAILURES = 10
FAILURE_WINDOW = 600


class TokenRefused(Exception):
    """No token: ``error`` is the word of RFC 6749, ``status`` 400, 401 or 429."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.error = error
        self.description = description
        self.status = status


@dataclass(frozen=True, slots=True)
class Issued:
    """A token as it is told once."""

    token: str
    scopes: tuple[str, ...]
    seconds: int


def _matches(secret: str, current: str, previous: str, until: dt.datetime | None) -> bool:
    """Whether the secret is the present one, or the last one within its overlap; always compares both."""
    digest = secret_digest(secret)
    now_ok = hmac.compare_digest(digest, current or "-")
    old_ok = hmac.compare_digest(digest, previous or "-")
    return now_ok or (old_ok and until is not None and until > clock.real_now())


def token_by_credentials(organization_id: int, *, key: str, secret: str, scope: str = "") -> Issued:
    """A token for the client whose key and secret these are; raises :class:`TokenRefused`."""
    client = _client(organization_id, key=key)
    if client is None or not _matches(secret, client.secret_hash, client.previous_secret_hash, client.previous_until):
        raise TokenRefused("invalid_client", "Key or secret is wrong, or the client was revoked.", 401)
    return _issue(client, scope, by_password=False)


def token_by_password(
    organization_id: int, *, key: str, secret: str, user_name: str, password: str, scope: str = ""
) -> Issued:
    """A token for an application user who shows the shared key as well; raises :class:`TokenRefused`."""
    policy = ApiPolicy.objects.filter(organization_id=organization_id).exclude(shared_key="").first()
    if policy is None:
        raise TokenRefused("unsupported_grant_type", "The password flow is off; use client_credentials.")
    known = hmac.compare_digest(policy.shared_key.encode(), key.encode())
    hashes = policy.shared_secret_hash, policy.previous_secret_hash
    if not _matches(secret, *hashes, policy.previous_until) or not known:
        raise TokenRefused("invalid_client", "Key or secret is wrong.", 401)
    counter = f"api-failed:{organization_id}:{secret_digest(user_name)[:32]}"
    if _is_blocked(counter):
        raise TokenRefused("invalid_grant", "Too many wrong passwords; wait ten minutes.", 429)
    client = _client(organization_id, user_name=user_name)
    if client is None or not _matches(password, client.secret_hash, client.previous_secret_hash, client.previous_until):
        _note_failure(counter)
        raise TokenRefused("invalid_grant", "User name or password is wrong.")
    return _issue(client, scope, by_password=True)


def _is_blocked(counter: str) -> bool:
    try:
        return cache.get(f"{counter}:blocked") is not None
    except redis.RedisError:  # A counter must not stop the API.
        logger.warning("wrong passwords are not counted: the store does not answer", exc_info=True)
        return False


def _note_failure(counter: str) -> None:
    """Count a wrong password; the tenth within ten minutes closes the name for ten minutes from then on."""
    try:
        if cache.add(counter, 1, FAILURE_WINDOW):
            return
        # Its time may be over between the two commands; then this is the first of the next ten.
        with suppress(ValueError):
            if cache.incr(counter) >= FAILURES:
                cache.set(f"{counter}:blocked", True, FAILURE_WINDOW)
                cache.delete(counter)
    except redis.RedisError:
        logger.warning("a wrong password was not counted: the store does not answer", exc_info=True)


def _client(organization_id: int, **by: str) -> ApiClient | None:
    rows = ApiClient.objects.select_related("account").filter(organization_id=organization_id, revoked_at=None)
    return rows.filter(**by).first()


@transaction.atomic
def _issue(client: ApiClient, scope: str, *, by_password: bool) -> Issued:
    account = client.account
    if account is not None and (
        account.status == AccountStatus.CLOSED or not has_capability(account.edition, Capability.API_READ)
    ):
        raise TokenRefused("invalid_grant", "The account's plan does not include the API.")
    granted = granted_scopes(client.scopes, is_reseller=account is not None)
    asked = frozenset(scope.split())
    if asked - granted:
        raise TokenRefused("invalid_scope", "This client does not have the scope: " + " ".join(sorted(asked - granted)))
    now = clock.real_now()
    # A client's old tokens go when it fetches another, so that no list of them grows.
    ApiToken.objects.filter(client=client, expires_at__lt=now).delete()
    token = secrets.token_urlsafe(40)
    scopes = sorted(asked or granted)
    ApiToken.objects.create(
        organization_id=client.organization_id,
        client=client,
        token_hash=secret_digest(token),
        scopes=scopes,
        by_password=by_password,
        expires_at=now + LIFE,
    )
    ApiClient.objects.filter(pk=client.pk).update(last_used_at=now)
    return Issued(token, tuple(scopes), int(LIFE.total_seconds()))
