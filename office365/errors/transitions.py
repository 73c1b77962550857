"""Why Microsoft does not upgrade a subscription: the codes of ``TransitionErrorCode``, in plain words.

Codes and names are those of the Partner Center SDK for .NET (``Subscriptions.TransitionErrorCode``, 2023-06, MIT);
Microsoft sends the number or the name.
"""

from collections.abc import Iterable

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from office365.schemas.catalogue import EligibilityError
from office365.schemas.common import squeeze

_ROWS: tuple[tuple[str, str, Promise], ...] = (
    ("0", "Other", gettext_lazy("Microsoft gives no reason it has a name for. Contact Microsoft partner support.")),
    (
        "1", "DelegatedAdminPermissionsDisabled",
        gettext_lazy("The customer has withdrawn our rights to administer his tenant. Ask him to grant them again."),
    ),
    (
        "2", "SubscriptionStatusNotActive",
        gettext_lazy("The subscription is not active at Microsoft. Reactivate it first."),
    ),
    (
        "3", "ConflictingServiceTypes",
        gettext_lazy(
            "The target contains services that conflict with others of the customer. Upgrade to another product, or "
            "end the conflicting subscription first."
        ),
    ),
    (
        "4", "ConcurrencyConflicts",
        gettext_lazy("Another change of the subscription is under way at Microsoft. Try again in an hour."),
    ),
    (
        "5", "UserContextRequired",
        gettext_lazy("Microsoft takes this upgrade from a signed-in person only. Upgrade in Partner Center."),
    ),
    (
        "6", "SubscriptionAddOnsPresent",
        gettext_lazy("The subscription has add-ons. Cancel them first, or wait until they have ended."),
    ),
    (
        "7", "SubscriptionDoesNotHaveAnyTransitionedPaths",
        gettext_lazy("Microsoft has no upgrade for this product. Order the other product and let this one end."),
    ),
    (
        "8", "SubscriptionTargetOfferNotFound",
        gettext_lazy("Microsoft does not upgrade this product to the chosen one. Choose another target."),
    ),
    (
        "9", "SubscriptionNotProvisioned",
        gettext_lazy("Microsoft has not finished setting up the subscription. Try again in an hour."),
    ),
    (
        "10", "OfferDoesNotSupportBillingCycle",
        gettext_lazy("The target is not sold with this billing cycle. Choose another billing cycle."),
    ),
    (
        "11", "ConversionsNotFound",
        gettext_lazy("Microsoft has no paid product for this trial. Order the product itself."),
    ),
    (
        "12", "UserLicenseError",
        gettext_lazy(
            "The users' licences cannot be moved to the target. Check the assigned licences in the customer's tenant."
        ),
    ),
    (
        "13", "InsufficientGranularAdminPermissions",
        gettext_lazy("Our delegated roles at this customer do not suffice. Request the missing roles from him."),
    ),
)  # fmt: skip
SENTENCES: dict[str, Promise] = {key: text for number, name, text in _ROWS for key in (number, squeeze(name))}


def reason(error: EligibilityError) -> str:
    """One reason as a sentence with its next step; an unknown one in Microsoft's own words."""
    known = SENTENCES.get(squeeze(error.code))
    if known is not None:
        return str(known)
    text = error.description or _("code %(code)s") % {"code": error.code or "?"}
    return _("Microsoft says: %(text)s Contact Microsoft partner support.") % {"text": text}


def reasons(errors: Iterable[EligibilityError]) -> str:
    """All different reasons, one after the other; a plain sentence if Microsoft gave none."""
    found = list(dict.fromkeys(reason(error) for error in errors))
    return " ".join(found) or str(_("Microsoft gives no reason. Contact Microsoft partner support."))
