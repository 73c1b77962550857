"""Which words may be an alias, and that none of our own addresses can be one."""

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from cloudbss.checks import check_settings
from core.errors import BusinessError
from resellers.aliases import clean_alias, may_be_alias


@pytest.mark.parametrize("text", ["techsolutions", "abc", "a-b", "cedar", " Cedar ", "x" * 40, "shop24-7"])
def test_good(text):
    assert clean_alias(text) == text.strip().lower()
    assert may_be_alias(clean_alias(text))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "alias_required"),
        ("  ", "alias_required"),
        ("ab", "alias_invalid"),
        ("a--b", "alias_invalid"),
        ("-abc", "alias_invalid"),
        ("abc-", "alias_invalid"),
        ("1abc", "alias_invalid"),
        ("x" * 41, "alias_invalid"),
        ("caf\u00e9", "alias_invalid"),
        ("a.b", "alias_invalid"),
        ("a/b", "alias_invalid"),
        ("api", "alias_reserved"),
        ("Checkout", "alias_reserved"),
        ("statuses", "alias_reserved"),
        ("de", "alias_reserved"),
        ("de-at", "alias_reserved"),
        ("www", "alias_reserved"),
        ("my-shop", "alias_reserved"),
    ],
)
def test_refused(text, code):
    with pytest.raises(BusinessError) as refused:
        clean_alias(text)
    assert refused.value.code == code
    assert refused.value.field == "alias"
    assert not may_be_alias(text.strip().lower())


def segments(patterns) -> set[str]:
    found = set()
    for row in patterns:
        text = str(row.pattern)
        if isinstance(row, URLResolver) and not text:
            found |= segments(row.url_patterns)
        elif isinstance(row, URLPattern | URLResolver) and text:
            found.add(text.split("/")[0])
    return found


def test_every_first_segment_of_ours_is_reserved():
    ours = segments(get_resolver().url_patterns)
    assert {"bss", "admin", "accounts", "basket"} <= ours
    assert [segment for segment in ours if may_be_alias(segment)] == []


def test_a_check_stops_the_start_if_one_is_not(monkeypatch):
    monkeypatch.setattr("cloudbss.checks.may_be_alias", lambda word: word == "basket")
    found = [message for message in check_settings(None) if message.id == "cloudbss.E011"]
    assert len(found) == 1
    assert "basket" in found[0].msg
