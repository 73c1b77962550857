"""Celery tasks of the channel: envelopes only."""

from celery import shared_task

from resellers.services import domains, view_as


@shared_task(name="resellers.end_viewings")
def end_viewings() -> None:
    """End viewings of the storefront whose time or right is over."""
    view_as.end_overdue()


@shared_task(name="resellers.check_domains")
def check_domains() -> None:
    """Ask the DNS about the custom domains whose turn it is."""
    domains.check_due()


@shared_task(name="resellers.check_domain")
def check_domain(domain_id: int) -> None:
    """Ask the DNS about one custom domain now."""
    domains.check_domain(domain_id)
