"""Pages about MPN IDs of both doors: type a new one, see what the vendor says and what it changes, watch the run."""

from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.errors import BusinessError
from provisioning.services import stamps
from resellers.models import Account
from resellers.selectors import own_account
from subscriptions.enums import StampState
from subscriptions.models import StampRun
from subscriptions.selectors import stamp_rows, stamp_runs
from ui.pages import FormPage
from ui.pages.base import Page
from vendors.models import AccountLink, Instance
from vendors.selectors import account_links_for

ROWS_SHOWN = 200


class MpnForm(forms.Form):
    """A reseller's MPN ID at an instance."""

    mpn_id = forms.CharField(
        label=gettext_lazy("MPN ID"),
        max_length=10,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        help_text=gettext_lazy("4 to 10 digits: the reseller's location in Microsoft's partner network."),
    )


class PartnerAddresses(Page):
    """Where the pages are, and whose MPN ID they are about: the own one, unless a door overrides both."""

    door: ClassVar[str] = "storefront"

    def reseller(self) -> Account:
        """The own account, if it is a reseller."""
        account = own_account(self.actor)
        if account is None or not account.is_reseller:
            raise Http404
        return account

    def owner_args(self) -> list[Any]:
        """What names the reseller in the addresses; nothing where it is the own account."""
        return []

    def check_url(self, job: Any) -> str:
        """What the vendor says about an ID."""
        return reverse(f"{self.door}:partner_check", args=[*self.owner_args(), job.public_id])

    def change_url(self, instance: Instance) -> str:
        """Typing another ID."""
        return reverse(f"{self.door}:partner_change", args=[*self.owner_args(), instance.public_id])

    def run_url(self, run: StampRun) -> str:
        """A run."""
        return reverse(f"{self.door}:stamp_detail", args=[run.public_id])

    def home_url(self) -> str:
        """Where the reseller's IDs are shown."""
        return reverse(f"{self.door}:partner_home", args=self.owner_args())


class PartnerChange(PartnerAddresses, FormPage):
    """A new MPN ID at one instance; the vendor checks it before anything changes."""

    title = gettext_lazy("Change MPN ID")
    intro = gettext_lazy("The vendor checks it first. Then you see which services change, and confirm.")
    form_class = MpnForm
    submit = gettext_lazy("Check with the vendor")
    instance: Instance

    def load(self, **kwargs: Any) -> Any:
        """The reseller; the instance of the address must carry MPN IDs."""
        rows = {str(row.public_id): row for row in stamps.partner_instances(self.actor)}
        found = rows.get(str(kwargs["instance_id"]))
        self.instance = found or self.find(account_links_for(self.actor).none(), kwargs["instance_id"])
        return self.reseller()

    def initial(self) -> dict[str, Any]:
        """What is stored."""
        link = link_of(self, self.instance)
        return {"mpn_id": link.mpn_id if link else ""}

    def page_title(self) -> str:
        """With the instance, of which there may be several."""
        return _("MPN ID at %(instance)s") % {"instance": self.instance.system_name}

    def perform(self, form: Any) -> Any:
        """Start the check."""
        number = form.cleaned_data["mpn_id"].strip()
        return stamps.start_partner_check(self.actor, account=self.object, instance=self.instance, mpn_id=number)

    def done_url(self, result: Any) -> str:
        """On to what the vendor says."""
        return self.check_url(result)

    def cancel_url(self) -> str:
        """Back to the IDs."""
        return self.home_url()


def link_of(page: Any, instance: Instance) -> AccountLink | None:
    """The reseller's link at an instance."""
    found: AccountLink | None = account_links_for(page.actor).filter(account=page.reseller(), instance=instance).first()
    return found


class PartnerCheck(PartnerAddresses):
    """What the vendor says about an ID, and what it would change; POST does it."""

    template_name = "ui/partner_check.html"
    title = gettext_lazy("Change MPN ID")

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """The progress of the check, its refusal, or the preview."""
        job = stamps.checked(self.actor, kwargs["job_id"], account=self.reseller())
        instance = stamps.instance_of_check(self.actor, job)
        extra: dict[str, Any] = {"job": job, "instance": instance, "mpn_id": job.params["mpn_id"]}
        extra |= {"change_url": self.change_url(instance), "home_url": self.home_url()}
        if job.is_open:
            if self.wants_part():
                self.template_name = "ui/_checking.html"  # type: ignore[misc]
            return self.show(**extra)
        if self.wants_part():
            response = redirect(request.path)
            response["HX-Redirect"] = request.path
            response.status_code = 204
            return response
        if job.result.get("ok"):
            extra["preview"] = stamps.preview_restamp(self.reseller(), instance, str(job.params["mpn_id"]))
            extra["link"] = link_of(self, instance)
        return self.show(**extra)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Set the ID and start the run."""
        reseller = self.reseller()
        self.demand_level(reseller)
        job = stamps.checked(self.actor, kwargs["job_id"], account=reseller)
        try:
            run = stamps.start_restamp(self.actor, account=reseller, check=job)
        except BusinessError as error:
            messages.error(request, str(error.message))
            return redirect(self.home_url())
        if run is None:
            messages.success(request, _("The MPN ID is set. No running service has to change."))
            return redirect(self.home_url())
        return redirect(self.run_url(run))


class StampRunPage(Page):
    """A run that changes MPN IDs: how far it is, each service, Retry and Cancel."""

    template_name = "ui/partner_run.html"
    acting_perm: ClassVar[str] = ""
    object: Any

    def load(self, public_id: object) -> StampRun:
        """The run of the address."""
        row: StampRun = self.find(stamp_runs(self.actor), public_id)
        return row

    def get(self, request: HttpRequest, public_id: str, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Show it, or its moving part alone for htmx."""
        self.object = row = self.load(public_id)
        if self.wants_part():
            self.template_name = "ui/_partner_run.html"  # type: ignore[misc]
        rows = list(stamp_rows(self.actor, row)[:ROWS_SHOWN])
        counts: Any = row
        total = counts.done_count + counts.failed_count + counts.open_count
        idle = row.job is None or not row.job.is_open
        may = self.actor.has(self.acting_perm) and self.actor.may(row.account)
        stuck = row.state == StampState.RUNNING and idle and any(item.state == "pending" for item in rows)
        response = self.show(
            run=row,
            rows=rows,
            total=total,
            percent=(total - counts.open_count) * 100 // total if total else 100,
            is_running=row.state == StampState.RUNNING,
            may_retry=may and (row.state == StampState.PARTLY or stuck),
            may_cancel=may and row.state in (StampState.RUNNING, StampState.PARTLY),
        )
        response["Vary"] = "HX-Request"
        return response

    def post(self, request: HttpRequest, public_id: str, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Try again what failed, or stop."""
        self.actor.require(self.acting_perm)
        row = self.load(public_id)
        deed = stamps.retry_run if request.POST.get("deed") == "retry" else stamps.cancel_run
        try:
            deed(self.actor, run=row)
        except BusinessError as error:
            messages.error(request, str(error.message))
        return redirect(request.path)

    def page_title(self) -> str:
        """What it does, for whom."""
        return str(self.object)
