"""A few random walks; ``make chaos`` walks much longer."""

import os

import pytest
from django.conf import LazySettings
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.provisioning.walks import walk

WALKS = int(os.environ.get("WALKS", "6"))
STEPS = int(os.environ.get("WALK_STEPS", "12"))


@pytest.mark.django_db(transaction=True)
def test_whatever_anybody_does_the_ledger_holds(twins, settings_of_walk):
    run_state_machine_as_test(walk(twins), settings=settings_of_walk)


@pytest.fixture
def settings_of_walk(settings: LazySettings) -> object:
    """Short waits; the same walks each time, unless more are asked for."""
    settings.VENDOR_READ_TIMEOUT = settings.VENDOR_WRITE_TIMEOUT = 0.4
    return _bounded()


def _bounded() -> settings:
    return settings(
        max_examples=WALKS,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        derandomize="WALKS" not in os.environ,
        suppress_health_check=list(HealthCheck),
    )
