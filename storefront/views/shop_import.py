"""A reseller's catalogue as a table: taken out, worked on elsewhere, and taken over after a look at the changes."""

import uuid
from typing import Any

from django.contrib import messages
from django.core.cache import cache
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from catalog import sheet
from catalog.desk import own_listing
from catalog.models import ListingState, Product, SellingRule
from catalog.services.listing_import import Imported, preview_import, run_import
from core.errors import BusinessError, Conflict
from storefront.shop_forms import ImportForm
from storefront.views.shop_catalogue import CATALOGUE, OwnDesk, ShopCatalogue
from ui.pages import Action, FormPage
from ui.sheet_reader import Table, TableRow, read_table
from ui.tables import Column

KEPT = 3600
SHOWN = 200


class ShopTable(ShopCatalogue):
    """The catalogue in the form an import takes; heads and words are the same in every language."""

    title = gettext_lazy("My shop: catalogue as a table")
    intro = gettext_lazy("Export it, change it in a spreadsheet, and import it again.")
    template_name = "ui/list_page.html"
    back = CATALOGUE
    bulk_actions = ()

    @cached_property
    def rules(self) -> dict[int, list[SellingRule]]:
        """The products' own rules."""
        return sheet.own_rules(self.desk.reseller)

    def actions(self) -> list[Action]:
        """The way back in."""
        return [Action(_("Import"), reverse("storefront:shop_import"), "upload", "primary")]

    def context(self) -> dict[str, Any]:
        """A plain list."""
        return {}

    def shown_columns(self) -> list[Column]:
        """One for each of the import's."""
        return [
            Column("code", sheet.CODE, "main", sort="code"),
            Column("usual_name", sheet.USUAL_NAME, sort="name", show=lambda row: row.name),
            Column("listed", sheet.LISTED, show=_listed),
            Column("own_name", sheet.NAME, show=lambda row: getattr(own_listing(row), "name", "")),
            Column("category.name", sheet.CATEGORY, sort="category__name", show=self._shelf),
            Column("position", sheet.ORDER, "number", show=_position),
            Column("rule", sheet.RULE, show=lambda row: sheet.write_rules(self.rules.get(row.pk, ()))),
            Column("public_id", sheet.PRODUCT_ID, in_files_only=True),
        ]


def _listed(row: Product) -> str:
    listing = own_listing(row)
    return "yes" if listing is not None and listing.state == ListingState.LISTED else "no"


def _position(row: Product) -> int:
    listing = own_listing(row)
    return listing.position if listing is not None else 100


class ShopImport(OwnDesk, FormPage):
    """Upload a table, look at what it would change, and confirm it.

    What a person uploaded last is kept for an hour; whoever confirms later, or an earlier one, uploads again.
    """

    title = gettext_lazy("Import the catalogue")
    intro = gettext_lazy("Change names, shelves, order, price rules and what is listed, for many products at once.")
    template_name = "storefront/shop_import.html"
    form_class = ImportForm
    back = CATALOGUE

    def context(self) -> dict[str, Any]:
        """The columns in words, and where to get the table."""
        table = reverse("storefront:shop_table")
        return {
            "columns": _columns(self.desk.currency),
            "table_url": table,
            "csv_url": f"{table}?format=csv",
            "xlsx_url": f"{table}?format=xlsx",
        }

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Preview an upload, or take over what was previewed."""
        if "token" in request.POST:
            return self._confirm(request.POST["token"])
        return super().post(request, *args, **kwargs)

    def perform(self, form: Any) -> HttpResponseBase:
        """Read the file and show what it would change."""
        file = form.cleaned_data["file"]
        table = read_table(file.read())
        if not {sheet.CODE, sheet.PRODUCT_ID} & set(table.heads):
            words = _("The first row has no “%(column)s”. Begin with the exported table.")
            raise BusinessError("column_missing", words % {"column": sheet.CODE}, field="file")
        token = uuid.uuid4().hex
        rows = [(row.number, row.cells) for row in table.rows]
        kept = {"token": token, "rows": rows, "heads": table.heads, "name": file.name[:100]}
        cache.set(self._key(), kept, KEPT)
        return self._preview(token, table, file.name)

    def _key(self) -> str:
        return f"shop-import:{self.actor.account_id}:{self.actor.user_id}"

    def _preview(self, token: str, table: Table, name: str, *, refusal: str = "") -> HttpResponseBase:
        found = preview_import(self.actor, reseller=self.desk.reseller, rows=table.rows)
        ignored = [head for head in table.heads if head not in (*sheet.COLUMNS, sheet.USUAL_NAME)]
        return self.show(
            status=409 if refusal else 200,
            form=ImportForm(),
            found=found,
            changes=found.changes[:SHOWN],
            more=max(len(found.changes) - SHOWN, 0),
            problems=found.problems[:SHOWN],
            more_problems=max(len(found.problems) - SHOWN, 0),
            ignored=ignored,
            token=token,
            file_name=name,
            refusal=refusal,
        )

    def _confirm(self, token: str) -> HttpResponseBase:
        kept = cache.get(self._key())
        if kept is None or kept["token"] != token:
            messages.warning(self.request, _("The file was not kept any longer. Upload it again."))
            return redirect(self.request.path)
        table = Table(tuple(kept["heads"]), tuple(TableRow(number, cells) for number, cells in kept["rows"]))
        try:
            done = run_import(
                self.actor,
                reseller=self.desk.reseller,
                rows=table.rows,
                seen=self.request.POST.get("seen", ""),
                accepted=self.request.POST.getlist("accepted"),
            )
        except BusinessError as error:
            if not isinstance(error, Conflict) and error.code not in ("import_refused", "price_warning"):
                raise
            return self._preview(token, table, kept["name"], refusal=str(error.message))
        cache.delete(self._key())
        messages.success(self.request, _told(done))
        return redirect("storefront:shop_catalogue")


def _told(done: Imported) -> str:
    number = len(done.changes)
    words = ngettext("%(n)s product changed.", "%(n)s products changed.", number)
    return words % {"n": number}


def _columns(currency: str) -> list[tuple[str, str]]:
    """What stands under each head."""
    rule = _("margin 20 %%, mark-up 25 %%, mark-up 3.00 %(currency)s or fixed 12.50 %(currency)s; empty: no rule.")
    return [
        (sheet.CODE, _("Which product: its offer ID.")),
        (sheet.LISTED, _("yes or no.")),
        (sheet.NAME, _("Your name for it; empty: the distributor's.")),
        (sheet.CATEGORY, _("The name of a category; empty: the distributor's.")),
        (sheet.ORDER, _("A whole number; lower ones come first. Empty: 100.")),
        (sheet.RULE, rule % {"currency": currency or "EUR"}),
        (sheet.PRODUCT_ID, _("Only needed if several products have the same code.")),
    ]
