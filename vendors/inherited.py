"""What a Professional reseller's organization takes from its distributor (``channel.md`` 5.3, 5.4).

Each of the distributor's instances appears there as an instance of the application "Back ordering". A product type of
such an instance is *inherited*: it follows the distributor's, so that some of it cannot be changed.
"""

from django.utils.translation import gettext as _

from core.errors import Conflict
from core.tenancy import Actor, ActorKind
from vendors.models import Instance

BACK_ORDERING = "back_ordering"


def is_inherited(instance: Instance) -> bool:
    """Whether what hangs on this instance is the distributor's."""
    return instance.application.code == BACK_ORDERING


def demand_not_inherited(actor: Actor, instance: Instance) -> None:
    """Raise Conflict ``inherited`` for whoever would change by hand what follows the distributor."""
    if actor.kind != ActorKind.SYSTEM and is_inherited(instance):
        raise Conflict("inherited", _("This comes from your distributor and follows his catalogue."))
