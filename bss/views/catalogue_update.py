"""A Professional reseller's catalogue updates: preview, run, log (``channel.md`` 5.4).

In any other organization there is no distributor to follow: its log is empty, and the services refuse.
"""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from bss.forms.professional import NightlyForm, UpdateForm
from core.jobs import Job
from tenants.enums import ChangeKind, UpdateMode
from tenants.models import CatalogueUpdate
from tenants.selectors import is_professional, own_tenant, updates_for
from tenants.services import update
from ui.filters import Choice, Filter, Flag, Period
from ui.pages import Action, ActionPage, DetailPage, Fact, FormPage, ListPage
from ui.tables import Column
from users.permissions import Perm

LIST = (gettext_lazy("Catalogue update"), "bss:update_list")


class UpdateList(ListPage):
    """The update log."""

    perm = Perm.CATALOG_MANAGE
    title = gettext_lazy("Catalogue update")
    intro = gettext_lazy("Takes over what changed in the distributor's catalogue. Each run and preview stands here.")
    selector = updates_for
    columns = (
        Column("created_at", gettext_lazy("Started"), "main", sort="created_at", show=str),
        Column("requested_by", gettext_lazy("Started by"), sort="requested_by"),
        Column("is_preview", gettext_lazy("Preview"), "flag", sort="is_preview"),
        Column("total", gettext_lazy("Differences"), "number"),
        Column("finished_at", gettext_lazy("Ended"), "ago", sort="finished_at"),
        Column("error", gettext_lazy("Failed because"), "clip"),
    )
    filters = (
        Choice("mode", gettext_lazy("Mode"), "mode", UpdateMode.choices),
        Flag("preview", gettext_lazy("Preview"), "is_preview"),
        Filter("by", gettext_lazy("Started by"), "requested_by"),
        Period("started", gettext_lazy("Started"), "created_at"),
    )
    search = ("requested_by", "error")
    sort = "-created_at"
    empty_icon = "sync"
    empty_title = gettext_lazy("No updates yet")
    empty_text = gettext_lazy("Begin with a preview: it shows every difference and changes nothing.")

    def row_url(self, row: Any) -> str:
        """Its differences."""
        return reverse("bss:update_detail", args=[row.public_id])

    def actions(self) -> list[Action]:
        """Every night, or now; nothing where there is no distributor to follow."""
        if not is_professional(self.actor):
            return []
        return [
            Action(_("Every night"), reverse("bss:update_nightly"), "clock"),
            Action(_("New update"), reverse("bss:update_start"), "sync", "primary"),
        ]


class UpdateDetail(DetailPage):
    """One run or preview with all its differences."""

    perm = Perm.CATALOG_MANAGE
    selector = updates_for
    status_field = ""
    back = LIST
    facts = (
        Fact("get_mode_display", gettext_lazy("Mode")),
        Fact("is_preview", gettext_lazy("Preview"), "flag"),
        Fact("requested_by", gettext_lazy("Started by")),
        Fact("created_at", gettext_lazy("Started"), "when"),
        Fact("finished_at", gettext_lazy("Ended"), "when"),
        Fact("overwrite_prices", gettext_lazy("Overwrite selling prices"), "flag"),
        Fact("overwrite_names", gettext_lazy("Overwrite names"), "flag"),
    )
    parts = ("bss/_update_changes.html",)

    def context(self) -> dict[str, Any]:
        """The differences with their kinds in words."""
        row: CatalogueUpdate = self.object
        kinds = dict(ChangeKind.choices)
        return {
            "changes": [(kinds[change["kind"]], change) for change in row.changes],
            "kind_counts": [(kinds[kind], number) for kind, number in row.counts.items()],
            "found": sum(row.counts.values()),
        }

    def actions(self, row: CatalogueUpdate) -> list[Action]:
        """What was looked at can be done."""
        if not row.is_preview or row.finished_at is None or row.error:
            return []
        nothing = "" if row.changes else _("There is nothing to take over.")
        return [Action(_("Apply"), reverse("bss:update_apply", args=[row.public_id]), "check", "primary", nothing)]


class UpdateStart(FormPage):
    """Say how much, and look at it first."""

    perm = Perm.CATALOG_MANAGE
    title = gettext_lazy("New update")
    intro = gettext_lazy("You see every difference first; nothing is changed before you apply it.")
    form_class = UpdateForm
    back = LIST
    submit = gettext_lazy("Preview")

    def perform(self, form: Any) -> tuple[CatalogueUpdate, Job]:
        """Start the preview."""
        return update.start_update(self.actor, preview=True, **form.cleaned_data)

    def done_url(self, result: Any) -> str:
        """Watch it."""
        return reverse("bss:job_detail", args=[result[1].public_id])


class UpdateApply(ActionPage):
    """Do what a preview showed."""

    perm = Perm.CATALOG_MANAGE
    title = gettext_lazy("Apply")
    back = LIST
    submit = gettext_lazy("Apply")

    def load(self, **kwargs: Any) -> CatalogueUpdate:
        """The preview of the address."""
        row: CatalogueUpdate = self.find(updates_for(self.actor).filter(is_preview=True), kwargs["public_id"])
        return row

    def crumbs(self) -> list[tuple[str, str]]:
        """Below the preview."""
        return [*super().crumbs(), (str(self.object), reverse("bss:update_detail", args=[self.object.public_id]))]

    def consequences(self) -> list[str]:
        """What is taken over."""
        found = [
            ngettext(
                "%(n)s difference was found; what changed since is taken over too.",
                "%(n)s differences were found; what changed since is taken over too.",
                self.object.total,
            )
            % {"n": self.object.total},
            _("New products come unpublished. Running services stay as they are."),
        ]
        if self.object.overwrite_prices:
            found.append(_("Your selling prices of inherited products are replaced."))
        if self.object.overwrite_names:
            found.append(_("Your names of inherited products are replaced."))
        return found

    def perform(self, form: Any) -> tuple[CatalogueUpdate, Job]:
        """Start the run."""
        row: CatalogueUpdate = self.object
        return update.start_update(
            self.actor,
            mode=row.mode,
            preview=False,
            overwrite_prices=row.overwrite_prices,
            overwrite_names=row.overwrite_names,
        )

    def done_url(self, result: Any) -> str:
        """Watch it."""
        return reverse("bss:job_detail", args=[result[1].public_id])


class UpdateNightly(FormPage):
    """Purchase prices by themselves."""

    perm = Perm.CATALOG_MANAGE
    title = gettext_lazy("Every night")
    form_class = NightlyForm
    back = LIST
    success = gettext_lazy("Saved.")

    def initial(self) -> dict[str, Any]:
        """What is set."""
        tenant = own_tenant(self.actor)
        return {"nightly": bool(tenant and tenant.nightly_update)}

    def perform(self, form: Any) -> object:
        """Call the service."""
        return update.set_nightly(self.actor, is_on=form.cleaned_data["nightly"])
