"""A reseller's catalogue as a table: taken out, worked on elsewhere, and taken over after a look at the changes."""

from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from catalog import sheet
from catalog.desk import own_listing
from catalog.models import ListingState, Product, SellingRule
from catalog.services.listing_tables import (
    ASKED_AGAIN,
    LOOK,
    TAKE,
    Preview,
    UploadedTable,
    keep_table,
    kept_preview,
    kept_table,
    look_at,
    start_look,
    start_take,
    take_over,
    waits_for_confirmation,
)
from core.errors import BusinessError, Conflict
from core.jobs import Job, own_job
from storefront.shop_forms import ImportForm
from storefront.views.shop_catalogue import CATALOGUE, OwnDesk, ShopCatalogue
from ui.pages import Action, FormPage, JobPage
from ui.sheet_reader import MAX_BYTES, read_table
from ui.tables import Column


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
    A long table is looked at and taken over by a worker.
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

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """The form; or what a worker found that a table would change."""
        token = request.GET.get("token", "")
        if not token:
            return super().get(request, *args, **kwargs)
        found = kept_preview(self.actor, token)
        return self._show(found, token) if found is not None else self._gone()

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Preview an upload, or take over what was previewed."""
        if "token" in request.POST:
            return self._confirm(request.POST["token"])
        return super().post(request, *args, **kwargs)

    def perform(self, form: Any) -> HttpResponseBase:
        """Read the file and show what it would change; a long one is looked at by a worker."""
        file = form.cleaned_data["file"]
        read = read_table(file.read(MAX_BYTES + 1))
        if not {sheet.CODE, sheet.PRODUCT_ID} & set(read.heads):
            words = _("The first row has no “%(column)s”. Begin with the exported table.")
            raise BusinessError("column_missing", words % {"column": sheet.CODE}, field="file")
        table = UploadedTable(file.name[:100], read.heads, read.rows)
        token = keep_table(self.actor, table)
        if table.is_long:
            return redirect("storefront:shop_import_job", start_look(self.actor, token, table).public_id)
        return self._show(look_at(self.actor, reseller=self.desk.reseller, table=table), token)

    def _show(self, found: Preview, token: str) -> HttpResponseBase:
        return self.show(status=409 if found.refusal else 200, form=ImportForm(), found=found, token=token)

    def _gone(self) -> HttpResponseBase:
        messages.warning(self.request, _("The file was not kept any longer. Upload it again."))
        return redirect(self.request.path)

    def _confirm(self, token: str) -> HttpResponseBase:
        table = kept_table(self.actor, token)
        if table is None:
            return self._gone()
        seen, accepted = self.request.POST.get("seen", ""), self.request.POST.getlist("accepted")
        if table.is_long:
            return self._hand_over(token, table, seen, accepted)
        reseller = self.desk.reseller
        try:
            done = take_over(self.actor, reseller=reseller, token=token, table=table, seen=seen, accepted=accepted)
        except BusinessError as error:
            if error.code not in ASKED_AGAIN:
                raise
            found = look_at(self.actor, reseller=reseller, table=table)
            return self._show(replace(found, refusal=str(error.message)), token)
        messages.success(self.request, _told(done["changed"]))
        return redirect("storefront:shop_catalogue")

    def _hand_over(self, token: str, table: UploadedTable, seen: str, accepted: list[str]) -> HttpResponseBase:
        try:
            job = start_take(self.actor, token, table, seen=seen, accepted=accepted)
        except Conflict:
            messages.warning(self.request, _("A table is being imported into your shop. Try again when it is done."))
            return redirect("storefront:shop_catalogue")
        return redirect("storefront:shop_import_job", job.public_id)


class ShopImportJob(OwnDesk, JobPage):
    """A worker looks at a long table, or takes it over; the person's own alone."""

    back = CATALOGUE

    def load(self, public_id: str) -> Job:
        """The person's own import; everything else is not there."""
        found = own_job(self.actor, public_id, LOOK) or own_job(self.actor, public_id, TAKE)
        if found is None:
            raise Http404
        return found

    def result_url(self) -> str:
        """What would change, to be confirmed; after the import the catalogue."""
        job: Job = self.object
        if waits_for_confirmation(self.actor, job):
            return f"{reverse('storefront:shop_import')}?token={job.params['token']}"
        return reverse("storefront:shop_catalogue" if job.kind == TAKE else "storefront:shop_import")


def _told(number: int) -> str:
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
