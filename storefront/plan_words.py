"""What the editions give, in words: rows of the comparison on the page of the plans."""

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from resellers.editions import Capability, has_capability
from resellers.enums import Edition

COMPARED = (Edition.BASIC, Edition.FREE, Edition.STANDARD)
ALL = _("Order for yourself, affiliate accounts and end customers")
WORDS = {
    Capability.OWN_SITE: _("A storefront with your name, look and address"),
    Capability.CUSTOMERS_VIEW: _("Your customers see their orders, services and licences there"),
    Capability.OWN_MAIL: _("Mails in your name, with your texts"),
    Capability.API_READ: _("API access, reading"),
    Capability.CUSTOMERS_ORDER: _("Your customers order, change and cancel by themselves"),
    Capability.APPROVAL: _("You approve their orders, customer by customer"),
    Capability.LISTING: _("You choose the products and set your selling prices"),
    Capability.SELF_REGISTRATION: _("New customers register by themselves"),
    Capability.CUSTOM_DOMAIN: _("A domain of your own"),
    Capability.STOREFRONT_MANAGER: _("The role My Storefront Manager for your people"),
    Capability.API_WRITE: _("API access, ordering and changing"),
}


@dataclass(frozen=True)
class Row:
    """One line of the comparison: its words, and whether Basic, Free and Standard have it."""

    words: str
    has: list[bool]


def matrix() -> list[Row]:
    """The comparison, what all have first."""
    rows = [Row(str(ALL), [True] * len(COMPARED))]
    return rows + [
        Row(str(words), [has_capability(edition, capability) for edition in COMPARED])
        for capability, words in WORDS.items()
    ]
