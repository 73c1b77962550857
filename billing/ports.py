"""What billing asks of the payment gateways, which are plugged in by ``settings.CARD_VAULT``."""

from functools import cache
from typing import Protocol

from django.conf import settings
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from core.errors import BusinessError
from resellers.enums import PaymentMethod
from resellers.models import Account


class CardVault(Protocol):
    """Who keeps the tokens of customers' cards."""

    def has_token(self, account: Account) -> bool:
        """Whether a valid token of a card is stored with which ``account`` can be charged."""


class NoVault:
    """An installation without a gateway: no card is stored anywhere."""

    def has_token(self, account: Account) -> bool:
        """No."""
        return False


@cache
def _vault(path: str) -> CardVault:
    found: CardVault = import_string(path)()
    return found


def card_refusal(payer: Account) -> BusinessError | None:
    """``card_token_missing`` if ``payer`` pays by card and none is stored that could be charged; None if he can pay."""
    if payer.payment_method != PaymentMethod.CARD or _vault(settings.CARD_VAULT).has_token(payer):
        return None
    return BusinessError("card_token_missing", _("Store a card first."))
