"""The way from an account to the storefront as its users see it."""

from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bss.forms.people import WhyForm
from bss.views.account_forms import OfAccount
from resellers.middleware import VIEWING
from resellers.models import ViewAsSession
from resellers.services.view_as import start_viewing
from ui.pages import ActionPage
from users.permissions import Perm


class ViewAs(OfAccount, ActionPage):
    """Asks why, then opens the storefront as the customer sees it."""

    perm = Perm.VIEW_AS
    level = "read"
    title = gettext_lazy("View as customer")
    submit = gettext_lazy("Open the storefront")
    success = gettext_lazy("This is the shop as the customer sees it.")
    form_class = WhyForm

    def consequences(self) -> list[str]:
        """What the customer will read about it."""
        return [
            _("You see the storefront as %(account)s sees it, for %(n)s minutes, and can only read.")
            % {"account": self.object.name, "n": settings.VIEW_AS_MINUTES},
            _("The customer sees under Company who looked, when, and the reason you give."),
            _("What you do for the customer you do here, under your own name."),
        ]

    def perform(self, form: Any) -> ViewAsSession:
        """Call the service; this browser keeps the token."""
        row, token = start_viewing(self.actor, account=self.object, reason=form.cleaned_data["reason"])
        self.request.session[VIEWING] = token
        return row

    def done_url(self, result: object) -> str:
        """The storefront's front page."""
        return reverse("storefront:home")
