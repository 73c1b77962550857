"""A Python client generated from the committed document calls a running server: token, list, one, what is missing."""

import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.db import transaction

from api.document import COMMITTED
from subscriptions.models import Subscription
from tests.api.caller import program
from tests.bss.running import running
from tests.shop import Shop, make_shop

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def shop(live_server: Any) -> Shop:
    """A shop at the address of the test server."""
    made = make_shop()
    type(made.site).objects.filter(pk=made.site.pk).update(host="localhost")
    made.site.host = "localhost"
    return made


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The generated package, importable."""
    settings = tmp_path / "settings.json"
    settings.write_text(json.dumps({"package_name_override": "bss_client", "post_hooks": []}))
    program_of = [sys.executable, "-m", "openapi_python_client", "generate", "--path", str(COMMITTED), "--meta", "none"]
    where = ["--output-path", str(tmp_path / "bss_client"), "--config", str(settings)]
    made = subprocess.run([*program_of, *where], capture_output=True, text=True, timeout=180, check=False)
    assert made.returncode == 0, made.stdout + made.stderr
    assert "Unable to" not in made.stdout + made.stderr, made.stdout + made.stderr
    monkeypatch.syspath_prepend(str(tmp_path))
    return "bss_client"


def test_a_generated_client_reads_and_changes(live_server: Any, shop: Shop, package: str):
    with transaction.atomic():
        service: Subscription = running(shop)
    caller = program(shop)
    address = live_server.url.replace("127.0.0.1", "localhost")
    form = {"grant_type": "client_credentials"}
    token = httpx.post(f"{address}/oauth/token", data=form, auth=(caller.client.key, caller.secret)).json()[
        "access_token"
    ]

    made = importlib.import_module(package).AuthenticatedClient
    calls = f"{package}.api.subscriptions"
    find = importlib.import_module(f"{calls}.subscriptions_get_subscriptions").sync_detailed
    read = importlib.import_module(f"{calls}.subscriptions_get_subscription").sync_detailed
    lower = importlib.import_module(f"{calls}.subscriptions_update_subscription_quantity").sync_detailed
    models = importlib.import_module(f"{package}.models")
    with made(base_url=address, token=token) as client:
        page = find(client=client, filter_="status eq 'Active'", page_size=5)
        assert (page.status_code, page.parsed.paging.total_records) == (200, 1)
        row = page.parsed.data[0]
        assert (str(row.id), row.quantity, row.account.name) == (str(service.public_id), 5, shop.customer.name)

        one = read(subscription_id=row.id, client=client).parsed
        assert one.status == models.SubscriptionStatus.ACTIVE

        body = models.CreateSubscriptionChangeQuantityRequest(quantity=4)
        wish = lower(subscription_id=row.id, client=client, body=body, idempotency_key="lower-1")
        assert (wish.status_code, wish.parsed.next_subscription_quantity) == (200, 4)

        missing = read(subscription_id="00000000-0000-4000-8000-000000000000", client=client)
        assert (missing.status_code, missing.parsed.type_) == (404, "SubscriptionNotFoundError")
    with made(base_url=address, token="x") as stranger:
        assert read(subscription_id=row.id, client=stranger).parsed.code == "token_invalid"
