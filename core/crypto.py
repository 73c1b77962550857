"""Encryption of stored secrets with Fernet: the first of ``FIELD_ENCRYPTION_KEYS`` writes, all of them read.

Columns hold cipher text in a :class:`CipherField`; nothing is decrypted by loading a row, so a wrong key spoils one
action with a clear message and never a page.
"""

import json
from collections.abc import Mapping
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.apps import apps
from django.conf import settings
from django.db import models, transaction
from django.utils.translation import gettext as _

from core.errors import BusinessError


class SecretUnreadable(BusinessError):
    """A stored secret was written with a key that is no longer given."""


class CipherField(models.TextField[Any, Any]):
    """A text column that holds cipher text only; read and write it through :mod:`core.crypto`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("blank", True)
        kwargs.setdefault("default", "")
        kwargs.setdefault("editable", False)
        super().__init__(*args, **kwargs)


def _fernet() -> MultiFernet:
    keys = [Fernet(key.encode()) for key in settings.FIELD_ENCRYPTION_KEYS]
    if not keys:
        raise SecretUnreadable("encryption_key_missing", _("Set FIELD_ENCRYPTION_KEYS before storing a secret."))
    return MultiFernet(keys)


def encrypt(text: str) -> str:
    """Cipher text of ``text``; the empty string stays empty."""
    return _fernet().encrypt(text.encode()).decode() if text else ""


def decrypt(cipher: str) -> str:
    """The text behind ``cipher``; raises :class:`SecretUnreadable` with what the operator has to do."""
    if not cipher:
        return ""
    try:
        return _fernet().decrypt(cipher.encode()).decode()
    except InvalidToken as error:
        raise SecretUnreadable(
            "secret_unreadable",
            _("A stored secret cannot be read with the present keys. Add the former key to FIELD_ENCRYPTION_KEYS."),
        ) from error


def encrypt_json(value: Mapping[str, Any]) -> str:
    """Cipher text of a JSON object."""
    return encrypt(json.dumps(value, default=str))


def decrypt_json(cipher: str) -> dict[str, Any]:
    """The JSON object behind ``cipher``; an empty column is an empty object."""
    text = decrypt(cipher)
    value = json.loads(text) if text else {}
    return dict(value)


def rotate_all() -> int:
    """Write every cipher column again with the first key; returns how many values were written."""
    written = 0
    fernet = _fernet()
    for model in apps.get_models():
        names = [field.name for field in model._meta.get_fields() if isinstance(field, CipherField)]
        for name in names:
            rows = model._base_manager.exclude(**{name: ""}).values_list("pk", name)
            for pk, cipher in rows.iterator(chunk_size=500):
                decrypt(cipher)
                with transaction.atomic():
                    fresh = fernet.rotate(cipher.encode()).decode()
                    written += model._base_manager.filter(**{"pk": pk, name: cipher}).update(**{name: fresh})
    return written
