"""Which instances sell to whom, where a vendor gives one for each country, currency and language (``esd.md`` 3, 9).

An instance without a country sells to everybody. Of several that fit, the buyer sees the products of the one nearest to
his language, else of the oldest.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from catalog.models import PriceList
from core.brief import briefly
from core.errors import BusinessError
from resellers.models import Account, Organization
from vendors.models import Instance, InstanceState

PLANS_APPLICATION = "reseller_plans"


@dataclass(frozen=True, slots=True)
class Market:
    """Where a buyer buys, what he pays in, what he reads. A reseller buys where he and his customers are."""

    countries: frozenset[str]
    currency: str
    language: str


def country_of(account: Account) -> str:
    """The country an account buys in: its own, else that of who is billed for it."""
    return account.country or (account.bill_to.country if account.bill_to else "")


def market_for(organization: Organization, account: Account | None, price_list: PriceList | None) -> Market:
    """The market of who looks at a shop; a visitor's is the organization's."""
    language = get_language() or organization.language
    currency = price_list.currency if price_list else account.currency if account else organization.currency
    if account is None:
        return Market(frozenset({organization.country}), currency, language)
    countries = {country_of(account)}
    if account.is_reseller:
        countries |= _countries_of_customers(account.pk)
    return Market(frozenset(countries), currency, language)


@briefly
def _countries_of_customers(reseller_id: int) -> frozenset[str]:
    """The countries of the accounts that are billed to a reseller."""
    rows = Account.objects.filter(bill_to_id=reseller_id).exclude(country="")
    return frozenset(rows.order_by().values_list("country", flat=True).distinct())


@briefly
def _bound_instances(organization_id: int) -> Sequence[tuple[int, int, str, str, str]]:
    """The instances of one country each: id, application, country, currency, language; oldest first."""
    rows = Instance.objects.filter(organization_id=organization_id).exclude(country="")
    rows = rows.exclude(state=InstanceState.DELETED).order_by("pk")
    return list(rows.values_list("pk", "application_id", "country", "currency", "language"))


@briefly
def _hidden_instances(organization_id: int) -> Sequence[int]:
    """The instances whose products have a page of their own instead of a shelf: reseller plans."""
    rows = Instance.objects.filter(organization_id=organization_id, application__code=PLANS_APPLICATION)
    return list(rows.order_by("pk").values_list("pk", flat=True))


def foreign_instances(organization_id: int, market: Market) -> list[int]:
    """The instances whose products a buyer of this market does not see on the shelves."""
    rows = _bound_instances(organization_id)
    fitting: dict[tuple[int, str], list[tuple[int, str]]] = {}
    for pk, application, country, currency, language in rows:
        if country in market.countries and currency == market.currency:
            fitting.setdefault((application, country), []).append((pk, language))
    shown = {_nearest(found, market.language) for found in fitting.values()}
    return [*_hidden_instances(organization_id), *(row[0] for row in rows if row[0] not in shown)]


def _nearest(found: Sequence[tuple[int, str]], language: str) -> int:
    wanted = language.lower()
    base = wanted.split("-")[0]
    exact = [pk for pk, known in found if known.lower() == wanted]
    related = [pk for pk, known in found if known.lower().split("-")[0] == base]
    return [*exact, *related, found[0][0]][0]


def refuse_foreign(instance: Instance, *, countries: Collection[str], currency: str) -> None:
    """Raise unless an instance sells in one of these countries and in this currency."""
    if not instance.country:
        return
    if instance.country not in countries:
        raise BusinessError(
            "market_country", _("This product is sold in %(country)s only.") % {"country": instance.country}
        )
    if currency != instance.currency:
        words = _("This product is sold in %(currency)s.") % {"currency": instance.currency}
        raise BusinessError("market_currency", words)
