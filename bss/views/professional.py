"""Professional resellers at the distributor: the list, one with its steps, and what is done about it."""

from typing import Any, ClassVar

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bss.forms.operations import ReasonForm
from bss.forms.professional import GoLiveForm, ProfessionalForm, ProfessionalOptionsForm
from bss.views.account_forms import OfAccount
from bss.views.shared import history_of
from catalog.selectors import assigned_price_list, lists_for_account
from core.jobs import Job
from core.selectors import jobs_of_account
from resellers.selectors import organization_of
from tenants.enums import Licence, TenantStatus
from tenants.models import ProfessionalTenant
from tenants.selectors import accounts_to_move, moved_accounts, moved_subscriptions, subscriptions_to_move, tenants_for
from tenants.services import create, state
from ui.filters import Choice, Filter, Flag, Period
from ui.pages import Action, ActionPage, DetailPage, Fact, FormPage, ListPage
from ui.tables import Column
from users.permissions import Perm

LIST = (gettext_lazy("Professional resellers"), "bss:professional_list")


class ProfessionalList(ListPage):
    """Every Professional reseller with his state."""

    perm = Perm.PROFESSIONAL
    title = gettext_lazy("Professional resellers")
    intro = gettext_lazy("Resellers with an organization of their own: BSS, users, catalogue, prices and storefront.")
    selector = tenants_for
    columns = (
        Column("name", gettext_lazy("Organization"), "main", sort="name", sub="host", sub_label=gettext_lazy("Host")),
        Column("account.name", gettext_lazy("Reseller"), sort="account__name"),
        Column("status", gettext_lazy("Status"), "status", sort="status", sub="note", sub_label=gettext_lazy("Reason")),
        Column("get_licence_display", gettext_lazy("Licence"), sort="licence"),
        Column("price_list.name", gettext_lazy("Price list"), sort="price_list__name"),
        Column("customer_count", gettext_lazy("Managed copies"), "number"),
        Column("back_ordering", gettext_lazy("Back ordering"), "flag", sort="back_ordering"),
        Column("live_at", gettext_lazy("Live since"), "date", sort="live_at"),
    )
    filters = (
        Choice("status", gettext_lazy("Status"), "status", TenantStatus.choices),
        Choice("licence", gettext_lazy("Licence"), "licence", Licence.choices),
        Filter("reseller", gettext_lazy("Reseller"), "account__name"),
        Flag("orders", gettext_lazy("Back ordering"), "back_ordering"),
        Period("live", gettext_lazy("Live since"), "live_at"),
    )
    search = ("name", "host", "account__name")
    sort = "name"
    empty_icon = "globe"
    empty_title = gettext_lazy("No Professional resellers yet")
    empty_text = gettext_lazy("Open the account of a reseller and choose Make Professional.")

    def row_url(self, row: Any) -> str:
        """The reseller with his steps."""
        return reverse("bss:professional_detail", args=[row.public_id])


class ProfessionalDetail(DetailPage):
    """One Professional reseller: where he stands on the way, what is left, and his options."""

    perm = Perm.PROFESSIONAL
    selector = tenants_for
    back = LIST
    facts = (
        Fact("account.name", gettext_lazy("Reseller")),
        Fact("host", gettext_lazy("Host")),
        Fact("get_licence_display", gettext_lazy("Licence")),
        Fact("price_list.name", gettext_lazy("Price list"), sub="price_list.currency"),
        Fact(
            "get_language_display",
            gettext_lazy("Language"),
            show=lambda row: dict(settings.LANGUAGES).get(row.language, row.language),
        ),
        Fact("time_zone", gettext_lazy("Time zone")),
        Fact("admin_email", gettext_lazy("First administrator")),
        Fact("separate_invoices", gettext_lazy("Separate invoices per customer"), "flag"),
        Fact("back_ordering", gettext_lazy("Back ordering"), "flag"),
        Fact("annual_monthly", gettext_lazy("Annual orders with monthly billing"), "flag"),
        Fact("active_at", gettext_lazy("Ready since"), "when"),
        Fact("live_at", gettext_lazy("Live since"), "when"),
    )
    parts = ("bss/_professional_steps.html", "bss/_professional_jobs.html")
    side = ("bss/_history.html",)

    def context(self) -> dict[str, Any]:
        """The four steps with what is done and left of each."""
        row: ProfessionalTenant = self.object
        return {
            "left_accounts": accounts_to_move(self.actor, row).count(),
            "done_accounts": moved_accounts(self.actor, row).count(),
            "left_subscriptions": subscriptions_to_move(self.actor, row).count(),
            "done_subscriptions": moved_subscriptions(self.actor, row).count(),
            "jobs": jobs_of_account(self.actor, row.account, "tenants."),
            "history": history_of(self.actor, row),
        }

    def actions(self, row: ProfessionalTenant) -> list[Action]:
        """What his state allows."""
        found = [Action(_("Account"), reverse("bss:account_detail", args=[row.account.public_id]), "building")]
        if row.status in (TenantStatus.FAILED, TenantStatus.PREPARING):
            words = "" if row.status == TenantStatus.FAILED else _("It is being made.")
            found.append(self._action("retry", _("Try again"), "sync", "primary", words))
        if row.status == TenantStatus.ACTIVE:
            found.append(self._action("options", _("Options"), "edit"))
            found.append(self._action("suspend", _("Put on hold"), "pause"))
        if row.status == TenantStatus.SUSPENDED:
            found.append(self._action("activate", _("Release"), "play", "primary"))
        if row.status in (TenantStatus.ACTIVE, TenantStatus.SUSPENDED):
            found.append(self._action("delete", _("Mark as deleted"), "trash", "danger"))
        return found

    def _action(self, name: str, label: str, icon: str, tone: str = "", reason: str = "") -> Action:
        return Action(label, reverse(f"bss:professional_{name}", args=[self.object.public_id]), icon, tone, reason)


class MakeProfessional(OfAccount):
    """A reseller gets an organization of his own."""

    perm = Perm.PROFESSIONAL
    title = gettext_lazy("Make Professional")
    intro = gettext_lazy(
        "He gets an organization of his own: BSS, users, catalogue, price lists and storefront. Until he goes live he "
        "orders here as before."
    )
    form_class = ProfessionalForm
    submit = gettext_lazy("Make Professional")
    success = gettext_lazy("His organization is being made. This page shows how far it is.")

    def form_kwargs(self) -> dict[str, Any]:
        """The price lists in his currency."""
        rows = lists_for_account(self.actor, self.object)
        return {"price_lists": [(str(row.public_id), f"{row.name} ({row.currency})") for row in rows]}

    def initial(self) -> dict[str, Any]:
        """What is known of him."""
        own, assigned = organization_of(self.actor), assigned_price_list(self.actor, self.object)
        return {
            "name": self.object.name,
            "price_list": str(assigned.public_id) if assigned else "",
            "language": own.language if own else "en",
            "time_zone": own.time_zone if own else "UTC",
        }

    def perform(self, form: Any) -> ProfessionalTenant:
        """Call the service."""
        given = dict(form.cleaned_data)
        lists = lists_for_account(self.actor, self.object)
        given["price_list"] = lists.get_visible(self.actor, given["price_list"])
        return create.make_professional(self.actor, account=self.object, values=given)

    def done_url(self, result: Any) -> str:
        """His page, with the steps."""
        return reverse("bss:professional_detail", args=[result.public_id])


class OfProfessional(FormPage):
    """A form about one Professional reseller; it leads back to him."""

    perm = Perm.PROFESSIONAL
    back = LIST
    success: ClassVar[Any] = gettext_lazy("Saved.")

    def load(self, **kwargs: Any) -> ProfessionalTenant:
        """The reseller of the address."""
        row: ProfessionalTenant = self.find(tenants_for(self.actor), kwargs["public_id"])
        return row

    def cancel_url(self) -> str:
        """Back to him."""
        return reverse("bss:professional_detail", args=[self.object.public_id])

    def crumbs(self) -> list[tuple[str, str]]:
        """The list and he."""
        return [*super().crumbs(), (self.object.name, self.cancel_url())]


class ProfessionalOptions(OfProfessional):
    """Licence, invoices, billing and back ordering."""

    title = gettext_lazy("Options")
    form_class = ProfessionalOptionsForm

    def form_kwargs(self) -> dict[str, Any]:
        """Back ordering exists once he is live."""
        return {"is_live": self.object.live_at is not None}

    def initial(self) -> dict[str, Any]:
        """What is stored."""
        return {name: getattr(self.object, name) for name in ProfessionalOptionsForm.base_fields}

    def perform(self, form: Any) -> ProfessionalTenant:
        """Call the service."""
        return state.set_options(self.actor, tenant=self.object, values=form.cleaned_data)


class ProfessionalAction(OfProfessional, ActionPage):
    """A deed about a Professional reseller."""


class ProfessionalRetry(ProfessionalAction):
    """Run the steps again."""

    title = gettext_lazy("Try again")
    submit = gettext_lazy("Try again")
    success = gettext_lazy("The steps run again.")

    def consequences(self) -> list[str]:
        """What is there stays."""
        return [_("The steps run again from the first; what is made already stays as it is.")]

    def perform(self, form: Any) -> Job:
        """Call the service."""
        return create.retry_making(self.actor, tenant=self.object)


class ProfessionalSuspend(ProfessionalAction):
    """Nobody of his signs in."""

    title = gettext_lazy("Put on hold")
    form_class = ReasonForm
    success = gettext_lazy("His organization is on hold.")

    def consequences(self) -> list[str]:
        """What stops and what does not."""
        return [
            _("Nobody signs in to his BSS or storefront, and nothing is ordered."),
            _("Running services go on and are billed to him."),
        ]

    def perform(self, form: Any) -> ProfessionalTenant:
        """Call the service."""
        return state.suspend_tenant(self.actor, tenant=self.object, reason=form.cleaned_data["reason"])


class ProfessionalActivate(ProfessionalAction):
    """He may go on."""

    title = gettext_lazy("Release")
    success = gettext_lazy("His organization is open again.")

    def consequences(self) -> list[str]:
        """At once."""
        return [_("His people can sign in and order again at once.")]

    def perform(self, form: Any) -> ProfessionalTenant:
        """Call the service."""
        return state.activate_tenant(self.actor, tenant=self.object)


class ProfessionalDelete(ProfessionalAction):
    """The end."""

    title = gettext_lazy("Mark as deleted")
    form_class = ReasonForm
    is_danger = True
    success = gettext_lazy("His organization is marked as deleted.")

    def consequences(self) -> list[str]:
        """It cannot be undone."""
        return [
            _("His site closes for good; this cannot be undone."),
            _("After 90 days the data of his organization is erased: users, contacts, company data, secrets."),
            _("It is refused while a service runs in his organization."),
        ]

    def perform(self, form: Any) -> ProfessionalTenant:
        """Call the service."""
        return state.mark_deleted(self.actor, tenant=self.object, reason=form.cleaned_data["reason"])


class ProfessionalGoLive(ProfessionalAction):
    """The last step."""

    title = gettext_lazy("Go live")
    form_class = GoLiveForm
    submit = gettext_lazy("Go live")
    success = gettext_lazy("He is live: his customers' orders come from his own organization now.")

    def form_kwargs(self) -> dict[str, Any]:
        """Whether something stays behind."""
        return {"has_rest": subscriptions_to_move(self.actor, self.object).exists()}

    def consequences(self) -> list[str]:
        """What changes."""
        return [
            _("His edition becomes Professional; there is no way back to a lower one."),
            _("His white-label site here closes, and his people order here no more."),
            _("Back ordering begins: what his customers order of our products is ordered here."),
        ]

    def perform(self, form: Any) -> ProfessionalTenant:
        """Call the service."""
        rest = bool(form.cleaned_data.get("leave_rest"))
        return state.go_live(self.actor, tenant=self.object, leave_rest=rest)
