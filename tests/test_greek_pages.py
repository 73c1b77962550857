"""No English on a Greek page: what a reader sees there is Greek, a name, or what somebody typed.

A word that is not marked for translation stays English whatever the language, and only a look at the pages finds it.
"""

import re
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from tests.house.test_texts import forms, messages
from tests.shop import fill_basket, make_shop, place
from tests.test_url_matrix import BSS, PATTERNS, SHOP, client_of, ids_of

pytestmark = pytest.mark.django_db

LATIN = re.compile(r"[A-Za-z]{2,}")
GREEK = re.compile(r"[Ͱ-Ͽἀ-῿]")
HOLE = re.compile(r"%\(\w+\)[sd]|\{\{.*?\}\}|\{\w*\}|<[^>]*>")
# Addresses, codes, versions and what else is written together with signs or digits; currencies and countries.
CODE = re.compile(r"\S*[\w•][@/:_.\d•][\w•]\S*|\S*\d\S*|\b[A-Z]{2,4}\b|\b[a-z]{2}-[A-Z]{2}\b")
# What the tests' own rows are called.
DATA = re.compile(
    r"\b(?:Distributor|Account|Product|List|Contact|Partner Center|Microsoft 365|Uma User|Suite|A certificate) ?\d+"
    r"|\b(?:A (?:group|rule|job|list|program)|Uma User|Ada Contact|Fir Foods|Unter den Linden)\b"
    r"|\b(?:Uma|Ada|Own|Audio|[Ss]egment|Berlin|Productivity)\b"
)
# Names, and words that are the same in both languages, where they stand alone.
NAMES = frozenset(
    re.findall(
        r"\w+",
        "acronis analytics api azure basic center client cloud csv dns dynamics e english excel gmail google id mail "
        "microsoft mpn oauth office partner perpetual professional qr services sku standard starttls utc webhook "
        "webhooks xlsx",
    )
)
SHOWN = ("title", "aria-label", "placeholder", "alt", "data-label", "data-confirm")
UNSEEN = frozenset({"script", "style", "code", "pre", "textarea", "svg", "time"})
# Prices are explained, and orders told, in the words of the day; they are kept as they were said then.
KEPT = re.compile(r"cost plus|No tax on|\d x |Commercial|commercial|^Free$|prospect, direct")


class Seen(HTMLParser):
    """What a reader sees of a page, piece by piece; not what is in a language of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []
        self.unseen: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        is_place = tag == "option" and "/" in (given.get("value") or "")  # A time zone is called as the world calls it.
        if tag in UNSEEN or is_place or (given.get("lang") and tag != "html"):
            self.unseen.append(tag)
        if not self.unseen:
            self.pieces += [given[name] or "" for name in SHOWN if name in given]

    def handle_endtag(self, tag: str) -> None:
        if self.unseen and self.unseen[-1] == tag:
            self.unseen.pop()

    def handle_data(self, data: str) -> None:
        if not self.unseen and data.strip():
            self.pieces.append(" ".join(data.split()))


@pytest.fixture(autouse=True)
def back_to_english() -> Iterator[None]:
    """A page's language stays with its thread until the next page; the other tests expect English."""
    yield
    translation.deactivate()


@pytest.fixture(scope="module")
def said() -> frozenset[str]:
    """The Latin words that Greek sentences have: names, and what a reader is to type."""
    texts = (form for message in messages("el") for form in forms(message.string))
    return frozenset(word.lower() for text in texts for word in LATIN.findall(HOLE.sub(" ", text)))


def english(page: str, said: frozenset[str]) -> Iterator[str]:
    """The pieces of a page that no Greek text explains."""
    seen = Seen()
    seen.feed(page)
    for piece in seen.pieces:
        if KEPT.search(piece):
            continue
        known = said if GREEK.search(piece) else NAMES
        if any(word.lower() not in known for word in LATIN.findall(CODE.sub(" ", DATA.sub(" ", piece)))):
            yield piece


def pages_of(client: Client, names: list[str], ids: dict[str, str]) -> Iterator[tuple[str, str]]:
    """The pages that this person may read."""
    client.cookies["django_language"] = "el"
    for name in names:
        kind = name.partition(":")[2].split("_")[0]
        arguments = {key: ids.get(key) or ids.get(kind, ids["order"]) for key in PATTERNS[name].pattern.converters}
        arguments |= {key: "nothing" for key in arguments if key in ("slug", "token", "verb", "kind")}
        answer = client.get(reverse(name, kwargs=arguments))
        if answer.status_code == 200 and "text/html" in answer.headers.get("Content-Type", ""):
            yield name, answer.content.decode()


def test_pages_have_no_english_on_them(said: frozenset[str]):
    shop = make_shop()
    order = place(shop.customer_admin, fill_basket(shop, shop.customer_admin))
    ids = ids_of(shop, order)
    found: dict[str, list[str]] = {}
    read = set()
    for role, names in (("administrator", BSS), ("admin", SHOP), ("reseller", SHOP)):
        for name, page in pages_of(client_of(shop, role), names, ids):
            read.add(name)
            for piece in english(page, said):
                found.setdefault(piece, []).append(name)
    assert len(read) > 200
    assert {piece: names[0] for piece, names in found.items()} == {}
