"""What a storefront's look is made of, and which values it may have (``channel.md`` 4.1, 7): pure rules, no database.

A look is a plain dictionary with the keys of :data:`DEFAULTS`. It never holds HTML or CSS: skins, fonts, sections are
names of a list, colours are ``#rrggbb``, images are the hashes of what was kept, texts are texts.
"""

import re
import unicodedata
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

Look = dict[str, Any]


class Skin(models.TextChoices):
    """The looks to choose from; their rules are in ``static/storefront/skins.css``, each for light and dark."""

    CALM = "calm", gettext_lazy("Calm: soft corners, quiet colours")
    CRISP = "crisp", gettext_lazy("Crisp: white, fine lines, straight corners")
    BOLD = "bold", gettext_lazy("Bold: your colour in full, large letters")
    WARM = "warm", gettext_lazy("Warm: paper tones, letters with serifs")


class Font(models.TextChoices):
    """Stacks of fonts that are on people's machines already; nothing is loaded from anywhere."""

    SKIN = "skin", gettext_lazy("As the skin has it")
    SYSTEM = "system", gettext_lazy("Plain (the system's own)")
    HUMANIST = "humanist", gettext_lazy("Friendly (Seravek, Ubuntu, Calibri)")
    GEOMETRIC = "geometric", gettext_lazy("Round (Avenir, Montserrat, Corbel)")
    SERIF = "serif", gettext_lazy("Bookish (Charter, Sitka, Cambria)")
    CLASSIC = "classic", gettext_lazy("Classic (Iowan, Palatino)")


class Scheme(models.TextChoices):
    """Light or dark for who has not chosen himself."""

    AUTO = "auto", gettext_lazy("As the visitor's device")
    LIGHT = "light", gettext_lazy("Light")
    DARK = "dark", gettext_lazy("Dark")


class Section(models.TextChoices):
    """The parts of the home page."""

    HERO = "hero", gettext_lazy("Welcome")
    CATEGORIES = "categories", gettext_lazy("Categories")
    FEATURED = "featured", gettext_lazy("Featured products")
    NEW = "new", gettext_lazy("New products")
    TEXT = "text", gettext_lazy("Text")
    BANNER = "banner", gettext_lazy("Banner with a picture")
    PROMISES = "promises", gettext_lazy("Three promises")


SHOWN_AT_FIRST = (Section.HERO, Section.CATEGORIES, Section.FEATURED, Section.PROMISES)
IMAGES = ("logo", "favicon", "hero_image", "text_image", "banner_image")
COLOURS = ("brand_color", "accent_color")
LINKS = ("hero_link", "banner_link")
# Texts and how many characters they may have; several lines where there may be more than 300.
TEXTS = {
    "name": 100,
    "tagline": 200,
    "introduction": 1000,
    "hero_button": 40,
    "categories_title": 80,
    "featured_title": 80,
    "new_title": 80,
    "text_title": 120,
    "text_body": 4000,
    "banner_title": 120,
    "banner_text": 600,
    "banner_button": 40,
    "footer_text": 600,
    "support_phone": 40,
    "terms": 60_000,
    "privacy": 60_000,
}
CHOICES: dict[str, type[models.TextChoices]] = {"skin": Skin, "font": Font, "scheme": Scheme}
MAX_FOOTER_LINKS = 8
# The columns of a site that a look fills; the rest of it is kept in ``Site.look``.
COLUMNS = (
    "name",
    "tagline",
    "introduction",
    "brand_color",
    "support_email",
    "support_phone",
    "terms",
    "privacy",
)
DEFAULTS: Look = {
    **dict.fromkeys((*TEXTS, *IMAGES, *COLOURS, *LINKS, "support_email", "analytics_id"), ""),
    "skin": Skin.CALM.value,
    "font": Font.SKIN.value,
    "scheme": Scheme.AUTO.value,
    "languages": [],
    "footer_links": [],
    "sections": [[item.value, item in SHOWN_AT_FIRST] for item in Section],
}
_COLOUR = re.compile(r"#[0-9a-f]{6}")
_DIGEST = re.compile(r"[0-9a-f]{64}\.(png|jpg|webp)")
_ANALYTICS = re.compile(r"G-[A-Z0-9]{4,16}")
# Signs that turn the direction of everything after them, so that a text could pose as another one.
_TURNS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def tidy(text: object, *, lines: bool) -> str:
    """A text without control signs and without blanks at its ends; line breaks only where there may be ``lines``."""
    written = unicodedata.normalize("NFC", str(text)).replace("\r\n", "\n").replace("\r", "\n")
    kept = "".join(
        sign for sign in written if sign == "\n" or (unicodedata.category(sign) != "Cc" and sign not in _TURNS)
    )
    return kept.strip() if lines else " ".join(kept.split())


def is_safe_link(text: str) -> bool:
    """Whether this is a path of the site itself or an https address; never a script or another scheme."""
    if any(sign in text for sign in "\\\"'<> \t\n"):
        return False
    if text.startswith("/"):
        return not text.startswith("//")
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme == "https" and bool(parts.hostname) and "@" not in parts.netloc


def clean_look(values: Mapping[str, Any]) -> tuple[Look, dict[str, str]]:
    """The look with its values in their kept form, and what is wrong by field; unknown keys are dropped.

    A value that is wrong is the default in the look, so that what comes out is always safe to show.
    """
    look: Look = {**DEFAULTS, "sections": [list(item) for item in DEFAULTS["sections"]]}
    wrong: dict[str, str] = {}
    given = {name: value for name, value in values.items() if name in DEFAULTS and value is not None}
    for name, limit in TEXTS.items():
        text = tidy(given.get(name, ""), lines=limit > 300)
        if len(text) > limit:
            wrong[name] = _("At most %(limit)s characters; these are %(n)s.") % {"limit": limit, "n": len(text)}
            text = text[:limit]
        look[name] = text
    if not look["name"]:
        wrong["name"] = _("Type the company's name.")
    _clean_codes(look, given, wrong)
    look["languages"] = _languages(given.get("languages"))
    look["footer_links"] = _footer_links(given.get("footer_links"), wrong)
    look["sections"] = _sections(given.get("sections"))
    return look, wrong


def _clean_codes(look: Look, given: Mapping[str, Any], wrong: dict[str, str]) -> None:
    """Whatever has a form of its own: colours, links, images, choices, address and Analytics."""
    for name in COLOURS:
        _take(look, wrong, name, str(given.get(name, "")).strip().lower(), _COLOUR, _("A colour such as #4036c8."))
    for name in IMAGES:
        _take(look, wrong, name, str(given.get(name, "")), _DIGEST, _("Upload the picture again."))
    code = str(given.get("analytics_id", "")).strip().upper()
    _take(look, wrong, "analytics_id", code, _ANALYTICS, _("A measurement ID such as G-AB12CD34EF."))
    for name in LINKS:
        link = str(given.get(name, "")).strip()
        if link and (len(link) > 300 or not is_safe_link(link)):
            wrong[name] = _("A path of your storefront such as /products/, or an address that begins with https://.")
        else:
            look[name] = link
    for name, choices in CHOICES.items():
        value = str(given.get(name, DEFAULTS[name]))
        if value in choices.values:
            look[name] = value
        else:
            wrong[name] = _("Choose one of the list.")
    email = tidy(given.get("support_email", ""), lines=False)
    try:
        if email:
            validate_email(email)
        look["support_email"] = email
    except ValidationError:
        wrong["support_email"] = _("This is no e-mail address.")


def _take(look: Look, wrong: dict[str, str], name: str, text: str, form: re.Pattern[str], words: str) -> None:
    if text and not form.fullmatch(text):
        wrong[name] = words
    else:
        look[name] = text


def _languages(value: object) -> list[str]:
    chosen = {str(item) for item in value} if isinstance(value, list | tuple) else set()
    return [code for code, _name in settings.LANGUAGES if code in chosen]


def _footer_links(value: object, wrong: dict[str, str]) -> list[list[str]]:
    """Pairs of words and address; a text has one a line, as ``Imprint | https://example.com/imprint``."""
    rows: list[list[str]] = []
    if isinstance(value, str):
        lines = [line for line in tidy(value, lines=True).split("\n") if line.strip()]
        rows = [[part.strip() for part in line.rpartition("|")[::2]] for line in lines]
    elif isinstance(value, list):
        rows = [[str(part) for part in row] for row in value if isinstance(row, list) and len(row) == 2]
    good = [[tidy(words, lines=False)[:60], link] for words, link in rows if words.strip() and is_safe_link(link)]
    if len(good) != len(rows):
        wrong["footer_links"] = _(
            "One link a line: the words, a bar, the address. Imprint | https://example.com/imprint"
        )
    if len(good) > MAX_FOOTER_LINKS:
        wrong["footer_links"] = _("At most %(n)s links.") % {"n": MAX_FOOTER_LINKS}
    return good[:MAX_FOOTER_LINKS]


def _sections(value: object) -> list[list[Any]]:
    """Every section once, in the order given; what is not named comes last and is not shown."""
    rows = value if isinstance(value, list) else DEFAULTS["sections"]
    found: dict[str, bool] = {}
    for row in rows:
        if isinstance(row, list | tuple) and len(row) == 2 and str(row[0]) in Section.values:
            found.setdefault(str(row[0]), bool(row[1]))
    return [[name, found[name]] for name in found] + [[item.value, False] for item in Section if item not in found]


def read_look(stored: object) -> Look:
    """The look as it is stored, with the defaults for what it does not say; never anything that is not safe."""
    return clean_look(stored if isinstance(stored, dict) else {})[0]


def shown_look(site: Any) -> Look:
    """The look of a site for its pages, of what was cleaned when it was published; the defaults without a site.

    What stands in the site's own columns is not in it.
    """
    return {**DEFAULTS, **((site.look or {}) if site is not None else {})}
