"""Sign-in with e-mail address and password, within the realm of the site."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest

from resellers.selectors import signed_in_user
from sso.realm import INSTALLATION, request_realm
from users.models import User


class RealmBackend(ModelBackend):
    """Finds the user of this realm; administrators of the installation may sign in at every site."""

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
        realms = [request_realm(request), INSTALLATION]
        rows = {row.realm: row for row in User.objects.filter(email=address, realm__in=realms)}
        found = rows.get(realms[0])
        administrator = rows.get(INSTALLATION)
        user = found or (administrator if administrator and administrator.is_superuser else None)
        if user is None:
            User().set_password(password)
            return None
        return user if user.check_password(password) and self.user_can_authenticate(user) else None
