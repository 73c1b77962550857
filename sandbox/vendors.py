"""The one list of vendors that the process plays."""

from importlib import import_module

from sandbox.router import Vendor
from sandbox.world import World

VENDORS = {"partner_center": "PartnerCenter"}


def build_vendors(world: World) -> list[Vendor]:
    """All vendors but sign-in, which ``World`` brings."""
    found = []
    for module, name in VENDORS.items():
        try:
            vendor = getattr(import_module(f"sandbox.{module}"), name, None)
        except ModuleNotFoundError:
            continue
        if vendor is not None:
            found.append(vendor(world))
    return found
