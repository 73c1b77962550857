"""The keys of licences: shown to few, counted, and sent again on request (``esd.md`` 7, 12).

A key is decrypted for the answer to one reveal, for the mail that brings it, and to mask it in what people type.
It is in no log, audit entry, event or list.
"""

import datetime as dt
from collections.abc import Sequence

from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils.translation import gettext as _

from core import audit, clock, crypto
from core.audit import AuditEntry
from core.errors import BusinessError, NotVisible, PermissionRefused
from core.tenancy import Actor, TenantQuerySet
from subscriptions.asset_enums import DeliveryNote
from subscriptions.asset_rules import AssetAction, demand_action
from subscriptions.asset_selectors import delivery_account, delivery_addresses
from subscriptions.models import Asset, AssetKey
from subscriptions.models.asset import TAIL
from subscriptions.services.assets import tell_asset
from subscriptions.services.returns import lock_asset, require_asset_manage
from users.permissions import Perm

REVEALS_AN_HOUR = 30
KEYS_AT_ONCE, KEY_LENGTH = 100, 64
MIN_KEY_LENGTH = 6  # A shorter one would be shown whole where only its end may be.
RESENDS_A_DAY = 5
REVEALED, REVEAL_LIMIT, RESENT = "asset.key_revealed", "asset.reveal_limit", "asset.resent"
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)


def reveal_token(actor: Actor, asset: Asset) -> str:
    """The whole key, for one answer; who saw it, when and from where is audited. Several keys stand one a line.

    Raises BusinessError ``reveal_limit`` after 30 reveals of a user within an hour; the first refusal of an hour tells
    the organization's administrators. Nobody sees a key while he looks at the storefront as a customer.
    """
    row = Asset.objects.visible_to(actor).select_related("account", "bill_to").filter(pk=asset.pk).first()
    if row is None:
        raise NotVisible("asset_missing", _("This licence does not exist."))
    if actor.viewing_as or actor.user_id is None:
        raise PermissionRefused("viewing_only", _("Keys are shown to people under their own name only."))
    actor.require(Perm.TOKEN_REVEAL if actor.is_staff else Perm.SHOP_TOKEN_REVEAL, row.account)
    demand_action(row, AssetAction.REVEAL)
    key = "\n".join(_clear_keys(row))
    if not _count_reveal(actor, row):
        raise BusinessError("reveal_limit", _("Too many reveals; try later."))
    return key


@transaction.atomic
def _count_reveal(actor: Actor, row: Asset) -> bool:
    """Write the reveal down; False, and once an hour a notice, if the user has had his share."""
    # Two reveals at the same moment must not both be the thirtieth.
    get_user_model()._base_manager.select_for_update(of=("self",)).get(pk=actor.user_id or 0)
    lately = AuditEntry.objects.filter(actor_user_id=actor.user_id, at__gte=clock.now() - HOUR)
    if lately.filter(action=REVEALED).count() < REVEALS_AN_HOUR:
        audit.record(actor, "asset.key_revealed", row)
        return True
    if not lately.filter(action=REVEAL_LIMIT).exists():
        audit.record(actor, "asset.reveal_limit", row)
        tell_asset(row, "reveal_limit", who=actor.label, ip=actor.ip)
    return False


@transaction.atomic
def resend_token(actor: Actor, *, asset: Asset, email: str = "") -> Asset:
    """Send the mail with the key once more, to the same reader or to ``email``; at most five times in 24 hours.

    ``email`` must be an address of a contact or user of the account the licence is mailed to. Emits ``asset.resent``.
    """
    row = lock_asset(actor, asset)
    require_asset_manage(actor, row)
    demand_action(row, AssetAction.RESEND)
    sent = AuditEntry.objects.filter(
        object_type=row._meta.label_lower, object_id=row.public_id, action=RESENT, at__gte=clock.now() - DAY
    )
    if sent.count() >= RESENDS_A_DAY:
        raise BusinessError("resend_limit", _("It was sent five times today. Try again tomorrow."))
    if not actor.reaches(delivery_account(row)):
        raise PermissionRefused("delivery_foreign", _("This account is not yours."))
    address = _known_address(row, email)
    Asset.objects.filter(pk=row.pk).update(delivery_note=DeliveryNote.QUEUED, updated_at=clock.real_now())
    row.delivery_note = DeliveryNote.QUEUED
    audit.record(actor, "asset.resent", row, after={"email": address})
    tell_asset(row, "resent", to=address)
    return row


def _known_address(row: Asset, email: str) -> str:
    known = delivery_addresses(row)
    if not known:
        raise BusinessError("address_missing", _("Nobody at the account has an e-mail address."), field="email")
    wanted = email.strip().lower()
    if not wanted:
        return known[0]
    found = next((address for address in known if address.lower() == wanted), "")
    if not found:
        raise BusinessError(
            "address_foreign", _("Choose an address of a contact or user of the account."), field="email"
        )
    return found


def keys_for_mail(row: Asset) -> list[tuple[str, str]]:
    """What the stored mail shows of each key, and the key; for the mailer at the moment of sending and nobody else.

    The last comes first, so that replacing one after another never hits the end of a longer number.
    """
    if not row.is_perpetual:
        return [(row.masked_token, crypto.decrypt(row.token_cipher))]
    pairs = zip(shown_keys(row), _clear_keys(row), strict=True)
    return [(shown, shown.partition(" ")[0] + " " + key) for shown, key in reversed(list(pairs))]


def shown_keys(row: Asset) -> list[str]:
    """A perpetual licence's keys as mails keep them: numbered and masked. A number never changes its key."""
    return [f"{number}. {key.masked}" for number, key in enumerate(_entered(row), start=1)]


def _entered(row: Asset) -> TenantQuerySet[AssetKey]:
    return AssetKey.objects.filter(asset=row).order_by("pk")


def _clear_keys(row: Asset) -> list[str]:
    ciphers = [key.cipher for key in _entered(row)] if row.is_perpetual else [row.token_cipher]
    return [crypto.decrypt(cipher) for cipher in ciphers]


@transaction.atomic
def add_keys(actor: Actor, *, asset: Asset, keys: Sequence[str]) -> int:
    """Store 1 to 100 keys, of at most 64 signs, that staff read at the vendor; returns how many. Nothing is mailed.

    Raises BusinessError ``keys_missing``, ``keys_many``, ``key_long`` or ``key_double`` (in the list, or entered
    before); then none is stored. The words name a key by its place, never the key itself.
    """
    row = lock_asset(actor, asset)
    actor.require(Perm.SERVICE_MANAGE, row.account)
    demand_action(row, AssetAction.ADD_KEYS)
    wanted = [key.strip() for key in keys if key.strip()]
    _check_keys(wanted, {_plain(key) for key in _clear_keys(row)})
    AssetKey.objects.bulk_create(
        AssetKey(
            organization_id=row.organization_id,
            asset=row,
            cipher=crypto.encrypt(key),
            tail=key[-TAIL:],
            entered_by=actor.label,
        )
        for key in wanted
    )
    audit.record(actor, "asset.keys_added", row, after={"keys": len(wanted)})
    return len(wanted)


def _check_keys(wanted: Sequence[str], known: set[str]) -> None:
    if not wanted:
        raise BusinessError("keys_missing", _("Type at least one key."), field="keys")
    if len(wanted) > KEYS_AT_ONCE:
        words = _("Enter %(n)s keys at most at once.") % {"n": KEYS_AT_ONCE}
        raise BusinessError("keys_many", words, field="keys")
    seen = set(known)
    for number, key in enumerate(wanted, start=1):
        if not MIN_KEY_LENGTH <= len(key) <= KEY_LENGTH:
            words = _("Key %(n)s is not between %(min)s and %(max)s signs long.")
            values = {"n": number, "min": MIN_KEY_LENGTH, "max": KEY_LENGTH}
            raise BusinessError("key_long", words % values, field="keys")
        if _plain(key) in seen:
            words = _("Key %(n)s is there already. Each key is entered once.") % {"n": number}
            raise BusinessError("key_double", words, field="keys")
        seen.add(_plain(key))


def _plain(key: str) -> str:
    """A key without what people put between its groups."""
    return "".join(sign for sign in key if sign.isalnum()).upper() or key


def note_delivery(asset_id: int, note: str) -> None:
    """What became of the mail with the key."""
    Asset.objects.filter(pk=asset_id).update(delivery_note=note, updated_at=clock.real_now())
