"""The one list of vendors that the process plays."""

from sandbox.cis import Cis
from sandbox.partner_center import PartnerCenter
from sandbox.router import Vendor
from sandbox.world import World


def build_vendors(world: World) -> list[Vendor]:
    """All vendors but sign-in, which ``World`` brings."""
    return [PartnerCenter(world), Cis(world)]
