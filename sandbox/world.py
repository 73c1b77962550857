"""What all vendors share: state, clock, sign-in, journal, faults and the lock that makes effects atomic."""

import threading
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.clock import Clock
from sandbox.faults import Faults
from sandbox.journal import Journal
from sandbox.login import Login
from sandbox.login_pages import add_routes
from sandbox.names import Names
from sandbox.router import Vendor
from sandbox.state import State


@dataclass
class World:
    """The shared parts; vendors are built with it: ``PartnerCenter(world)``."""

    state: State
    clock: Clock
    home: Path
    login: Login
    journal: Journal
    faults: Faults
    names: Names
    lock: threading.RLock = field(default_factory=threading.RLock)
    vendors: list[Vendor] = field(default_factory=list)

    @classmethod
    def open(cls, home: Path) -> "World":
        """Open or make the world below a folder."""
        state = State(home)
        login = Login(state, home)
        add_routes(login)
        world = cls(state, Clock(state), home, login, Journal(home), Faults(state), Names(state))
        login.other_tenants = lambda tenant: any(vendor.knows_tenant(tenant) for vendor in world.vendors)
        return world

    def vendor(self, name: str) -> Vendor | None:
        """A vendor by name; sign-in is one too, under the name ``login``."""
        return next((vendor for vendor in self.vendors if vendor.name == name), None)

    def reset(self, vendor: str | None = None) -> None:
        """Empty and seed the vendors; without a name also faults off, journal empty, real clock.

        Refresh tokens and the application stay: who has consented keeps the consent.
        """
        for item in self.vendors:
            if item.name == "login" or vendor not in (None, item.name):
                continue
            self.state.reset(item.name)
            item.seed()
        if vendor is None:
            self.faults.clear()
            self.clock.reset()
            self.journal.clear()
            self.login.forget_assertions()
