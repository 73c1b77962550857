"""Stored secrets: cipher text at rest, rotation, and a wrong key that says so without breaking a page."""

from io import StringIO

import pytest
from cryptography.fernet import Fernet
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.db import connection

from core import crypto
from core.crypto import SecretUnreadable
from tests import factories
from vendors.models import Instance, InstanceSecret
from vendors.services.instances import read_secret, write_secret

OLD, NEW, OTHER = (Fernet.generate_key().decode() for _ in range(3))


@pytest.fixture(autouse=True)
def old_key(settings: LazySettings) -> None:
    settings.FIELD_ENCRYPTION_KEYS = [OLD]


def stored(instance: Instance) -> str:
    """What really lies in the table."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT value_cipher FROM vendors_instancesecret WHERE instance_id = %s", [instance.pk])
        row = cursor.fetchone()
    return str(row[0])


@pytest.mark.parametrize("text", ["secret", "Ωμέγα – 秘密", "x" * 5000])
def test_text_comes_back_and_is_never_twice_the_same(text: str):
    first, second = crypto.encrypt(text), crypto.encrypt(text)
    assert first != second
    assert text not in first
    assert (crypto.decrypt(first), crypto.decrypt(second)) == (text, text)


def test_empty_text_stays_empty():
    assert (crypto.encrypt(""), crypto.decrypt(""), crypto.decrypt_json("")) == ("", "", {})


def test_json_comes_back():
    assert crypto.decrypt_json(crypto.encrypt_json({"key": "value", "n": 3})) == {"key": "value", "n": 3}


def test_older_key_still_reads_and_the_first_one_writes(settings: LazySettings):
    before = crypto.encrypt("secret")
    settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
    assert crypto.decrypt(before) == "secret"
    after = crypto.encrypt("secret")
    settings.FIELD_ENCRYPTION_KEYS = [NEW]
    assert crypto.decrypt(after) == "secret"
    with pytest.raises(SecretUnreadable) as caught:
        crypto.decrypt(before)
    assert caught.value.code == "secret_unreadable"
    assert "FIELD_ENCRYPTION_KEYS" in str(caught.value)


def test_spoilt_cipher_text_says_so():
    cipher = crypto.encrypt("secret")
    with pytest.raises(SecretUnreadable):
        crypto.decrypt(cipher[:-4] + "AAA=")


def test_no_key_says_what_to_set(settings: LazySettings):
    settings.FIELD_ENCRYPTION_KEYS = []
    with pytest.raises(SecretUnreadable) as caught:
        crypto.encrypt("secret")
    assert caught.value.code == "encryption_key_missing"


@pytest.mark.django_db
def test_secret_lies_encrypted_in_the_table_and_its_row_loads_without_the_key(settings: LazySettings):
    instance = factories.instance(factories.organization())
    write_secret(instance, "refresh_token", "hush-hush")
    assert "hush-hush" not in stored(instance)
    assert read_secret(instance.pk, "refresh_token") == "hush-hush"
    settings.FIELD_ENCRYPTION_KEYS = [OTHER]
    assert InstanceSecret.objects.get(instance=instance).name == "refresh_token"
    with pytest.raises(SecretUnreadable):
        read_secret(instance.pk, "refresh_token")


@pytest.mark.django_db
def test_rotation_writes_everything_with_the_first_key(settings: LazySettings):
    instance = factories.instance(factories.organization(), settings={"application_id": "app"})
    write_secret(instance, "refresh_token", "hush-hush")
    settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
    output = StringIO()
    call_command("rotate_keys", stdout=output)
    settings.FIELD_ENCRYPTION_KEYS = [NEW]
    assert output.getvalue() == "2 secrets written with the first key.\n"
    assert read_secret(instance.pk, "refresh_token") == "hush-hush"
    assert Instance.objects.get(pk=instance.pk).read_settings() == {"application_id": "app"}


@pytest.mark.django_db
def test_rotation_without_the_old_key_stops_and_changes_nothing(settings: LazySettings):
    instance = factories.instance(factories.organization(), settings={"application_id": "app"})
    write_secret(instance, "refresh_token", "hush-hush")
    before = stored(instance)
    settings.FIELD_ENCRYPTION_KEYS = [OTHER]
    with pytest.raises(CommandError, match="former key"):
        call_command("rotate_keys", stdout=StringIO())
    assert stored(instance) == before
