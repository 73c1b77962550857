"""The one list of vendors that the process plays."""

from importlib.util import find_spec

from sandbox.router import Vendor
from sandbox.world import World


def build_vendors(world: World) -> list[Vendor]:
    """All vendors but sign-in, which ``World`` brings."""
    if find_spec("sandbox.partner_center") is None:
        return []
    from sandbox.partner_center import PartnerCenter  # Only where it is installed.

    return [PartnerCenter(world)]
