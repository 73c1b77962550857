"""The catalogue pull (definition run) against the twin, the first time and once more when nothing has changed."""

import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import connection

from bench.dataset import Vendor
from catalog.models import Product
from catalog.services.products import publish_products
from cloudbss.demo.twins import call_twins
from cloudbss.demo_settings import microsoft_settings
from core import jobs
from core.tenancy import Actor
from provisioning.services.setup import start_definition
from vendors.models import Instance


def from_twin() -> tuple[Vendor, dict[str, Any]]:
    """The vendor of the main organization, and the dictionary that gets the figures of its definition run."""
    credentials = call_twins("GET", "/_twin/credentials")
    values = microsoft_settings(credentials, settings.SANDBOX_URL, settings.SANDBOX_TLS_URL)
    figures: dict[str, Any] = {}

    def pull(actor: Actor, instance: Instance) -> None:
        figures["first"] = definition_run(actor, instance)
        figures["again"] = definition_run(actor, instance)
        rows = Product.objects.filter(organization_id=instance.organization_id, charge_type="recurring_prepaid")
        ids = list(rows.filter(segment="commercial").values_list("public_id", flat=True))
        done, _refused = publish_products(actor, product_ids=ids)
        figures["published"] = done

    return Vendor(values, str(credentials["refresh_token"]), pull), figures


class StatementCount:
    """Counts statements without keeping them: their texts would be most of the memory that is measured."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        """Run one statement (Django's execute wrapper)."""
        self.count += 1
        return execute(sql, params, many, context)


def definition_run(actor: Actor, instance: Instance, *, full: bool = True) -> dict[str, Any]:
    """One definition run in this process, with its statements (COPY not counted) and the vendor's calls.

    Raises RuntimeError if it fails.
    """
    before = call_twins("GET", "/_twin/journal?limit=1")["last"]
    began = time.perf_counter()
    statements = StatementCount()
    with connection.execute_wrapper(statements):
        job = start_definition(actor, instance=instance, full=full)
        jobs.run_job(job.pk)
    seconds = time.perf_counter() - began
    job.refresh_from_db()
    if job.state != jobs.JobState.DONE:
        raise RuntimeError(f"the definition run ended as {job.state}: {job.error}")
    products = Product.objects.filter(product_type__instance=instance, discontinued_at=None).count()
    return {
        "seconds": round(seconds, 2),
        "products": products,
        "products_per_second": round(products / seconds),
        "statements": statements.count,
        "vendor_calls": call_twins("GET", "/_twin/journal?limit=1")["last"] - before,
        "prices": job.result["prices"]["written"],
        **job.result["counts"],
    }
