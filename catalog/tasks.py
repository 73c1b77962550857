"""Celery tasks of the catalogue: envelopes only."""

from celery import shared_task

from catalog.services import shop_upkeep


@shared_task(name="catalog.keep_shops")
def keep_shops() -> None:
    """Withdraw from resellers' shops what their price lists no longer sell, and tell whose costs changed."""
    shop_upkeep.keep_shops()
