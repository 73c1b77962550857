"""Fixtures of the twins' own tests: the process over real HTTP, reset before each test."""

from collections.abc import Iterator

import pytest

from tests.twins import Twins

API = "https://api.partnercenter.microsoft.com"


@pytest.fixture
def twin(twin_process: Twins) -> Iterator[Twins]:
    """The worker's twin process with empty vendors and no faults."""
    if twin_process.process.stdout:
        # Its only line has been read; left to the collector it would be a warning.
        twin_process.process.stdout.close()
    twin_process.reset()
    yield twin_process
    twin_process.no_faults()
