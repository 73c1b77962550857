"""Applications Setup: instances, their settings, their state."""

from collections.abc import Sequence
from typing import Any

from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bss.forms.instances import DefinitionForm, InstanceForm
from bss.views.shared import history_of
from core import clock
from core.selectors import jobs_for
from provisioning.services import setup
from provisioning.services.market import checklist
from ui.filters import Choice, Filter
from ui.pages import Action, ActionPage, DetailPage, Fact, FormPage, ListPage, Page
from ui.tables import Column
from users.permissions import Perm
from vendors.models import Application, ConsentState, Instance, InstanceState
from vendors.selectors import applications_on_offer, certificate_problem, instances_for
from vendors.services.certificates import expected_targets

LIST = (gettext_lazy("Applications setup"), "bss:instance_list")
RECENT_JOBS = 8


def _consent_of(row: Instance) -> str:
    """What the vendor's administrator allowed; empty where the vendor wants no consent."""
    return row.consent if setup.needs_consent(row) else ""


class InstanceList(ListPage):
    """The organization's configurations of vendor applications."""

    perm = Perm.INSTANCE_VIEW
    title = gettext_lazy("Applications setup")
    intro = gettext_lazy("Each instance is one connection to a vendor: its credentials, markets and catalogue.")
    selector = instances_for
    columns = (
        Column(
            "system_name",
            gettext_lazy("System name"),
            "main",
            sort="system_name",
            sub="application.name",
            sub_label=gettext_lazy("Application"),
        ),
        Column("state", gettext_lazy("State"), "status", sort="state"),
        Column("country", gettext_lazy("Country"), sort="country"),
        Column("language", gettext_lazy("Language"), sort="language"),
        Column("consent", gettext_lazy("Consent"), "status", sort="consent", show=_consent_of),
        Column("credentials_refused_at", gettext_lazy("Credentials refused"), "ago", sort="credentials_refused_at"),
        Column("last_definition_at", gettext_lazy("Last definition run"), "ago", sort="last_definition_at"),
    )
    filters = (
        Filter("application", gettext_lazy("Application"), "application__name"),
        Choice("state", gettext_lazy("State"), "state", InstanceState.choices[:-1]),
        Choice("consent", gettext_lazy("Consent"), "consent", ConsentState.choices),
    )
    search = ("system_name", "application__name")
    sort = "system_name"
    empty_icon = "plug"
    empty_title = gettext_lazy("No instance yet")
    empty_text = gettext_lazy("Connect a vendor: make an instance, type its credentials, and get its catalogue.")

    def row_url(self, row: Any) -> str:
        """The instance."""
        return reverse("bss:instance_detail", args=[row.public_id])

    def actions(self) -> list[Action]:
        """Make a new one."""
        if not self.actor.has(Perm.INSTANCE_MANAGE):
            return []
        return [Action(_("New instance"), reverse("bss:instance_new"), "plus", "primary")]


class InstanceDetail(DetailPage):
    """One instance: what is set, whether it works, what was read from the vendor."""

    perm = Perm.INSTANCE_VIEW
    selector = instances_for
    status_field = "state"
    back = LIST
    facts = (
        Fact("application.name", gettext_lazy("Application")),
        Fact("consent", gettext_lazy("Consent"), "status", sub="consent_note"),
        Fact("consent_at", gettext_lazy("Consent since"), "when"),
        Fact("last_definition_at", gettext_lazy("Last definition run"), "when"),
    )
    parts = (
        "bss/_instance_alerts.html",
        "bss/_instance_checklist.html",
        "bss/_instance_settings.html",
        "bss/_history.html",
    )
    side = ("bss/_instance_figures.html", "bss/_instance_jobs.html")

    def context(self) -> dict[str, Any]:
        """Settings in words, figures, and the last jobs."""
        row: Instance = self.object
        jobs = jobs_for(self.actor).filter(params__instance=str(row.public_id)).order_by("-id")
        tested = jobs.filter(kind="provisioning.test_connection", finished_at__isnull=False).first()
        return {
            "settings": setup.shown_settings(row),
            "counts": setup.counts(row),
            "jobs": list(jobs.exclude(kind__startswith="provisioning.check_")[:RECENT_JOBS]),
            "tested": tested,
            "needs_consent": setup.needs_consent(row),
            "waits_for_token": setup.waits_for_token(row),
            "problem": certificate_problem(row, clock.now()),
            "points": checklist(row),
            "targets": expected_targets(),
            "may_bind": self.actor.has(Perm.CERTIFICATE_MANAGE),
            "history": history_of(self.actor, row),
        }

    def shown_facts(self) -> Sequence[Fact]:
        """Consent is told only where the vendor wants one."""
        if setup.needs_consent(self.object):
            return self.facts
        return [fact for fact in self.facts if not fact.path.startswith("consent")]

    def actions(self, row: Instance) -> list[Action]:
        """What may be done with it now."""
        why = setup.obstacles(self.actor, row)
        manage = self.actor.has(Perm.INSTANCE_MANAGE)

        def action(name: str, label: str, icon: str, tone: str = "", post: bool = False) -> Action:
            address = reverse(f"bss:instance_{name}", args=[row.public_id])
            return Action(label, address, icon, tone, why.get(name, ""), post)

        found = [action("edit", _("Edit settings"), "edit")] if manage else []
        if manage:
            found.append(action("test", _("Test connection"), "bolt", post=True))
        if manage and setup.needs_consent(row):
            found.append(action("consent", _("Consent"), "key"))
        if row.certificate is not None and self.actor.has(Perm.CERTIFICATE_MANAGE):
            address = reverse("bss:certificate_replace", args=[row.certificate.public_id])
            found.append(Action(_("Replace certificate"), address, "shield"))
        if self.actor.has(Perm.DEFINITION_RUN):
            found.append(action("definition", _("Get services definition"), "download"))
        if manage and row.state == InstanceState.ACTIVE:
            found.append(action("deactivate", _("Deactivate"), "pause"))
        elif manage:
            found.append(action("activate", _("Activate"), "play", "primary"))
            found.append(action("delete", _("Delete"), "trash", "danger"))
        return found


class InstanceNew(Page):
    """Choose the application of a new instance; with one application there is nothing to choose."""

    perm = Perm.INSTANCE_MANAGE
    template_name = "bss/instance_new_page.html"
    title = gettext_lazy("New instance")
    back = LIST

    def get(self, request: HttpRequest) -> HttpResponseBase:
        """The applications, or straight on."""
        found = applications_on_offer()
        if len(found) == 1:
            return redirect("bss:instance_create", code=found[0].code)
        return self.show(applications=found)


class InstanceFormPage(FormPage):
    """Name and settings of an instance."""

    perm = Perm.INSTANCE_MANAGE
    template_name = "bss/instance_form_page.html"
    form_class = InstanceForm
    back = LIST
    application: Application

    def form_kwargs(self) -> dict[str, Any]:
        """The connector's fields, which of them are closed yet, and which secrets are stored."""
        fields = setup.fields_of(self.actor, self.application, self.object)
        shown = setup.shown_values(self.object) if self.object else {}
        return {
            "vendor_fields": [item for item, _is_open in fields],
            "closed": [item.id for item, is_open in fields if not is_open],
            "stored": {key[:-5] for key in shown if key.endswith("__set")},
        }

    def perform(self, form: InstanceForm) -> Instance:
        """Store them."""
        return setup.save_settings(
            self.actor,
            application=self.application,
            instance=self.object,
            system_name=form.cleaned_data["system_name"],
            given=form.given(),
        )

    def done_url(self, result: Any) -> str:
        """The instance."""
        return reverse("bss:instance_detail", args=[result.public_id])


class InstanceCreate(InstanceFormPage):
    """Stage 1: the connection."""

    title = gettext_lazy("New instance")
    intro = gettext_lazy("First the connection. What is sold can be chosen once this is saved.")
    submit = gettext_lazy("Save and go on")
    success = gettext_lazy("Saved. Now test the connection and choose what is sold.")

    def load(self, **kwargs: Any) -> None:
        """The application of the address."""
        found = next((row for row in applications_on_offer() if row.code == kwargs["code"]), None)
        if found is None:
            raise Http404
        self.application = found

    def done_url(self, result: Any) -> str:
        """On to stage 2."""
        return reverse("bss:instance_edit", args=[result.public_id])


class InstanceEdit(InstanceFormPage):
    """Stage 2, and any change later."""

    title = gettext_lazy("Settings")
    success = gettext_lazy("Saved.")

    def load(self, **kwargs: Any) -> Instance:
        """The instance of the address."""
        row: Instance = self.find(instances_for(self.actor), kwargs["public_id"])
        self.application = row.application
        return row

    def page_title(self) -> str:
        """Names the instance."""
        return _("Settings of %(name)s") % {"name": self.object}

    def initial(self) -> dict[str, Any]:
        """What is stored, without secrets."""
        return setup.shown_values(self.object) | {"system_name": self.object.system_name}

    def cancel_url(self) -> str:
        """Back to the instance."""
        return reverse("bss:instance_detail", args=[self.object.public_id])


class InstanceAction(ActionPage):
    """A deed about an instance; what it returns is shown: a job's progress, or the instance."""

    perm = Perm.INSTANCE_MANAGE
    back = LIST

    def crumbs(self) -> list[tuple[str, str]]:
        """Below the instance."""
        return [*super().crumbs(), (str(self.object), self.cancel_url())]

    def load(self, **kwargs: Any) -> Instance:
        """The instance of the address."""
        row: Instance = self.find(instances_for(self.actor), kwargs["public_id"])
        return row

    def cancel_url(self) -> str:
        """Back to the instance."""
        return reverse("bss:instance_detail", args=[self.object.public_id])


class InstanceTest(InstanceAction):
    """Ask the vendor whether the settings work."""

    title = gettext_lazy("Test connection")

    def consequences(self) -> list[str]:
        """It changes nothing."""
        return [_("The vendor is asked whether he accepts the stored settings. Nothing is changed.")]

    def perform(self, form: Any) -> Any:
        """Start the job."""
        return setup.start_test(self.actor, instance=self.object)

    def done_url(self, result: Any) -> str:
        """Watch it."""
        return reverse("bss:job_detail", args=[result.public_id])


class InstanceDefinition(InstanceTest):
    """Read the vendor's catalogue."""

    perm = Perm.DEFINITION_RUN
    title = gettext_lazy("Get services definition")
    form_class = DefinitionForm

    def consequences(self) -> list[str]:
        """What a run changes and what it keeps."""
        return [
            _("Products, plans, add-ons and the vendor's prices are read and stored; this can take some minutes."),
            _("New products come unpublished. Texts and categories you wrote stay as they are."),
            _("What the vendor no longer sells is marked as discontinued; running services go on."),
        ]

    def perform(self, form: Any) -> Any:
        """Start the job."""
        return setup.start_definition(self.actor, instance=self.object, accept_loss=form.cleaned_data["accept_loss"])
