"""Background jobs: what runs, what ran, how far it is, and how it ended."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from core.jobs import JobState
from core.selectors import jobs_for
from tenants.services.update import UPDATE
from ui.filters import Choice, Filter, Period
from ui.pages import JobPage, ListPage
from ui.pages.export import EXPORT_LIST
from ui.tables import Column
from users.permissions import Perm


class JobList(ListPage):
    """Long work that somebody started: definition runs, connection tests, checks of service details."""

    perm = Perm.BSS_VIEW
    title = _("Background jobs")
    intro = _("Long work runs here, so that nobody has to wait with an open page.")
    selector = jobs_for
    columns = (
        Column("title", _("Job"), "main", sort="title", sub="progress_text", sub_label=_("Step")),
        Column("state", _("State"), "status", sort="state"),
        Column("percent", _("Progress"), "percent"),
        Column("user", _("Started by"), sort="user__email"),
        Column("created_at", _("Requested"), "when", sort="created_at"),
        Column("finished_at", _("Ended"), "ago", sort="finished_at"),
    )
    filters = (
        Choice("state", _("State"), "state", JobState.choices),
        Filter("by", _("Started by"), "user__email"),
        Period("requested", _("Requested"), "created_at"),
    )
    search = ("title", "user__email", "error")
    sort = "-pk"
    empty_icon = "clock"
    empty_title = _("No jobs yet")
    empty_text = _("Test a connection or get a services definition, and its run appears here.")

    def row_url(self, row: Any) -> str:
        """The job with its log."""
        return reverse("bss:job_detail", args=[row.public_id])


class JobDetail(JobPage):
    """One job with progress, log, result and cancel."""

    perm = Perm.BSS_VIEW
    cancel_perm = Perm.OPERATION_ACT
    back = (_("Background jobs"), "bss:job_list")

    def result_url(self) -> str:
        """What the job was about, for those who may open it; or a spreadsheet of one's own."""
        if self.object.kind == EXPORT_LIST and self.object.user_id == self.actor.user_id:
            return reverse("bss:export_detail", args=[self.object.public_id])
        if self.object.params.get("tenant") and self.actor.has(Perm.PROFESSIONAL):
            return reverse("bss:professional_detail", args=[self.object.params["tenant"]])
        if self.object.kind == UPDATE and self.actor.has(Perm.CATALOG_MANAGE):
            return reverse("bss:update_detail", args=[self.object.params["update"]])
        instance = self.object.params.get("instance")
        if not instance or not self.actor.has(Perm.INSTANCE_VIEW) or self.object.user_id != self.actor.user_id:
            return ""
        return reverse("bss:instance_detail", args=[instance])
