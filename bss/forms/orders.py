"""What the pages of orders ask before they act."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _

from orders.models import OrderLine


class ExecuteForm(forms.Form):
    """Executing an order by hand; the reason is asked for only if the total is over the credit."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=500,
        help_text=_("Why this order is executed above the credit. It is kept in the history."),
        widget=forms.Textarea({"rows": 3}),
    )

    def __init__(self, *args: object, exceeds: bool, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        if not exceeds:
            del self.fields["reason"]


class EditForm(forms.Form):
    """New quantities of an order's lines, 0 for none; the total that was seen; and why."""

    total = forms.DecimalField(max_digits=19, decimal_places=4, required=False, widget=forms.HiddenInput)
    reason = forms.CharField(
        label=_("Reason"),
        min_length=5,
        max_length=500,
        help_text=_("It is kept in the history."),
        widget=forms.Textarea({"rows": 2}),
    )

    def __init__(self, *args: Any, lines: Iterable[OrderLine], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lines = list(lines)
        for line in self.lines:
            self.fields[self.name_of(line)] = forms.IntegerField(
                label=line.product_name,
                min_value=0,
                max_value=100_000,
                initial=line.quantity,
                widget=forms.NumberInput({"class": "input input-number"}),
            )

    @staticmethod
    def name_of(line: OrderLine) -> str:
        """The name of a line's field."""
        return f"quantity_{line.public_id}"

    def rows(self) -> list[tuple[OrderLine, forms.BoundField]]:
        """The lines with their fields."""
        return [(line, self[self.name_of(line)]) for line in self.lines]

    def quantities(self) -> dict[UUID, int]:
        """What was typed, by line."""
        return {line.public_id: self.cleaned_data[self.name_of(line)] for line in self.lines}
