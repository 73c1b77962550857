"""Pictures for products that have none: drawn from the name, so that a product always looks the same."""

import hashlib
from functools import lru_cache

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

PAIRS = [
    ("#3d5af1", "#22d1ee"),
    ("#6a3de8", "#e86fb3"),
    ("#0f766e", "#7bd389"),
    ("#c2410c", "#fbbf6b"),
    ("#1e40af", "#8b9bf7"),
    ("#9d174d", "#f6a5a5"),
    ("#155e75", "#67c8d8"),
    ("#4d7c0f", "#d1e27a"),
]


@lru_cache(maxsize=4096)
def tile_art(name: str, family: str = "") -> SafeString:
    """An SVG of soft shapes with the product's initials; a family's are of one colour."""
    seed = hashlib.sha256(name.encode()).digest()
    first, second = PAIRS[hashlib.sha256(family.encode()).digest()[0] % len(PAIRS) if family else seed[9] % len(PAIRS)]
    key = seed.hex()[:8]
    shapes = format_html_join(
        "",
        '<circle cx="{}" cy="{}" r="{}" fill="#fff" opacity="0.{}"/>',
        ((seed[i] * 320 // 255, seed[i + 1] * 160 // 255, 25 + seed[i + 2] // 3, 10 + seed[i] % 12) for i in (0, 3, 6)),
    )
    return format_html(
        '<svg class="tile-art" viewBox="0 0 320 160" preserveAspectRatio="xMidYMid slice" aria-hidden="true">'
        '<defs><linearGradient id="art-{key}" x1="0" y1="0" x2="1" y2="1"><stop offset="0" stop-color="{first}"/>'
        '<stop offset="1" stop-color="{second}"/></linearGradient></defs>'
        '<rect width="320" height="160" fill="url(#art-{key})"/>{shapes}'
        '<text x="160" y="98" text-anchor="middle" fill="#fff" font-size="52" font-weight="750" '
        'font-family="system-ui, sans-serif" letter-spacing="-2">{letters}</text></svg>',
        key=key,
        first=first,
        second=second,
        shapes=shapes,
        letters=initials(name),
    )


def telling_words(name: str) -> list[str]:
    """The words of a name that set it apart: without the vendor and little words; one word at least."""
    skipped = {"microsoft", "the", "for", "and", "of"}
    words = ["".join(c for c in word if c.isalnum()) for word in name.split()]
    return [word for word in words if word and word.lower() not in skipped] or [name]


def initials(name: str) -> str:
    """Up to two letters for a name: of its first two telling words, or a short one such as E3 as it is."""
    words = telling_words(name)
    if words[0].isdigit() and len(words) > 1:
        words = words[1:]
    if len(words[0]) <= 2:
        return words[0].upper() or "?"
    return "".join(word[0].upper() for word in words[:2]) or "?"
