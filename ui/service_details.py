"""The step "Service details" of both doors: what each vendor asks, as forms, and what its checks said."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.forms import BoundField

from orders.models import Basket
from orders.selectors import PricedBasket, basket_instances
from provisioning.services.checkout import detail_fields, detail_state
from ui.vendor_fields import VendorForm
from vendors.models import Instance

LIVE_FIELDS = ("domain_prefix", "mpn_id", "alias")


@dataclass
class Addresses:
    """Where a door takes answers (``check``), checks one field (``live``: instance, verb) and goes on unchecked.

    ``partner`` is where the reseller's MPN ID at an instance is changed; empty if the reader may not.
    """

    check: Callable[[Instance], str]
    live: Callable[[Instance, str], str]
    skip: Callable[[Instance], str] | None = None
    partner: Callable[[Instance], str] | None = None


@dataclass
class Section:
    """One vendor's part of the step: its form, the last outcome of its checks, and the addresses it posts to."""

    instance: Instance
    form: VendorForm
    state: dict[str, Any]
    errors: list[tuple[str, str]]
    addresses: Addresses

    @property
    def is_good(self) -> bool:
        """Whether nothing is left to do here."""
        return self.state.get("state") == "ok"

    @property
    def check_url(self) -> str:
        """Where the form goes."""
        return self.addresses.check(self.instance)

    @property
    def skip_url(self) -> str:
        """Where to go on without a check whose outcome is unknown; empty if nobody may here."""
        skip = self.addresses.skip
        return skip(self.instance) if skip and self.state.get("state") == "unreachable" else ""

    @property
    def partner_url(self) -> str:
        """Where to set the MPN ID anew that the vendor refuses; empty if he refuses none."""
        partner = self.addresses.partner
        return partner(self.instance) if partner and self.state.get("mpn_refused") else ""

    @property
    def groups(self) -> list[tuple[str, list[tuple[BoundField, str]]]]:
        """The fields in their groups, each with the address of its live check, if it has one."""
        return [(title, [(bound, self._live_url(bound)) for bound in fields]) for title, fields in self.form.groups()]

    def _live_url(self, bound: BoundField) -> str:
        verb = str(bound.field.widget.attrs.get("data-live-check", ""))
        return self.addresses.live(self.instance, verb) if verb else ""


def prefix_of(instance: Instance) -> str:
    """What the names of an instance's fields begin with, so that several forms stand on one page."""
    return str(instance.public_id)[:8]


def detail_form(basket: Basket, instance: Instance, data: Mapping[str, Any] | None = None) -> VendorForm:
    """The form of one vendor with what was answered before; bound if ``data`` is given."""
    state = detail_state(basket, instance)
    return VendorForm(
        data,
        vendor_fields=detail_fields(basket, instance),
        initial=state.get("values") or state.get("options") or {},
        prefix=prefix_of(instance),
    )


def detail_sections(
    basket: Basket, priced: PricedBasket, addresses: Addresses, *, refused: VendorForm | None = None
) -> list[Section]:
    """A section per vendor of the basket; ``refused`` is a form that was sent with mistakes and stands in its place."""
    sections = []
    for instance in basket_instances(priced.lines):
        state = detail_state(basket, instance)
        if refused is not None and refused.prefix == prefix_of(instance):
            sections.append(Section(instance, refused, state, [], addresses))
        else:
            form = detail_form(basket, instance)
            sections.append(Section(instance, form, state, _errors(form, state), addresses))
    return sections


def answers(form: VendorForm, instance: Instance, data: Mapping[str, Any]) -> dict[str, Any]:
    """The answers of a valid form, with an MPN ID that was posted without being asked, so that it is noticed."""
    posted = live_values(instance, data).get("mpn_id", "")
    return ({"mpn_id": posted} if posted else {}) | form.cleaned_data


def _errors(form: VendorForm, state: Mapping[str, Any]) -> list[tuple[str, str]]:
    found = state.get("errors", {}) if state.get("state") == "errors" else {}
    return [(str(form.fields[key].label) if key in form.fields else "", str(text)) for key, text in found.items()]


def live_values(instance: Instance, data: Mapping[str, Any]) -> dict[str, str]:
    """The few answers a live check may need, short, from what the form of an instance holds so far."""
    begin = f"{prefix_of(instance)}-"
    return {
        name: str(data[begin + name]).replace("\x00", "")[:100]
        for name in LIVE_FIELDS
        if data.get(begin + name) is not None
    }
