"""The movable clock: a move is seen at once where it was made, and soon elsewhere; asking for the time asks nobody."""

import datetime as dt
from types import SimpleNamespace

import pytest
from django.conf import LazySettings
from django.core.cache import cache

from core import clock

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What the process's monotonic clock shows."""
    shown = [1000.0]
    monkeypatch.setattr(clock, "time", SimpleNamespace(monotonic=lambda: shown[0]))
    clock.forget()
    return shown


def test_a_move_is_seen_at_once(seconds):
    assert clock.offset() == dt.timedelta()
    assert clock.advance(DAY) - clock.real_now() == pytest.approx(DAY, abs=dt.timedelta(seconds=5))
    assert clock.offset() == DAY


def test_a_move_elsewhere_is_seen_when_the_offset_is_no_longer_kept(seconds):
    assert clock.offset() == dt.timedelta()
    clock.ClockOffset.objects.create(pk=1, seconds=60)
    cache.delete("core.clock.offset")
    assert clock.offset() == dt.timedelta()
    seconds[0] += clock.KEPT_SECONDS + 0.01
    assert clock.offset() == dt.timedelta(seconds=60)


def test_the_time_is_asked_for_without_a_question(seconds, django_assert_num_queries, monkeypatch):
    clock.offset()
    monkeypatch.setattr(cache, "get", lambda _key: pytest.fail("the cache was asked"))
    with django_assert_num_queries(0):
        clock.now()


def test_where_it_may_not_be_moved_it_is_the_real_one(seconds, settings: LazySettings):
    clock.advance(DAY)
    settings.CLOCK_MOVABLE = False
    assert clock.offset() == dt.timedelta()
