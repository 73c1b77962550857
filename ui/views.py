"""The style guide: every component on one page, for employees."""

import datetime as dt
from decimal import Decimal
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext_lazy as _

from core import clock
from ui.icons import ICONS
from ui.pages import Page
from users.permissions import Perm


class ExampleForm(forms.Form):
    """One field of every kind."""

    name = forms.CharField(label=_("Company"), help_text=_("As it stands on the invoice."))
    quantity = forms.IntegerField(label=_("Quantity"), initial=5)
    country = forms.ChoiceField(
        label=_("Country"), choices=[("DE", _("Germany")), ("GR", _("Greece")), ("US", _("United States"))]
    )
    start = forms.DateField(label=_("Start"), required=False, widget=forms.DateInput({"type": "date"}))
    note = forms.CharField(label=_("Note"), required=False, widget=forms.Textarea)
    mode = forms.ChoiceField(
        label=_("For whom?"),
        choices=[("a", _("For ourselves")), ("b", _("End customer"))],
        widget=forms.RadioSelect,
        initial="a",
    )
    agree = forms.BooleanField(label=_("I accept the terms."))


class Styleguide(Page):
    """Every component of the design system, in the theme that is switched on."""

    perm = Perm.BSS_VIEW
    template_name = "ui/styleguide.html"
    title = _("Style guide")

    def get(self, request: HttpRequest) -> HttpResponseBase:
        """Show it."""
        return self.show()

    def context(self) -> dict[str, Any]:
        """Example data."""
        bad = ExampleForm({"name": "", "quantity": "many", "country": "DE", "mode": "a"})
        bad.is_valid()
        return {
            "icons": sorted(ICONS),
            "form": ExampleForm(),
            "bad_form": bad,
            "states": ["active", "waiting", "refused", "queued", "cancelled"],
            "tones": ["success", "info", "warning", "danger", "neutral"],
            "amount": Decimal("12345.60"),
            "small_amount": Decimal("0.0125"),
            "now": clock.now(),
            "later": clock.now() + dt.timedelta(days=9),
            "values": [3, 5, 4, 8, 6, 9, 12, 10, 14, 11, 15, 18],
            "names": [
                "Microsoft 365 Business Standard",
                "Exchange Online (Plan 1)",
                "Power BI Pro",
                "Acronis Cyber Protect",
            ],
        }
