"""How values look on the wire."""

import datetime as dt
from zoneinfo import ZoneInfo

from api.wire import moment


def test_moments_have_milliseconds_in_utc():
    texts = {
        dt.datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=dt.UTC): "2026-01-02T03:04:05.678Z",
        dt.datetime(2026, 1, 2, 3, 4, 5, 1, tzinfo=dt.UTC): "2026-01-02T03:04:05.000Z",
        dt.datetime(2026, 1, 2, tzinfo=dt.UTC): "2026-01-02T00:00:00.000Z",
        dt.datetime(2026, 7, 2, 3, 4, 5, 999999, tzinfo=ZoneInfo("Europe/Athens")): "2026-07-02T00:04:05.999Z",
    }
    assert [moment(value) for value in texts] == list(texts.values())
    assert moment(None) is None
