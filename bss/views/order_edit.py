"""Changing an order that waits: new quantities are priced first, then confirmed."""

from typing import Any

from django.http import HttpResponseBase
from django.utils.translation import gettext_lazy

from bss.forms.orders import EditForm
from bss.views.orders import OrderAction
from orders.models import Order
from orders.selectors import edit_obstacle
from orders.services.edit import Edited, edit_order, preview_edit
from users.permissions import Perm


class OrderEdit(OrderAction):
    """New quantities and what they cost; nothing is stored before the new total was seen."""

    perm = Perm.ORDER_MANAGE
    template_name = "bss/order_edit_page.html"
    title = gettext_lazy("Change order")
    form_class = EditForm
    submit = gettext_lazy("Show the new total")
    success = gettext_lazy("The order is changed; it still waits to be executed.")

    def load(self, **kwargs: Any) -> Order:
        """The order, if it can be changed."""
        row = super().load(**kwargs)
        fixed = edit_obstacle(row)
        if fixed is not None:
            raise fixed
        return row

    def form_kwargs(self) -> dict[str, Any]:
        """A field per line."""
        return {"lines": self.object.lines.all()}

    def perform(self, form: Any) -> Order | HttpResponseBase:
        """Show what it would cost, and store it once that was seen."""
        quantities, values = form.quantities(), form.cleaned_data
        edited = preview_edit(self.actor, order=self.object, quantities=quantities)
        if values["total"] != edited.quote.gross:
            return self.preview(edited)
        seen, reason = values["total"], values["reason"]
        return edit_order(self.actor, order=self.object, quantities=quantities, seen_total=seen, reason=reason)

    def preview(self, edited: Edited) -> HttpResponseBase:
        """The new figures beside the old ones, and the same answers to be confirmed."""
        data = self.request.POST.copy()
        data["total"] = str(edited.quote.gross)
        self.submit = gettext_lazy("Change the order")  # type: ignore[misc]
        return self.show(form=self.make_form(data), object=self.object, edited=edited)
