"""A background job: how far it is, its log, cancel; refreshes itself until it has ended."""

from typing import Any, ClassVar

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.errors import BusinessError
from core.jobs import request_cancel
from core.selectors import job_log, jobs_for
from ui.pages.base import Page


class JobPage(Page):
    """One job with progress and log; POST asks it to stop."""

    template_name = "ui/job_page.html"
    cancel_perm: ClassVar[str] = ""
    result_label: ClassVar[Any] = gettext_lazy("Go on")
    result_icon: ClassVar[str] = "arrow-right"
    object: Any

    def load(self, public_id: str) -> Any:
        """The job of the address."""
        return self.find(jobs_for(self.actor), public_id)

    def may_cancel(self) -> bool:
        """Whether the actor may stop it."""
        return self.actor.has(self.cancel_perm or self.perm)

    def get(self, request: HttpRequest, public_id: str, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Show it, or its moving part alone for htmx."""
        self.object = self.load(public_id)
        if self.wants_part():
            self.template_name = "ui/_job.html"  # type: ignore[misc]
        response = self.show(
            job=self.object,
            log=job_log(self.object),
            result_url=self.result_url(),
            may_cancel=self.may_cancel(),
        )
        response["Vary"] = "HX-Request"
        return response

    def post(self, request: HttpRequest, public_id: str, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Ask the job to stop at its next step."""
        job = self.object = self.load(public_id)
        if not self.may_cancel():
            self.actor.require(self.cancel_perm or self.perm)
        try:
            request_cancel(self.actor, job)
            messages.info(request, _("It stops at its next step."))
        except BusinessError as error:
            messages.error(request, str(error.message))
        return redirect(request.path)

    def page_title(self) -> str:
        """What the job does."""
        return str(self.object.title)

    def result_url(self) -> str:
        """Where its result can be looked at."""
        return ""
