"""Replies to writes with an ``Idempotency-Key`` (``api.md`` 4.2): claimed first, kept a day, given again to repeats."""

import datetime as dt

from django.db import IntegrityError, transaction

from clients.models import ApiClient, ApiReply
from core import clock, crypto

CLAIM = dt.timedelta(seconds=60)
KEPT = dt.timedelta(hours=24)


class ReplyInProgress(Exception):
    """The same call is still at work; try again after ``seconds``."""

    def __init__(self, seconds: int) -> None:
        super().__init__("in progress")
        self.seconds = seconds


class ReplyOfAnother(Exception):
    """The key was used for another request."""


def claim_reply(client: ApiClient, *, key: str, method: str, path: str, digest: str) -> ApiReply:
    """The kept reply of the same request (``status`` is set), or a fresh claim (``status`` 0).

    Raises :class:`ReplyOfAnother` if the body was another, :class:`ReplyInProgress` while the first is at work. A claim
    whose worker died is taken over once it has run out.
    """
    now = clock.real_now()
    ApiReply.objects.filter(client=client, expires_at__lt=now).delete()
    values = {"digest": digest, "claimed_until": now + CLAIM, "expires_at": now + KEPT}
    same = {"client": client, "method": method, "path": path, "key": key}
    try:
        with transaction.atomic():
            return ApiReply.objects.create(organization_id=client.organization_id, **same, **values)
    except IntegrityError:
        pass  # There is one already: it is answered from, refused, or taken over.
    row = ApiReply.objects.filter(**same).first()
    if row is None:
        return claim_reply(client, key=key, method=method, path=path, digest=digest)
    if row.digest != digest:
        raise ReplyOfAnother
    if row.status:
        return row
    free = ApiReply.objects.filter(pk=row.pk, status=0, claimed_until__lt=now)
    if free.update(claimed_until=now + CLAIM):
        row.claimed_until = now + CLAIM
        return row
    raise ReplyInProgress(max(1, int((row.claimed_until - now).total_seconds())))


def keep_reply(row: ApiReply, *, status: int, body: str, location: str, is_secret: bool = False) -> None:
    """Write the answer down, within the transaction of the change; encrypted if it tells a secret."""
    kept = {"sealed_body": crypto.encrypt(body)} if is_secret else {"body": body}
    ApiReply.objects.filter(pk=row.pk).update(status=status, location=location, **kept)


def kept_body(row: ApiReply) -> str:
    """The body of a kept answer."""
    return crypto.decrypt(row.sealed_body) or row.body


def release_reply(row: ApiReply) -> None:
    """Let the key be used again: nothing worth keeping came of it."""
    ApiReply.objects.filter(pk=row.pk, status=0).delete()
