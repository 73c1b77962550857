"""Tags of the page kit: what they draw, and that assistive technology can follow."""

import datetime as dt
from decimal import Decimal
from html.parser import HTMLParser

import pytest
from django import forms
from django.template import Context, Template
from django.test import RequestFactory
from django.utils import formats, timezone, translation

from ui.art import initials, tile_art
from ui.templatetags import kit
from ui.tones import ICONS as TONE_ICONS
from ui.tones import TONES, tone_of

NOON = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


class Elements(HTMLParser):
    """The elements of a piece of HTML as (name, attributes)."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, {name: value or "" for name, value in attrs}))

    def all(self, *tags: str) -> list[dict[str, str]]:
        return [attrs for tag, attrs in self.found if tag in tags]

    def ids(self) -> list[str]:
        return [attrs["id"] for _tag, attrs in self.found if "id" in attrs]


class Example(forms.Form):
    name = forms.CharField(help_text="As on the invoice.")
    note = forms.CharField(required=False, widget=forms.Textarea)
    mode = forms.ChoiceField(choices=[("a", "A"), ("b", "B")], widget=forms.RadioSelect, help_text="One of both.")
    kinds = forms.MultipleChoiceField(choices=[("x", "X"), ("y", "Y")], widget=forms.CheckboxSelectMultiple)
    agree = forms.BooleanField(label="I accept")

    def clean(self):
        raise forms.ValidationError("Nothing goes <today>.")


def draw(source: str, **context) -> str:
    return Template("{% load kit %}" + source).render(Context(context))


@pytest.mark.parametrize(
    ("state", "tone"), [("active", "success"), ("refused", "danger"), ("queued", "info"), ("made-up", "neutral")]
)
def test_badge_says_the_state_by_word_and_icon(state, tone):
    html = kit.badge(state)
    assert html.startswith(f'<span class="badge tone-{tone}"><svg ')
    assert html.endswith(f"</svg>{state}</span>")
    assert 'aria-hidden="true"' in html


def test_badge_takes_a_tone_and_escapes():
    assert kit.badge("<b>", "danger").endswith("</svg>&lt;b&gt;</span>")
    assert "tone-danger" in kit.badge("active", "danger")
    assert "tone-odd" in kit.badge("active", "odd")


def test_every_tone_has_its_icon():
    assert {tone_of(state) for state in TONES} <= set(TONE_ICONS)
    for tone in TONE_ICONS:
        assert "<svg" in kit.tone_icon(tone)


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        ("12345.6", "12,345.60\u00a0EUR"),
        ("0", "0.00\u00a0EUR"),
        ("-5", "-5.00\u00a0EUR"),
        ("0.0125", "0.0125\u00a0EUR"),
        ("1.5000", "1.50\u00a0EUR"),
        ("1234567890.12", "1,234,567,890.12\u00a0EUR"),
    ],
)
def test_money(amount, words):
    assert kit.format_money(Decimal(amount), "EUR") == words
    assert kit.money(Decimal(amount), "EUR") == f'<span class="num">{words}</span>'


def test_money_in_greek_and_without_amount():
    with translation.override("el"):
        assert kit.format_money(Decimal("12345.6"), "EUR") == "12.345,60\u00a0EUR"
    assert kit.money(None, "EUR") == '<span class="muted">—</span>'


def test_when_shows_the_viewers_zone_and_tells_utc():
    with timezone.override("Europe/Athens"):
        html = kit.when(NOON)
    assert html == (
        '<time datetime="2026-03-01T12:00:00+00:00" title="2026-03-01 12:00:00 UTC" class="nowrap">'
        "March 1, 2026, 2 p.m.</time>"
    )
    assert kit.when(dt.date(2026, 3, 1)) == '<time datetime="2026-03-01" class="nowrap">March 1, 2026</time>'
    assert "—" in kit.when(None)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s ago"),
        (59, "59 s ago"),
        (60, "1 min ago"),
        (3599, "59 min ago"),
        (3600, "1 h ago"),
        (172_799, "47 h ago"),
        (172_800, "2 days ago"),
        (-30, "in 30 s"),
        (-86_400 * 9, "in 9 days"),
    ],
)
def test_ago(still_clock, seconds, words):
    still_clock(NOON + dt.timedelta(seconds=seconds))
    html = kit.ago(NOON)
    assert html.endswith(f">{words}</time>")
    assert 'title="2026-03-01 12:00:00 UTC"' in html


def test_ago_of_nothing_is_a_dash():
    assert kit.ago(None) == '<span class="muted">—</span>'


def test_yes_and_no_are_words_too():
    assert '<span class="visually-hidden">Yes</span>' in kit.yes_no(True)
    assert kit.yes_no(False) == '<span class="muted" aria-label="No">—</span>'


def test_greek_reads_the_clock_by_24_hours():
    moment = dt.datetime(2026, 3, 1, 17, 30, tzinfo=dt.UTC)
    with translation.override("el"):
        assert ">01/03/2026, 17:30<" in kit.when(moment)
        for name in ("DATETIME_FORMAT", "SHORT_DATETIME_FORMAT"):
            assert formats.date_format(moment, name) == "01/03/2026 17:30"
    with translation.override("en"):
        assert ">March 1, 2026, 5:30 p.m.<" in kit.when(moment)


def test_icon_is_decoration_unless_it_has_a_label():
    assert 'aria-hidden="true"' in kit.icon("check")
    assert 'role="img" aria-label="&lt;Done&gt;"' in kit.icon("check", "<Done>")
    with pytest.raises(KeyError):
        kit.icon("no-such-icon")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"new": 3, "changed_rows": [1, 2]}, "new: 3, changed rows: 1, 2"),
        (list(range(12)), "12: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 …"),
        (True, "Yes"),
        (False, "No"),
        (0, "0"),
        (None, "—"),
        ({}, "—"),
        ([], "—"),
    ],
)
def test_json_in_words(value, said):
    assert kit.in_words(value) == said


def test_fields_are_wired_to_their_help_and_errors():
    form = Example({"mode": "z"})
    html = draw("{% form_fields form %}", form=form)
    page = Elements(html)
    ids = page.ids()
    assert len(ids) == len(set(ids))
    controls = {item["name"]: item for item in page.all("input", "textarea") if item.get("id") != "id_mode_1"}
    assert controls["name"]["aria-describedby"] == "id_name_help id_name_errors"
    assert controls["mode"]["aria-describedby"] == "id_mode_help id_mode_errors"
    assert controls["kinds"]["aria-describedby"] == "id_kinds_errors"
    assert controls["agree"]["aria-describedby"] == "id_agree_errors"
    assert "aria-describedby" not in controls["note"]
    assert [name for name, item in controls.items() if item.get("aria-invalid") == "true"] == [
        "name",
        "mode",
        "kinds",
        "agree",
    ]
    described = " ".join(item.get("aria-describedby", "") for item in controls.values()).split()
    assert set(described) <= set(ids)
    assert {item["for"] for item in page.all("label") if "for" in item} <= set(ids)


def test_error_summary_takes_the_focus_and_leads_to_each_field():
    page = Elements(html := draw("{% form_fields form %}", form=Example({"mode": "z"})))
    assert [item["href"] for item in page.all("a")] == ["#id_name", "#id_mode", "#id_kinds", "#id_agree"]
    assert {item["href"][1:] for item in page.all("a")} <= set(page.ids())
    summary = next(item for item in page.all("div") if "error-summary" in item.get("class", ""))
    assert (summary["role"], summary["tabindex"], "data-focus" in summary) == ("alert", "-1", True)
    assert "<li>Nothing goes &lt;today&gt;.</li>" in html


def test_fresh_form_has_no_summary_and_marks_what_is_optional():
    html = draw("{% form_fields form %}", form=Example())
    assert "error-summary" not in html
    assert "aria-invalid" not in html
    assert html.count("(optional)") == 1


def test_query_changes_the_address():
    request = RequestFactory().get("/", {"a": "1", "b": ["2", "3"]})
    assert draw("{% query a=None c='x y' %}", request=request) == "?b=2&amp;b=3&amp;c=x+y"
    assert draw("{% query b=4 %}", request=request) == "?a=1&amp;b=4"


def test_bars_stay_within_their_frame():
    bars = Elements(kit.bars([0, 5, 10], "Orders")).all("rect")
    assert [item["height"] for item in bars] == ["1.00", "16.00", "31.00"]
    assert [float(item["y"]) + float(item["height"]) for item in bars] == [33.0, 33.0, 33.0]
    assert Elements(kit.bars([])).all("rect") == []
    assert 'aria-label="Orders"' in kit.bars([1], "Orders")


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Microsoft 365 Business Standard", "BS"),
        ("Office 365 E3", "O3"),
        ("E3", "E3"),
        ("Power BI Pro", "PB"),
        ("Microsoft", "M"),
        ("", "?"),
        ("—", "—"),
    ],
)
def test_initials(name, letters):
    assert initials(name) == letters


def test_drawn_picture_is_the_same_each_time_and_escapes():
    assert tile_art("Power BI Pro", "bi") == tile_art("Power BI Pro", "bi")
    assert tile_art("Power BI Pro") != tile_art("Exchange Online")
    assert "<b" not in tile_art("<b> <i>", "<u>")
