"""Fixtures of the whole suite; see docs/testing.md."""

import os
import shutil
import socket
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.cache import cache
from django.db import connections, transaction

from core import clock
from core.collector import spare_loaded_code
from tests.flush import be_quick
from tests.services import TEMPLATE
from tests.shop import Shop, make_shop
from tests.twins import Twins

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
BROWSER_OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# A worker that gets this last would be alone at the end: it takes minutes, most of them waiting for others.
FIRST = "tests/house/test_chaos.py"
_connect = socket.socket.connect
be_quick()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest begins first."""
    items.sort(key=lambda item: not item.nodeid.startswith(FIRST))


def pytest_collection_finish() -> None:
    """What is loaded by now stays: the garbage collector need not look through it again and again."""
    spare_loaded_code()


def _only_loopback(self: socket.socket, address: Any) -> None:
    if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in ("127.0.0.1", "::1", "localhost"):
        raise AssertionError(f"a test tried to reach {address[0]}")
    _connect(self, address)


@pytest.fixture(autouse=True, scope="session")
def no_outside() -> Iterator[None]:
    """No test reaches anything but loopback."""
    socket.socket.connect = _only_loopback  # type: ignore[method-assign, assignment]
    yield
    socket.socket.connect = _connect  # type: ignore[method-assign]


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None) -> None:
    """Each worker's database is a copy of the migrated one."""
    connections["default"].settings_dict["TEST"]["TEMPLATE"] = TEMPLATE


@pytest.fixture(autouse=True)
def fresh_cache() -> None:
    """Each test starts with an empty cache, the shared budget and the clock's offset included."""
    cache.clear()
    clock.forget()


@pytest.fixture(scope="module")
def module_rows(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """A transaction around the module's tests: rows that its module fixtures make inside it are made once.

    Each test has its own transaction within, so that it changes nothing for the next one. Not for tests that commit.
    """
    cache.clear()
    clock.forget()
    with django_db_blocker.unblock():
        around = transaction.atomic()
        around.__enter__()
        yield
        transaction.set_rollback(True)
        around.__exit__(None, None, None)


@pytest.fixture(scope="module")
def made_shop(module_rows: None) -> Shop:
    """The shop of a module; one with a shop of its own kind overrides this."""
    return make_shop()


@pytest.fixture
def shop(made_shop: Shop, db: None) -> Shop:
    """A distributor with customers, a reseller and a product, as the module made it."""
    return deepcopy(made_shop)


@pytest.fixture(scope="session")
def twin_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twins]:
    """One twin process per worker."""
    twins = Twins.start(tmp_path_factory.mktemp("twins"))
    yield twins
    twins.stop()


@pytest.fixture
def twins(twin_process: Twins, settings: LazySettings) -> Iterator[Twins]:
    """The twins, reset, with their certificate authority trusted."""
    twin_process.reset()
    settings.EXTRA_CA_FILE = str(twin_process.ca_file)
    settings.SANDBOX_URL = twin_process.url
    settings.SANDBOX_TLS_URL = twin_process.tls_url
    settings.DNS_RESOLVERS = [twin_process.dns]
    settings.CERTIFICATE_CNAME_TARGETS = ["eu.platform.example"]
    yield twin_process
    twin_process.no_faults()


@pytest.fixture
def still_clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], None]:
    """Sets the business clock to a moment and holds it there."""

    def hold(moment: Any) -> None:
        monkeypatch.setattr(clock, "now", lambda: moment)

    return hold


def browser_binary() -> str:
    """The system's Chromium; without one the test fails and says what to install."""
    given = os.environ.get("CHROMIUM", "")
    found = given or next((path for name in BROWSERS if (path := shutil.which(name))), "")
    if not found or not Path(found).exists():
        pytest.fail("No Chromium found: install Debian's package 'chromium', or set CHROMIUM to its path.")
    return found


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A headless browser page factory over the system's Chromium."""
    from playwright.sync_api import sync_playwright  # Heavy, and only browser tests need it.

    # Playwright's synchronous interface runs an event loop, which Django would take for asynchronous code.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser_binary(), args=BROWSER_OPTIONS)
        yield chromium
        # Inside the event loop the test had a database connection of its own.
        connections.close_all()
        chromium.close()
