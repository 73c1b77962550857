"""The words in other languages: whole, with the same holes as the English ones, and as young as the code."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po
from django.conf import settings
from django.utils import translation

from cloudbss.texts import LOCALE, compile_texts

OTHERS = [code for code, _name in settings.LANGUAGES if code != "en"]
HOLE = re.compile(r"%\(\w+\)[sd]|%[sd]\b|%%|\{\{.*?\}\}|\{\w*\}|</?[a-zA-Z][^>]*>")
IGNORED = (".venv", "tests", "bench", "staticfiles", "locale")


def catalogue(code: str, folder: Path = LOCALE) -> Catalog:
    with (folder / code / "LC_MESSAGES" / "django.po").open("rb") as file:
        return read_po(file, locale=code)


def messages(code: str) -> Iterator[Message]:
    return (message for message in catalogue(code) if message.id)


def forms(words: object) -> list[str]:
    return [str(word) for word in words] if isinstance(words, list | tuple) else [str(words)]


@pytest.mark.parametrize("code", OTHERS)
def test_every_message_is_translated(code: str):
    missing = [message.id for message in messages(code) if message.fuzzy or not all(forms(message.string))]
    assert missing == []


@pytest.mark.parametrize("code", OTHERS)
def test_holes_are_the_same(code: str):
    """A form for one may leave its number out; none may have a hole that the English words don't fill."""
    wrong = []
    for message in messages(code):
        english = [sorted(HOLE.findall(form)) for form in forms(message.id)]
        for own in (sorted(HOLE.findall(form)) for form in forms(message.string)):
            if own not in english:
                wrong.append((message.id, english, own))
    assert wrong == []


@pytest.mark.parametrize("code", OTHERS)
def test_edges_are_the_same(code: str):
    """Words are put together with what stands around them, so a blank or a line's end at an edge counts."""
    for message in messages(code):
        for english, own in zip(forms(message.id), forms(message.string), strict=True):
            assert (english[0].isspace(), english[-1].isspace()) == (own[0].isspace(), own[-1].isspace()), english


@pytest.mark.parametrize("code", OTHERS)
def test_messages_are_those_of_the_code(code: str, tmp_path: Path):
    """What ``make texts`` would find: nothing new, and nothing that nobody says any more."""
    if shutil.which("xgettext") is None:
        pytest.fail("No xgettext found: install Debian's package 'gettext'.")
    # In a copy, for the command writes into the folder ``locale`` that it finds.
    ignored = shutil.ignore_patterns(*IGNORED, ".*", "*.po", "*.mo")
    shutil.copytree(LOCALE.parent, tmp_path / "code", ignore=ignored)
    (tmp_path / "code" / "locale").mkdir()
    script = (
        "import django; from django.conf import settings; django.setup(); settings.LOCALE_PATHS = [];"
        "from django.core.management import call_command;"
        f"call_command('makemessages', locale=[{code!r}], verbosity=0)"
    )
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script], cwd=tmp_path / "code", check=True, capture_output=True
    )
    found = {(row.context, forms(row.id)[0]) for row in catalogue(code, tmp_path / "code" / "locale") if row.id}
    kept = {(row.context, forms(row.id)[0]) for row in messages(code)}
    assert (sorted(found - kept, key=str), sorted(kept - found, key=str)) == ([], []), (
        "Say `make texts`, then translate."
    )


def test_compiled_once_and_again_when_it_changed(tmp_path: Path):
    folder = tmp_path / "el" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "django.po").write_text(
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\nmsgid "a"\nmsgstr "α"\n'
    )
    assert compile_texts(tmp_path) == [folder / "django.mo"]
    assert compile_texts(tmp_path) == []
    os.utime(folder / "django.po", (2**31, 2**31))
    assert compile_texts(tmp_path) == [folder / "django.mo"]


def test_pages_speak_them():
    with translation.override("el"):
        assert translation.gettext("Subscriptions") == "Συνδρομές"
