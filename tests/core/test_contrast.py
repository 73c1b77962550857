"""Brand colours stay readable whatever somebody chose."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.contrast import (
    DARK,
    DEFAULT,
    ENOUGH,
    LIGHT,
    brand_css,
    contrast,
    is_colour,
    luminance,
    mix,
    palette,
    readable,
)

colours = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


@given(colours)
@example("#000000")
@example("#ffffff")
@example("#ffff00")
@example("#777777")
@example("#7f7f7f")
@example("#1b1b22")
def test_every_brand_is_readable_in_both_schemes(colour):
    for scheme, background in zip(palette(colour), (LIGHT, DARK), strict=True):
        assert contrast(scheme.on_brand, scheme.brand) >= ENOUGH
        assert contrast(scheme.strong, scheme.soft) >= ENOUGH
        assert contrast(scheme.strong, background) >= ENOUGH


@given(colours)
def test_brand_is_seen_on_the_dark_page(colour):
    assert contrast(palette(colour)[1].brand, DARK) >= ENOUGH


@given(colours)
def test_chosen_colour_is_kept_in_the_light_scheme(colour):
    assert palette(colour)[0].brand == colour


@given(colours, colours)
def test_contrast_is_symmetric_and_within_its_bounds(first, second):
    assert contrast(first, second) == contrast(second, first)
    assert 1 <= contrast(first, second) <= 21.0001


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("#ffffff", "#000000", 21.0),
        ("#ffffff", "#ffffff", 1.0),
        ("#ffffff", "#767676", 4.54),
        ("#ffffff", "#777777", 4.48),
        ("#ff0000", "#ffffff", 4.0),
    ],
)
def test_contrast_as_the_guidelines_compute_it(first, second, expected):
    assert round(contrast(first, second), 2) == expected


def test_luminance_of_the_ends():
    assert (luminance("#000000"), round(luminance("#ffffff"), 6)) == (0, 1)


@pytest.mark.parametrize("text", ["", "red", "#fff", "4036c8", "#4036c8;}", "#4036c8\n", "#gggggg", "url(x)"])
def test_anything_else_is_the_default_brand(text):
    assert not is_colour(text)
    assert palette(text) == palette(DEFAULT)
    assert brand_css(text) == brand_css(DEFAULT)


def test_mixing_and_reading():
    assert mix("#ffffff", "#000000", 0.5) == "#808080"
    assert (mix("#4036c8", "#ffffff", 1), mix("#4036c8", "#ffffff", 0)) == ("#4036c8", "#ffffff")
    assert [readable(colour) for colour in ("#ffffff", "#4036c8", "#7a7a7a")] == [DARK, LIGHT, "#000000"]


def test_style_sheet_holds_colours_and_nothing_else():
    sheet = brand_css("#4036C8")
    assert sheet.startswith(
        ":root{--brand:light-dark(#4036c8,#7e77da);--brand-strong:light-dark(#362eaa,#918be0);"
        "--brand-soft:light-dark(#ecebfa,#252350);--on-brand:light-dark(#ffffff,#1b1b22);"
    )
    colour = r"(?:#[0-9a-f]{6}|light-dark\(#[0-9a-f]{6},#[0-9a-f]{6}\))"
    assert re.fullmatch(rf":root\{{(?:--[a-z-]+:{colour};)+\}}\n", sheet)
