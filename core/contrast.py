"""Colours of a brand: readable on light and on dark whatever somebody chose (WCAG 2.2, contrast 4.5 to 1)."""

import re
from dataclasses import dataclass

ENOUGH = 4.5
LIGHT, DARK, BLACK = "#ffffff", "#1b1b22", "#000000"
DEFAULT = "#4036c8"
Rgb = tuple[float, float, float]


def is_colour(text: str) -> bool:
    """Whether ``text`` is a colour as ``#rrggbb``."""
    return re.fullmatch(r"#[0-9a-fA-F]{6}", text) is not None


def _rgb(colour: str) -> Rgb:
    return (int(colour[1:3], 16) / 255, int(colour[3:5], 16) / 255, int(colour[5:7], 16) / 255)


def _hex(rgb: Rgb) -> str:
    return "#" + "".join(f"{round(part * 255):02x}" for part in rgb)


def luminance(colour: str) -> float:
    """Relative luminance of ``#rrggbb``, 0 to 1 (WCAG 2.2, "relative luminance")."""
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in _rgb(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(first: str, second: str) -> float:
    """Contrast of two colours, 1 to 21."""
    lighter, darker = sorted((luminance(first), luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def readable(background: str) -> str:
    """White or near-black, whichever reads better on ``background``; black on the middle tones that need it."""
    best = max(LIGHT, DARK, key=lambda colour: contrast(background, colour))
    return best if contrast(background, best) >= ENOUGH else max(LIGHT, BLACK, key=lambda c: contrast(background, c))


def mix(colour: str, other: str, share: float) -> str:
    """``share`` of ``colour`` with the rest of ``other``."""
    first, second = _rgb(colour), _rgb(other)
    red, green, blue = (a * share + b * (1 - share) for a, b in zip(first, second, strict=True))
    return _hex((red, green, blue))


def towards(colour: str, background: str, target: str) -> str:
    """``colour`` moved towards ``target`` only as far as it needs to be readable on ``background``."""
    for step in range(20, -1, -1):
        candidate = mix(colour, target, step / 20)
        if contrast(candidate, background) >= ENOUGH:
            return candidate
    return target


@dataclass(frozen=True)
class Palette:
    """What the style sheets need of a brand, for one scheme."""

    brand: str
    strong: str
    soft: str
    on_brand: str


def palette(colour: str) -> tuple[Palette, Palette]:
    """The light and the dark palette of a brand colour; the default brand for anything that is no colour."""
    chosen = colour.lower() if is_colour(colour) else DEFAULT
    light_soft = mix(chosen, LIGHT, 0.1)
    dark_soft = mix(chosen, "#1b1b22", 0.28)
    light = Palette(chosen, towards(mix(chosen, "#000000", 0.85), light_soft, "#000000"), light_soft, readable(chosen))
    bright = towards(mix(chosen, LIGHT, 0.75), "#1b1b22", LIGHT)
    dark = Palette(bright, towards(mix(bright, LIGHT, 0.85), dark_soft, LIGHT), dark_soft, readable(bright))
    return light, dark


def brand_css(colour: str, accent: str = "") -> str:
    """The style sheet that puts a brand's colours over the tokens; made of numbers only."""
    light, dark = palette(colour)
    second_light, second_dark = palette(accent if is_colour(accent) else colour)
    pairs = {
        "--brand": (light.brand, dark.brand),
        "--brand-strong": (light.strong, dark.strong),
        "--brand-soft": (light.soft, dark.soft),
        "--on-brand": (light.on_brand, dark.on_brand),
        "--accent": (second_light.brand, second_dark.brand),
        "--accent-strong": (second_light.strong, second_dark.strong),
        "--accent-soft": (second_light.soft, second_dark.soft),
        "--on-accent": (second_light.on_brand, second_dark.on_brand),
    }
    rules = "".join(f"{name}:light-dark({first},{second});" for name, (first, second) in pairs.items())
    # A hero in full colour stays the brand's own in both schemes, so its letters are reckoned once.
    chosen, letters = light.brand, readable(light.brand)
    deep = mix(chosen, BLACK if letters == LIGHT else LIGHT, 0.72)
    rules += f"--brand-full:{chosen};--brand-deep:{deep};--on-brand-full:{letters};"
    return f":root{{{rules}}}\n"


def brand_query(colour: str, accent: str) -> str:
    """The query of the address of a brand's style sheet; empty for the colours of the tokens."""
    parts = [f"{key}={value[1:]}" for key, value in (("b", colour), ("a", accent)) if is_colour(value)]
    return "&".join(parts)


@dataclass(frozen=True)
class ColourNote:
    """What is corrected of a colour so that it can be read: contrast as chosen, and the colour used instead."""

    chosen: str
    used: str
    contrast: str


def colour_note(colour: str) -> ColourNote | None:
    """The correction of a brand colour where it is used for letters on white; None if it is readable as it is."""
    if not is_colour(colour):
        return None
    found = contrast(colour.lower(), LIGHT)
    if found >= ENOUGH:
        return None
    light, _dark = palette(colour)
    return ColourNote(colour.lower(), light.strong, f"{found:.1f}")
