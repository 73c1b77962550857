"""The consent of a vendor's administrator: off to the vendor's page, and back."""

from typing import Any, cast

from django.http import HttpRequest, HttpResponseBase, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import View

from bss.views.instances import LIST
from core.errors import BusinessError
from provisioning.services import setup
from resellers.middleware import ActorRequest
from ui.pages import Page
from users.permissions import Perm
from vendors.models import Instance
from vendors.selectors import instances_for

SESSION_KEY = "consent_state"
RELAYED = "relayed"
ANSWERS = ("code", "id_token", "state", "session_state", "error", "error_description", "admin_consent", "tenant")


def return_address(request: HttpRequest, instance: Instance) -> str:
    """Where the vendor sends the administrator back to; it must be registered at the vendor letter by letter."""
    return request.build_absolute_uri(reverse("bss:consent_return", args=[instance.public_id]))


class ConsentStart(Page):
    """Says what will be asked, and leads to the vendor's page with a state this session remembers."""

    perm = Perm.INSTANCE_MANAGE
    template_name = "bss/consent_page.html"
    title = gettext_lazy("Consent")
    back = LIST

    def get(self, request: HttpRequest, public_id: str) -> HttpResponseBase:
        """The way to the vendor, with a fresh state each time."""
        instance: Instance = self.find(instances_for(self.actor), public_id)
        target = return_address(request, instance)
        address, problem = "", ""
        try:
            address, state = setup.start_consent(self.actor, instance=instance, redirect_uri=target)
            request.session[SESSION_KEY] = {"instance": str(instance.public_id), "state": state}
        except BusinessError as error:
            problem = str(error.message)
        return self.show(object=instance, address=address, target=target, problem=problem)


class ConsentReturn(Page):
    """Takes the vendor's answer once, if it carries the state that this session began with."""

    perm = Perm.INSTANCE_MANAGE
    template_name = "bss/consent_return_page.html"
    title = gettext_lazy("Consent")
    back = LIST

    def get(self, request: HttpRequest, public_id: str) -> HttpResponseBase:
        """An answer in the address."""
        return self._take(public_id, request.GET)

    def post(self, request: HttpRequest, public_id: str) -> HttpResponseBase:
        """An answer as a form."""
        return self._take(public_id, request.POST)

    def _take(self, public_id: str, answer: QueryDict) -> HttpResponseBase:
        instance: Instance = self.find(instances_for(self.actor), public_id)
        begun: dict[str, Any] = self.request.session.pop(SESSION_KEY, None) or {}
        expected = begun.get("state", "") if begun.get("instance") == str(instance.public_id) else ""
        try:
            job = setup.finish_consent(
                self.actor,
                instance=instance,
                redirect_uri=return_address(self.request, instance),
                expected_state=str(expected),
                form={name: str(answer[name]) for name in ANSWERS if name in answer},
            )
        except BusinessError as error:
            return self.show(status=400, object=instance, problem=str(error.message))
        return self.show(object=instance, job=job, problem="")


class ConsentRelay(View):
    """The vendor posts across sites, which leaves the session cookie behind; the answer is posted once more from here.

    The relay reads nothing and changes nothing: the page it shows only carries the answer on to the same address.
    """

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Pass on what came from outside; let what came with a session or from the relay itself through."""
        known = not cast(ActorRequest, request).actor.is_anonymous
        if request.method == "POST" and not known and RELAYED not in request.POST:
            answer = {name: request.POST[name] for name in ANSWERS if name in request.POST}
            context = {"heading": _("Consent"), "answer": answer, "relayed": RELAYED}
            return render(request, "bss/consent_relay_page.html", context)
        return ConsentReturn.as_view()(request, *args, **kwargs)
