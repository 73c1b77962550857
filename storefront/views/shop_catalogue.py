"""A reseller's catalogue of his shop: what is listed, at which price and margin, and under which words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from catalog.desk import Desk, DeskPrice, desk_counts, desk_product, desk_products, own_desk, own_listing
from catalog.models import Listing, ListingState, Product
from catalog.selectors import category_choices
from catalog.services.listings import Listed, list_products, save_listing, unlist_products
from catalog.shop import picture_of
from storefront.pictures import picture_response
from storefront.shop_forms import ListingForm
from storefront.views.lists import ShopList
from ui.filters import Choice, Filter, Flag
from ui.pages import Action, BulkAction, FormPage, Page
from ui.tables import Column
from users.permissions import Perm

CATALOGUE = (gettext_lazy("My shop: catalogue"), "storefront:shop_catalogue")
SHOWN = (
    ("new", gettext_lazy("New")),
    ("listed", gettext_lazy("Listed")),
    ("unlisted", gettext_lazy("Unlisted")),
    ("withdrawn", gettext_lazy("Withdrawn")),
)
MOST_TOLD = 5
LISTING_VALUES = ("name", "summary", "description", "position", "category")


@dataclass(frozen=True)
class Shown(Choice):
    """One of the groups of a catalogue that are counted above it."""

    def apply(self, rows: QuerySet[Any], values: dict[str, Any]) -> QuerySet[Any]:
        """The products of the group."""
        groups: dict[str, dict[str, bool]] = {
            "new": {"is_new": True},
            "listed": {"is_listed": True},
            "unlisted": {"is_listed": False, "is_withdrawn": False},
            "withdrawn": {"is_withdrawn": True},
        }
        return rows.filter(**groups.get(values.get(self.name) or "", {}))


@dataclass(frozen=True)
class StateColumn(Column):
    """Whether a product is listed, in words."""

    def words(self, row: Any, value: Any) -> str:
        """The state's label."""
        return str(ListingState(value).label)


class OwnDesk(Page):
    """A page of the reseller who looks after his shop."""

    perm = Perm.SHOP_LISTING
    layout = "base_storefront.html"

    @cached_property
    def desk(self) -> Desk:
        """His shop."""
        found = own_desk(self.actor)
        if found is None:
            raise Http404
        return found


class ShopCatalogue(OwnDesk, ShopList):
    """What the distributor sells, what of it stands in the shop, and at which price."""

    title = gettext_lazy("My shop: catalogue")
    intro = gettext_lazy("What you may sell, what you pay for it, and what your customers pay.")
    template_name = "storefront/shop_list.html"
    filters = (
        Shown("show", gettext_lazy("Show"), "", SHOWN),
        Choice("category", gettext_lazy("Category"), "category__public_id", category_choices),
        Filter("code", gettext_lazy("Offer ID"), "code"),
        Flag("new", gettext_lazy("New"), "is_new"),
    )
    search = ("name", "code")
    sort = "name"
    empty_icon = "box"
    empty_title = gettext_lazy("Nothing here")
    empty_text = gettext_lazy("Choose another group, or take the filters away.")
    bulk_actions: ClassVar[Sequence[BulkAction]] = (
        BulkAction("list", gettext_lazy("List"), Perm.SHOP_LISTING, lambda _actor, _row: None),
        BulkAction("unlist", gettext_lazy("Unlist"), Perm.SHOP_LISTING, lambda _actor, _row: None),
    )

    def rows(self) -> Any:
        """The products of the desk."""
        return desk_products(self.actor, self.desk)

    def shown_columns(self) -> Sequence[Column]:
        """Name, shelf, cost, price, margin and state; costs for those who may see them."""
        money = {"currency": lambda _row: self.desk.currency}
        cost = Column("cost", gettext_lazy("You pay"), "money", show=self._cost, **money)  # type: ignore[arg-type]
        margin = Column("margin", gettext_lazy("Margin"), "percent", show=self._margin)
        sees_cost = self.actor.has(Perm.SHOP_COST_VIEW)
        return [
            Column(
                "name",
                gettext_lazy("Product"),
                "main",
                sort="name",
                show=self._name,
                sub="code",
                sub_label=gettext_lazy("Code"),
            ),
            Column("category.name", gettext_lazy("Category"), sort="category__name", show=self._shelf),
            Column("plan", gettext_lazy("Plan"), show=self._plan),
            *([cost] if sees_cost else []),
            Column("price", gettext_lazy("Price"), "money", show=self._price, **money),  # type: ignore[arg-type]
            *([margin] if sees_cost else []),
            StateColumn("state", gettext_lazy("State"), "status", show=self._state),
            Column("is_new", gettext_lazy("New"), "flag", sort="is_new"),
        ]

    def actions(self) -> list[Action]:
        """The whole catalogue at once."""
        return [Action(_("Import and export"), reverse("storefront:shop_import"), "upload")]

    def _shown(self, row: Product) -> DeskPrice | None:
        return self.desk.shown(row)

    def _name(self, row: Product) -> str:
        listing = own_listing(row)
        return (listing.name if listing else "") or row.name

    def _shelf(self, row: Product) -> str:
        listing = own_listing(row)
        found = (listing.category if listing else None) or row.category
        return found.name if found else ""

    def _plan(self, row: Product) -> str:
        found = self._shown(row)
        return found.plan.label if found else ""

    def _cost(self, row: Product) -> Any:
        found = self._shown(row)
        return found.cost if found else None

    def _price(self, row: Product) -> Any:
        found = self._shown(row)
        return found.sold.amount if found and found.sold else None

    def _margin(self, row: Product) -> Any:
        found = self._shown(row)
        return found.sold.margin if found and found.sold else None

    def _state(self, row: Product) -> str:
        listing = own_listing(row)
        return listing.state if listing else ListingState.UNLISTED.value

    def row_url(self, row: Any) -> str:
        """The product in the shop."""
        return reverse("storefront:shop_product", args=[row.public_id])

    def context(self) -> dict[str, Any]:
        """The groups with their numbers, and whether nothing can be sold yet."""
        counts = desk_counts(self.rows())
        chosen = self.request.GET.get("show", "")
        groups = [("", _("All products"), counts["all"])] + [(key, str(words), counts[key]) for key, words in SHOWN]
        tabs = [(words, number, self.query_with(show=key or None, after=None, before=None), key == chosen)
                for key, words, number in groups]  # fmt: skip
        return {"groups": tabs, "has_list": self.desk.price_list is not None}

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """List or unlist the ticked products, or all that the filters find, at once."""
        asked = request.POST.get("action", "")
        if asked not in ("list", "unlist", "list_all", "unlist_all"):
            return super().post(request, *args, **kwargs)
        rows = self.filtered()
        if not asked.endswith("_all"):
            rows = rows.filter(public_id__in=self._ticked())
        service = list_products if asked.startswith("list") else unlist_products
        done = service(self.actor, reseller=self.desk.reseller, products=list(rows.prefetch_related(None)))
        self._tell(done)
        return redirect(request.get_full_path())

    def _ticked(self) -> list[str]:
        known = self.request.POST.getlist("row")
        return [key for key in known if len(key) == len("00000000-0000-0000-0000-000000000000")]

    def _tell(self, done: Listed) -> None:
        words = ngettext("%(n)s product changed.", "%(n)s products changed.", done.done) % {"n": done.done}
        (messages.success if done.done else messages.info)(self.request, words)
        for product, reason in done.refused[:MOST_TOLD]:
            messages.warning(self.request, f"{product}: {reason}")
        rest = len(done.refused) - MOST_TOLD
        if rest > 0:
            words = ngettext("%(n)s more product was refused.", "%(n)s more products were refused.", rest)
            messages.warning(self.request, words % {"n": rest})


class ShopProduct(OwnDesk, FormPage):
    """One product of the shop: its prices, and what the reseller says otherwise than the distributor."""

    template_name = "storefront/shop_product.html"
    form_class = ListingForm
    back = CATALOGUE
    success = gettext_lazy("Saved.")

    def load(self, **kwargs: Any) -> Product:
        """The product of the address."""
        found = desk_product(self.actor, self.desk, kwargs["public_id"])
        if found is None:
            raise Http404
        return found

    @property
    def listing(self) -> Listing | None:
        """What he said about it so far."""
        return own_listing(self.object)

    def page_title(self) -> str:
        """Its name in the shop."""
        return (self.listing.name if self.listing else "") or str(self.object.name)

    def form_kwargs(self) -> dict[str, Any]:
        """The shelves to choose from, and the distributor's words to compare with."""
        return {"actor": self.actor, "product": self.object}

    def initial(self) -> dict[str, Any]:
        """His own words."""
        row = self.listing
        names = ("name", "summary", "description", "position", "category", "picture")
        return {name: getattr(row, name) for name in names} if row else {"position": 100}

    def context(self) -> dict[str, Any]:
        """Its prices, its state, and what can be done with it."""
        state = ListingState(self.listing.state if self.listing else ListingState.UNLISTED)
        return {
            "prices": self.desk.prices(self.object),
            "currency": self.desk.currency,
            "state": state,
            "picture": self.listing.picture if self.listing else "",
            "sees_cost": self.actor.has(Perm.SHOP_COST_VIEW),
        }

    def perform(self, form: Any) -> Listing | HttpResponseBase:
        """Call the service."""
        given: ListingForm = form
        return save_listing(
            self.actor,
            reseller=self.desk.reseller,
            product=self.object,
            values={name: value for name, value in given.cleaned_data.items() if name in LISTING_VALUES},
            picture=given.uploaded(),
        )

    def done_url(self, result: Any) -> str:
        """The product again."""
        return self.request.path


class ShopProductPicture(OwnDesk):
    """The reseller's own picture of a product, for his desk alone, wherever he sits."""

    def get(self, request: HttpRequest, public_id: Any) -> HttpResponseBase:
        """The picture as it is kept."""
        product = desk_product(self.actor, self.desk, public_id)
        listing = own_listing(product) if product is not None else None
        picture = picture_of(self.desk.reseller.pk, listing.picture) if listing is not None else None
        if picture is None:
            raise Http404
        return picture_response(picture.data, picture.content_type)


class ShopProductState(OwnDesk):
    """List or unlist one product; POST only."""

    def post(self, request: HttpRequest, public_id: Any, verb: str) -> HttpResponseBase:
        """Call the service, and say what it refused."""
        product = desk_product(self.actor, self.desk, public_id)
        if product is None or verb not in ("list", "unlist"):
            raise Http404
        service = list_products if verb == "list" else unlist_products
        done = service(self.actor, reseller=self.desk.reseller, products=[product])
        for _product, reason in done.refused:
            messages.error(request, reason)
        if done.done:
            messages.success(request, _("Listed.") if verb == "list" else _("Unlisted."))
        return redirect("storefront:shop_product", public_id=public_id)
