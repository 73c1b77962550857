"""Sign-in with e-mail address and password, within the realm of the site."""

import uuid
from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest

from resellers.models import Site
from resellers.selectors import signed_in_user
from sso.realm import INSTALLATION, is_at_home, sign_in_realms
from users.models import User


class RealmBackend(ModelBackend):
    """Finds the user who is at home at the site; administrators of the installation may sign in at every site."""

    def get_user(self, user_id: int) -> User | None:
        """The user of a session, with his memberships."""
        user = signed_in_user(user_id)
        return user if user is not None and self.user_can_authenticate(user) else None

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        email: str | None = None,
        **_other: Any,
    ) -> User | None:
        """The user, or None; takes as long for an unknown address as for a wrong password."""
        # Where allauth asks again for a password, it gives the technical user name: the address, a bar, the realm.
        address = (email or username or "").partition("|")[0].strip().lower()
        if not address or password is None:
            return None
        site: Site | None = getattr(request, "site", None)
        known = [
            row
            for row in _known_as(address, sign_in_realms(request))
            if row.realm == INSTALLATION or is_at_home(row, site)
        ]
        if not known:
            User().set_password(password)
        user = next((row for row in known if row.check_password(password)), None)
        return user if user is not None and self.user_can_authenticate(user) else None


def _known_as(address: str, realms: tuple[uuid.UUID, ...]) -> list[User]:
    """The logins with this address that may be tried: of these realms in their order, then an administrator's."""
    rows = {row.realm: row for row in User.objects.filter(email=address, realm__in=[*realms, INSTALLATION])}
    found = [rows[realm] for realm in realms if realm in rows]
    administrator = rows.get(INSTALLATION)
    if administrator is not None and administrator.is_superuser and administrator not in found:
        found.append(administrator)
    return found
