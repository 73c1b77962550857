"""Forms of the Professional edition: making one, its options, going live, catalogue updates."""

from collections.abc import Iterable
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from bss.forms.rules import set_choices
from tenants.enums import Licence, UpdateMode

ZONES = [(name, name.replace("_", " ")) for name in sorted(available_timezones()) if "/" in name or name == "UTC"]


class ProfessionalForm(forms.Form):
    """A reseller's own organization and its first administrator."""

    name = forms.CharField(label=_("Name of the organization"), max_length=100)
    host = forms.CharField(
        label=_("Host"),
        max_length=253,
        help_text=_("Where his BSS and storefront are found, such as cloud.example.com. Its DNS must point here."),
    )
    licence = forms.ChoiceField(label=_("Licence"), choices=Licence.choices, initial=Licence.PREMIUM)
    price_list = forms.ChoiceField(
        label=_("Price list"),
        help_text=_("Its products are copied, its prices are what he pays, its currency is that of our invoices."),
    )
    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)
    time_zone = forms.ChoiceField(label=_("Time zone"), choices=ZONES)
    separate_invoices = forms.BooleanField(
        label=_("Separate invoices per customer"),
        required=False,
        help_text=_("Otherwise he gets one invoice for all his customers. It can be changed later."),
    )
    admin_first_name = forms.CharField(label=_("First administrator: first name"), max_length=100)
    admin_last_name = forms.CharField(label=_("First administrator: last name"), max_length=100)
    admin_email = forms.EmailField(
        label=_("First administrator: e-mail"), help_text=_("He is mailed a link as soon as everything is ready.")
    )

    def __init__(self, *args: Any, price_lists: Iterable[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        set_choices(self, "price_list", price_lists)


class ProfessionalOptionsForm(forms.Form):
    """The licence and the switches of a Professional reseller."""

    licence = forms.ChoiceField(
        label=_("Licence"),
        choices=Licence.choices,
        help_text=_("Basic closes his storefront to his customers; his BSS stays, and Premium opens it again."),
    )

    separate_invoices = forms.BooleanField(label=_("Separate invoices per customer"), required=False)
    annual_monthly = forms.BooleanField(
        label=_("Annual orders with monthly billing"),
        required=False,
        help_text=_("What he sells with annual billing is ordered here with monthly billing, where that is offered."),
    )
    back_ordering = forms.BooleanField(
        label=_("Back ordering"),
        required=False,
        help_text=_("What his customers order of our products is ordered here. It begins when he goes live."),
    )

    def __init__(self, *args: Any, is_live: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not is_live:
            del self.fields["back_ordering"]


class GoLiveForm(forms.Form):
    """What stays behind has to be ticked."""

    leave_rest = forms.BooleanField(
        label=_("The subscriptions that were not transferred stay with us"),
        required=False,
        help_text=_("They go on here, billed to him, and can be transferred later."),
    )

    def __init__(self, *args: Any, has_rest: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not has_rest:
            del self.fields["leave_rest"]


class UpdateForm(forms.Form):
    """How much a catalogue update takes over."""

    mode = forms.ChoiceField(
        label=_("Mode"), choices=UpdateMode.choices, initial=UpdateMode.FULL, widget=forms.RadioSelect
    )
    overwrite_prices = forms.BooleanField(
        label=_("Overwrite my selling prices"),
        required=False,
        help_text=_("Full only. They become the recommended prices, never below what you pay."),
    )
    overwrite_names = forms.BooleanField(
        label=_("Overwrite my product names"), required=False, help_text=_("Full only.")
    )


class NightlyForm(forms.Form):
    """Whether purchase prices are taken over by themselves."""

    nightly = forms.BooleanField(
        label=_("Take over purchase prices every night"),
        required=False,
        help_text=_("A partial update: nothing but what you pay is changed."),
    )
