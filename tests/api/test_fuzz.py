"""Every call of the document with random values, right and wrong ones, and walks along its links.

Small by default; ``FUZZ=n`` (``make fuzz``) makes n examples of every call. Each example is rolled back, so that all
of them meet the same world. Besides the checks: what is not the reseller's is never in an answer of his.
"""

import os
from collections import Counter
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given
from hypothesis import settings as bounds
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.config import SchemathesisConfig

from cloudbss.wsgi import application
from tests.api.caller import Program
from tests.api.world import World, make_world
from tests.shop import make_shop

pytestmark = pytest.mark.django_db
EXAMPLES = int(os.environ.get("FUZZ", "2"))
MOST_QUERIES = 60
load_all_checks()
# Rules of the business refuse with 400 what the schema allows (an unknown name in $filter, more licences by quantity),
# and names of the query that nobody knows are passed over (api.md 2.2); both are tested by name elsewhere.
NOT_OURS = ("positive_data_acceptance",)
CHECKED = [CHECKS.get_one(name) for name in CHECKS.get_all_names() if name not in NOT_OURS]
QUIET = [
    HealthCheck.too_slow,
    HealthCheck.filter_too_much,
    HealthCheck.data_too_large,
    HealthCheck.function_scoped_fixture,
]
BOUNDED = bounds(
    max_examples=EXAMPLES, deadline=None, database=None, derandomize=EXAMPLES == 2, suppress_health_check=QUIET
)
# A wrong tag is said before a wrong body (``api.md`` 4.1).
REFUSALS = {
    "negative_data_rejection": {"expected-statuses": [400, 401, 403, 404, 405, 406, 409, 412, 415, 422, 429, "5xx"]}
}
CONFIG = {"with-security-parameters": False, "allow-extra-parameters": False}


@pytest.fixture
def world(settings: Any) -> Iterator[World]:
    """One of everything, and no limit on calls."""
    settings.API_CALLS_PER_MINUTE = settings.API_WRITES_PER_MINUTE = 10**6
    settings.API_ORGANIZATION_CALLS_PER_MINUTE = 10**6
    shop = make_shop()
    type(shop.site).objects.filter(pk=shop.site.pk).update(host="localhost")
    shop.site.host = "localhost"
    made = make_world(shop)
    # The application answers within this test's transaction, as it does for Django's own test client.
    request_started.disconnect(close_old_connections)
    request_finished.disconnect(close_old_connections)
    yield made
    request_started.connect(close_old_connections)
    request_finished.connect(close_old_connections)


def schema_for(caller: Program, **more: Any) -> Any:
    """The document this caller reads."""
    whose = "" if caller.client.account_id is None else "?for=resellers"
    found = schemathesis.openapi.from_wsgi(
        f"/apidocs/openapi.json{whose}",
        application,
        config=SchemathesisConfig.from_dict({"generation": CONFIG | more, "checks": REFUSALS}),
    )
    # Any request id is taken: what does not look like one is replaced by one of ours.
    found.raw_schema["components"]["parameters"]["XRequestId"]["schema"] = {"type": "string"}
    return found.exclude(path="/oauth/token")


def with_ids(case: Case, ids: dict[str, str]) -> None:
    """Ask for something that exists, where the path is not what is wrong with the example."""
    path = next((part for kind, part in case.meta.components.items() if kind.name == "PATH"), None)
    if path is not None and path.mode is GenerationMode.POSITIVE:
        case.path_parameters |= {name: ids[name] for name in case.path_parameters if name in ids}


def call(world: World, caller: Program, case: Case) -> Any:
    """One call, checked; what it changed is taken back."""
    signed = {"Authorization": f"Bearer {caller.token}"}
    with transaction.atomic():
        with CaptureQueriesContext(connection) as queries:
            response = case.call(headers=signed)
        assert len(queries.captured_queries) <= MOST_QUERIES, (case.as_curl_command(), len(queries.captured_queries))
        case.validate_response(response, checks=CHECKED, headers=signed)
        if caller is world.reseller and response.status_code < 300:
            for name in ("subscriptionId", "orderId", "assetId", "requestId", "addonId", "itemId"):
                assert world.foreign[name] not in response.text, (case.as_curl_command(), name)
        transaction.set_rollback(True)
    return response


@pytest.mark.parametrize("who", ["distributor", "reseller"])
def test_no_call_breaks(world: World, who: str):
    caller: Program = getattr(world, who)
    failures = []
    operations = [found.ok() for found in schema_for(caller).get_all_operations()]
    for operation, mode in product(operations, GenerationMode):

        @given(case=operation.as_strategy(generation_mode=mode), ids=st.sampled_from([world.ids, world.foreign, {}]))
        @BOUNDED
        def ask(case: Case, ids: dict[str, str]) -> None:
            with_ids(case, ids)
            call(world, caller, case)

        try:
            ask()
        except Unsatisfiable:
            continue  # A call that takes nothing cannot be asked wrongly.
        except (Exception, BaseExceptionGroup) as error:
            failures.append(f"{operation.label}: {error}")
    assert not failures, "\n\n".join(failures)


@pytest.mark.parametrize("who", ["distributor", "reseller"])
def test_walks_along_the_links_break_nothing(world: World, who: str):
    caller: Program = getattr(world, who)
    seen: Counter[int] = Counter()

    class Walk(schema_for(caller, mode="positive").as_state_machine()):  # type: ignore[misc]
        """Answers feed the next calls; each walk is taken back."""

        def setup(self) -> None:
            self.point = transaction.atomic()
            self.point.__enter__()

        def teardown(self) -> None:
            transaction.set_rollback(True)
            self.point.__exit__(None, None, None)

        def before_call(self, case: Case) -> None:
            # Random filters and cursors are refused; a walk starts at what a list answers.
            case.query = {}

        def get_call_kwargs(self, case: Case) -> dict[str, Any]:
            return {"headers": {"Authorization": f"Bearer {caller.token}"}}

        def validate_response(self, response: Any, case: Case, **kwargs: Any) -> None:
            seen[response.status_code] += 1
            kwargs["checks"] = CHECKED
            case.validate_response(response, **kwargs)

    Walk.run(settings=bounds(BOUNDED, stateful_step_count=6))
    assert seen[200] > 0, seen
    assert not any(status >= 500 for status in seen)
