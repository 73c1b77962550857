"""Get Services Definition against the twin: the whole seeded catalogue, twice, and after something changed there."""

import pytest

from catalog.models import Plan, PlanCost, Product
from core.jobs import Job, JobState
from provisioning.services.setup import start_definition
from tests.drain import drain
from tests.shop import Shop, make_shop
from tests.twins import Twins
from vendors.services.instances import write_secret


@pytest.fixture
def shop(twins: Twins) -> Shop:
    made = make_shop(settings=twins.instance_settings(markets=["DE"], currencies=["EUR"]), code="OLD:0001")
    write_secret(made.instance, "refresh_token", twins.credentials()["refresh_token"])
    return made


def pull(shop: Shop, twins: Twins) -> Job:
    job = start_definition(shop.staff, instance=shop.instance)
    drain(twins)
    job.refresh_from_db()
    assert (job.state, job.error) == (JobState.DONE, "")
    return job


@pytest.mark.django_db(transaction=True)
def test_definition_brings_everything_once(shop, twins):
    first = pull(shop, twins)
    counts = first.result["counts"]
    products = Product.objects.filter(discontinued_at=None)
    assert counts["new"] == products.count() > 200
    assert counts["discontinued"] == 1  # The product that the shop had and Microsoft does not sell.
    assert not products.filter(is_published=True).exists()
    assert products.filter(is_addon=True).exists()
    assert products.filter(parent_relations__isnull=False).exists()
    standard = products.get(code="CFQ7TTC0LDPB:0001")
    assert (standard.min_quantity, standard.max_quantity) == (1, 300)
    assert set(standard.plans.values_list("term", "billing_cycle")) == {
        ("P1M", "monthly"),
        ("P1Y", "monthly"),
        ("P1Y", "annual"),
    }
    before = (Product.objects.count(), Plan.objects.count(), PlanCost.objects.count())
    assert first.log_lines.count() > 1
    second = pull(shop, twins)
    assert second.result["counts"] == {"new": 0, "changed": 0, "discontinued": 0}
    assert (Product.objects.count(), Plan.objects.count(), PlanCost.objects.count()) == before
