"""What is kept for a few seconds: by argument, no longer than that, and never where it is switched off."""

import pytest
from django.conf import LazySettings

from core import brief


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A monotonic clock that the test moves."""
    now = [100.0]
    monkeypatch.setattr(brief.time, "monotonic", lambda: now[0])
    return now


def test_answer_is_kept_for_its_time(settings: LazySettings, clock: list[float]):
    settings.BRIEF_SECONDS = 5
    asked: list[str] = []
    read = brief.briefly(lambda host: asked.append(host))

    read("a.test")
    read("a.test")
    read("b.test")
    clock[0] += 4.9
    read("a.test")
    clock[0] += 0.2
    read("a.test")

    assert asked == ["a.test", "b.test", "a.test"]


def test_zero_seconds_keep_nothing(settings: LazySettings, clock: list[float]):
    settings.BRIEF_SECONDS = 0
    asked: list[str] = []
    read = brief.briefly(lambda host: asked.append(host))

    read("a.test")
    read("a.test")

    assert asked == ["a.test", "a.test"]


def test_memory_has_an_end(settings: LazySettings, clock: list[float]):
    settings.BRIEF_SECONDS = 5
    asked: list[int] = []
    read = brief.briefly(lambda number: asked.append(number))

    for number in range(brief.MAX_KEPT + 1):
        read(number)
    read(0)

    assert asked == [*range(brief.MAX_KEPT + 1), 0]
