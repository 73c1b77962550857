"""What the pages of a subscription ask before they act: shape only, the rules are the services'."""

from typing import Any
from uuid import uuid4

from django import forms
from django.utils.translation import gettext_lazy as _

from subscriptions.enums import Execution

DAY = "day"
MAX_QUANTITY = 100_000


class ChangeForm(forms.Form):
    """A form whose answers are previewed while they are typed; what is ``late`` may still be empty then."""

    late = ("reason",)

    def relax(self) -> None:
        """Ask only for what the preview needs."""
        for name in self.late:
            if name in self.fields:
                self.fields[name].required = False


def _number(label: Any, help_text: Any = "", *, low: int = 1) -> forms.IntegerField:
    return forms.IntegerField(
        label=label,
        min_value=low,
        max_value=MAX_QUANTITY,
        help_text=help_text,
        widget=forms.NumberInput({"inputmode": "numeric", "autocomplete": "off"}),
    )


def _reason() -> forms.CharField:
    return forms.CharField(
        label=_("Reason"),
        max_length=500,
        help_text=_("It is kept in the history."),
        widget=forms.Textarea({"rows": 2}),
    )


class OrderForm(ChangeForm):
    """What becomes an order; ``key`` makes it one order however often it is sent."""

    key = forms.UUIDField(initial=uuid4, widget=forms.HiddenInput)


class QuantityForm(OrderForm):
    """A new number of licences."""

    quantity = _number(_("New number of licences"), _("All of them, not only those that are added."))


class ReduceForm(ChangeForm):
    """Fewer licences."""

    quantity = _number(_("New number of licences"), _("What remains of them."))
    reason = _reason()


class AddOnForm(OrderForm):
    """An add-on and how many of it."""

    plan = forms.ChoiceField(label=_("Add-on"))
    quantity = _number(_("How many more"))

    def __init__(self, *args: Any, plans: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["plan"].choices = plans  # type: ignore[attr-defined]


class UpgradeForm(AddOnForm):
    """What licences go over to, and how many."""

    plan = forms.ChoiceField(label=_("Upgrade to"))
    quantity = _number(_("How many licences"), _("All of them, or a part: the part becomes a subscription of its own."))


class AddOnReduceForm(ChangeForm):
    """How many of an add-on remain."""

    quantity = _number(_("How many remain"), _("0 cancels the add-on."), low=0)
    reason = _reason()


class RenewalForm(ChangeForm):
    """What is to hold from the renewal on."""

    quantity = _number(_("Licences from the renewal on"))
    plan = forms.ChoiceField(label=_("Term and billing"))

    def __init__(self, *args: Any, plans: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["plan"].choices = plans  # type: ignore[attr-defined]


class CancelForm(ChangeForm):
    """When a service ends, and why; ``closed`` are the answers that are not possible now."""

    execution = forms.ChoiceField(
        label=_("When"),
        choices=[
            (Execution.NOW.value, _("Immediately")),
            (DAY, _("Immediately, counted from an earlier day")),
            (Execution.PERIOD_END.value, _("At the end of the term")),
        ],
        widget=forms.RadioSelect,
    )
    effective_on = forms.DateField(
        label=_("Counted from"),
        required=False,
        help_text=_("Today or an earlier day of this billing period; the credit is reckoned from it."),
        widget=forms.DateInput(
            {"type": "date", "data-show-field": "execution", "data-show-value": DAY}, format="%Y-%m-%d"
        ),
    )
    reason = _reason()

    def __init__(self, *args: Any, closed: frozenset[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["execution"]
        field.choices = [choice for choice in field.choices if choice[0] not in closed]

    def clean(self) -> dict[str, Any]:
        """An earlier day needs a date."""
        values = super().clean() or {}
        if values.get("execution") == DAY and not values.get("effective_on") and "effective_on" not in self.errors:
            self.add_error("effective_on", _("Choose the day."))
        return values


class PriceForm(ChangeForm):
    """A price for the periods to come."""

    unit_price = forms.DecimalField(
        label=_("New unit price"),
        max_digits=13,
        decimal_places=4,
        min_value=0,
        help_text=_("Per licence and billing period, before tax."),
        widget=forms.TextInput({"inputmode": "decimal", "autocomplete": "off"}),
    )
    reason = _reason()


class SuspendForm(ChangeForm):
    """Why a service is suspended."""

    reason = _reason()


class SwitchForm(ChangeForm):
    """Nothing to ask."""
