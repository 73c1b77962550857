"""A new order by an employee: billing address, service details checked with the vendor, review, place."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_htmx.http import HttpResponseClientRedirect

from bss.forms.operations import ReasonForm
from bss.forms.order_new import BillingForm, PlaceForm
from bss.views.order_new import OrderStep
from core import money
from core.errors import Conflict
from core.jobs import Job, own_job
from orders.enums import OrderStatus
from orders.models import Basket, Order
from orders.selectors import basket_instances
from orders.services.basket import set_billing_address
from orders.services.place import place_order
from provisioning.services.checkout import (
    DETAILS_CHECK,
    LIVE_CHECK,
    skip_details_check,
    start_details_check,
    start_live_check,
)
from resellers.services.accounts import billing_address
from ui.pages import ActionPage, FormPage
from ui.service_details import Addresses, answers, detail_form, detail_sections, live_values
from vendors.models import Instance


class OrderBilling(OrderStep, FormPage):
    """The address on the documents of this order."""

    template_name = "bss/order_billing_page.html"
    form_class = BillingForm
    number = 2

    def load(self, **kwargs: Any) -> Any:
        """The basket, if there is something in it."""
        super().load(**kwargs)
        return self.ready()[0]

    def initial(self) -> dict[str, Any]:
        """What was typed before, else the address of whoever is billed."""
        known: dict[str, Any] = self.object.billing_address
        return known or dict(billing_address(self.account.bill_to or self.account))

    def perform(self, form: Any) -> Basket:
        """Call the service."""
        return set_billing_address(self.actor, basket=self.object, address=form.cleaned_data)

    def done_url(self, result: Any) -> str:
        """On to what the vendors ask."""
        return self.url("_details")


class DetailsStep(OrderStep):
    """What every address of the service details shares."""

    number = 3

    def addresses(self) -> Addresses:
        """Where answers go, and where to go on without a check."""
        return Addresses(
            check=lambda instance: self.url("_check", instance.public_id),
            live=lambda instance, verb: self.url("_live", instance.public_id, verb),
            skip=lambda instance: self.url("_skip", instance.public_id),
        )

    def instance_of(self, instance_id: object) -> Instance:
        """An instance whose products are in the basket; any other does not exist here."""
        for instance in basket_instances(self.ready()[1].lines):
            if str(instance.public_id) == str(instance_id):
                return instance
        raise Http404

    def job_of(self, job_id: object, kind: str) -> Job:
        """A check that this employee started."""
        job = own_job(self.actor, job_id, kind)
        if job is None:
            raise Http404
        return job

    def live(self, request: HttpRequest, job: Job) -> HttpResponseBase:
        """What a live check found, or that it is still asking."""
        return render(request, "ui/_live.html", {"job": job, "poll_url": self.url("_live_result", job.public_id)})


class OrderDetails(DetailsStep):
    """What each vendor asks; goes on to the review once every vendor is content."""

    template_name = "bss/order_details_page.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """The questions, each vendor's by itself."""
        self.load(**kwargs)
        sections = detail_sections(*self.ready(), self.addresses())
        if not sections:
            return redirect(self.url("_review"))  # No vendor wants to know the customer.
        return self.show(sections=sections, done=all(section.is_good for section in sections))


class OrderCheck(DetailsStep):
    """Takes the answers for one vendor and has them checked there; the page polls meanwhile."""

    template_name = "bss/order_details_page.html"

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Start the check, or show what is wrong with the answers."""
        self.load(**kwargs)
        instance = self.instance_of(kwargs["instance_id"])
        basket, priced = self.ready()
        form = detail_form(basket, instance, request.POST)
        if not form.is_valid():
            return self.show(400, sections=detail_sections(basket, priced, self.addresses(), refused=form), done=False)
        given = answers(form, instance, request.POST)
        job = start_details_check(self.actor, basket=basket, instance=instance, values=given)
        return redirect(self.url("_checking", job.public_id))


class OrderChecking(DetailsStep):
    """Progress of a check; goes back to the details, or on to the review, when it has ended."""

    template_name = "bss/order_checking_page.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """The page, its moving part for htmx, or where to go."""
        self.load(**kwargs)
        job = self.job_of(kwargs["job_id"], DETAILS_CHECK)
        if job.is_open:
            if self.wants_part():
                self.template_name = "ui/_checking.html"  # type: ignore[misc]
            return self.show(job=job)
        if job.error:
            messages.error(request, job.error)
        target = self.url("_review" if job.result.get("state") == "ok" else "_details")
        return HttpResponseClientRedirect(target) if self.wants_part() else redirect(target)


class OrderSkip(DetailsStep, ActionPage):
    """Asks why an order goes on although the vendor could not be asked."""

    title = gettext_lazy("Continue without pre-check")
    template_name = "ui/action_page.html"
    form_class = ReasonForm
    submit = gettext_lazy("Continue without pre-check")
    success = gettext_lazy("The order goes on without the check.")

    def load(self, **kwargs: Any) -> Instance:
        """The instance that could not be asked."""
        super().load(**kwargs)
        return self.instance_of(kwargs["instance_id"])

    def page_title(self) -> str:
        """The deed."""
        return str(self.title)

    def context(self) -> dict[str, Any]:
        """What will happen."""
        return super().context() | {"consequences": self.consequences()}

    def consequences(self) -> list[str]:
        """What nobody knows, and when it comes out."""
        vendor = {"vendor": self.object.application.name}
        return [
            _("%(vendor)s could not be asked whether it accepts this order.") % vendor,
            _("It is asked again when the order is executed; what it refuses then stands on the operations desk."),
            _("Your name and the reason are kept in the audit log and with the order."),
        ]

    def cancel_url(self) -> str:
        """Back to the questions."""
        return self.url("_details")

    def perform(self, form: Any) -> Basket:
        """Call the service."""
        basket = self.ready()[0]
        reason = form.cleaned_data["reason"]
        return skip_details_check(self.actor, basket=basket, instance=self.object, reason=reason)


class OrderLive(DetailsStep):
    """Starts a check of one field while somebody types."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Start it and show that it is asking."""
        self.load(**kwargs)
        instance = self.instance_of(kwargs["instance_id"])
        values = live_values(instance, request.POST)
        return self.live(request, start_live_check(self.actor, instance=instance, verb=kwargs["verb"], values=values))


class OrderLiveResult(DetailsStep):
    """What a live check found."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """The outcome, or that it is still asking."""
        self.load(**kwargs)
        return self.live(request, self.job_of(kwargs["job_id"], LIVE_CHECK))


class OrderReview(OrderStep, FormPage):
    """Everything once more with exact amounts and what will happen; POST places the order, once."""

    template_name = "bss/order_review_page.html"
    form_class = PlaceForm
    number = 4

    def load(self, **kwargs: Any) -> Any:
        """The basket; what was sent twice finds it empty and must still find its order."""
        super().load(**kwargs)
        return self.basket if self.request.method == "POST" else self.ready()[0]

    def initial(self) -> dict[str, Any]:
        """What is seen: the key of this order, its total and the terms in force."""
        if self.basket is None or self.priced is None or self.priced.quote is None:
            return {}
        version = self.basket.site.terms_version
        return {"key": self.basket.checkout_key, "total": self.priced.quote.gross, "terms_version": version}

    def context(self) -> dict[str, Any]:
        """The figures in words, and who was not asked."""
        unchecked = []
        if self.basket is not None and self.priced is not None:
            for instance in basket_instances(self.priced.lines):
                reason = self.basket.service_details.get(str(instance.public_id), {}).get("unchecked")
                unchecked += [(instance.application.name, reason)] if reason else []
        return super().context() | {"consequences": self.consequences(), "unchecked": unchecked}

    def consequences(self) -> list[str]:
        """What "Place and execute" does."""
        priced = self.priced
        if priced is None or priced.quote is None or priced.payer is None:
            return []
        total = money.show(priced.quote.gross, priced.quote.currency)
        if priced.over_credit:
            return [
                _("The total is over the credit of %(payer)s: the order stays Submitted.") % {"payer": priced.payer},
                _("Nothing is charged and nothing is ordered until somebody of Billing executes it."),
            ]
        return [
            _("%(total)s is charged to %(payer)s.") % {"total": total, "payer": priced.payer},
            _("The services are ordered at the vendor at once."),
            _("The customer is told by e-mail."),
        ]

    def perform(self, form: Any) -> Order | HttpResponseBase:
        """Call the service; a price or a basket that changed meanwhile is shown anew and confirmed again."""
        if self.basket is None:
            raise Conflict("basket_changed", _("The order has changed meanwhile. Check it and confirm again."))
        values = form.cleaned_data
        try:
            return place_order(
                self.actor,
                basket=self.basket,
                key=values["key"],
                seen_total=values["total"],
                terms_accepted=values["terms"],
                terms_version=values["terms_version"],
                browser=self.request.headers.get("User-Agent", ""),
                execute=self.request.POST.get("then") != "submit",
            )
        except Conflict as error:
            messages.warning(self.request, str(error.message))
            return redirect(self.url("_review"))

    def done_url(self, result: Any) -> str:
        """The order; with a word about what became of it."""
        if result.status == OrderStatus.EXECUTED:
            messages.success(self.request, _("The order is executed; its services are on their way."))
        elif result.hold_reason:
            messages.warning(self.request, _("The total is over the credit: the order stays Submitted."))
        else:
            messages.success(self.request, _("The order is saved as Submitted; nothing is charged yet."))
        return reverse("bss:order_detail", args=[result.public_id])
