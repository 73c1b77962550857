"""Storefront aliases: which words may stand first in an address (``channel.md`` 3.4).

``RESERVED`` holds every first segment of our own addresses; a system check keeps that so, or nothing starts.
"""

import re

from django.utils.translation import gettext as _

from core.errors import BusinessError

FORM = re.compile(r"^[a-z](?:[a-z0-9]|-(?!-)){1,38}[a-z0-9]$")

_WORDS = """
account admin api app asset auth billing bss cart catalogue checkout customer docs error favicon file health help
home image legal login logout mail media oauth order password payment ping privacy product register reseller
robots root security setting setup shop sitemap sso static status store storefront subscription support system
terms test user webhook well-known www"""
# First segments of our addresses that are none of these words.
_PATHS = """
apidocs basket brand.css company export favicon.ico healthz hook licence my-shop readyz service styleguide view-as
approval plan registration tls"""
# Language tags as sites use them, alone or with a region.
_LANGUAGES = """
ar bg cs da de el en es et eu fi fr ga he hr hu is it ja ko lt lv mk mt nb nl nn no pl pt ro ru sk sl sq sr sv
tr uk zh"""


def _forms(word: str) -> set[str]:
    """Singular and plural of a word."""
    plurals = {f"{word}s", f"{word}es"}
    if word.endswith("y"):
        plurals.add(f"{word[:-1]}ies")
    if word.endswith("s"):
        plurals.add(word[:-1])
    return {word, *plurals}


RESERVED = frozenset(form for word in f"{_WORDS} {_PATHS}".split() for form in _forms(word)) | frozenset(
    _LANGUAGES.split()
)
_TAG = re.compile(rf"^(?:{'|'.join(_LANGUAGES.split())})-[a-z]{{2,4}}$")


def is_reserved(word: str) -> bool:
    """Whether the word, in lower case, is kept for our own addresses or is a language tag."""
    return word in RESERVED or bool(_TAG.match(word))


def clean_alias(text: str) -> str:
    """The alias as it is kept, in lower case.

    Raises BusinessError ``alias_required``, ``alias_invalid`` or ``alias_reserved`` with the field ``alias``. Whether
    it is taken is decided by :mod:`resellers.services.sites`.
    """
    alias = text.strip().lower()
    if not alias:
        raise BusinessError("alias_required", _("Type the storefront alias."), field="alias")
    if is_reserved(alias):
        raise BusinessError("alias_reserved", _("This word is reserved. Choose another."), field="alias")
    if not FORM.match(alias):
        raise BusinessError(
            "alias_invalid", _("3 to 40 letters, digits or hyphens, beginning with a letter."), field="alias"
        )
    return alias


def may_be_alias(segment: str) -> bool:
    """Whether a first path segment could be somebody's alias; asks nobody."""
    return bool(FORM.match(segment)) and not is_reserved(segment)
