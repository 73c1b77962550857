"""The user: an e-mail address within a realm.

A realm is the uuid of an organization or of a reseller's site, so one person may have a login at several shops with the
same address and different passwords, and none of them tells of the others.
"""

import uuid
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _


def username_for(realm: uuid.UUID | str, email: str) -> str:
    """The technical, globally unique name behind a login: the address and the realm."""
    return f"{email.strip().lower()}|{realm}"


class UserManager(BaseUserManager["User"]):
    """Makes users; the e-mail is kept in lower case."""

    def create_user(self, realm: uuid.UUID | str, email: str, password: str | None = None, **extra: Any) -> "User":
        """Create a user of ``realm``; without a password he cannot sign in until he follows his invitation."""
        email = email.strip().lower()
        user = self.model(realm=realm, email=email, username=username_for(realm, email), **extra)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, username: str, password: str | None = None, **extra: Any) -> "User":
        """Create an administrator of the installation from ``e-mail|realm``; the realm may be left out."""
        email, _bar, realm = username.partition("|")
        extra.update(is_staff=True, is_superuser=True)
        extra.pop("email", None)
        return self.create_user(realm or str(uuid.UUID(int=0)), email, password, **extra)


class User(AbstractBaseUser, PermissionsMixin):
    """A person who can sign in to one realm."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    realm = models.UUIDField(db_index=True)
    email = models.EmailField(_("e-mail"))
    username = models.CharField(max_length=320, unique=True, editable=False)
    first_name = models.CharField(_("first name"), max_length=100, blank=True)
    last_name = models.CharField(_("last name"), max_length=100, blank=True)
    language = models.CharField(_("language"), max_length=8, blank=True)
    is_staff = models.BooleanField(_("may open Django admin"), default=False)
    is_active = models.BooleanField(_("active"), default=True)
    date_joined = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        ordering = ["email", "id"]
        constraints = [models.UniqueConstraint("realm", Lower("email"), name="user_email_once_per_realm")]
        verbose_name = _("user")
        verbose_name_plural = _("users")

    def __str__(self) -> str:
        return self.get_full_name() or self.email

    def get_full_name(self) -> str:
        """First and last name, or nothing."""
        return f"{self.first_name} {self.last_name}".strip()

    def get_short_name(self) -> str:
        """What a greeting uses."""
        return self.first_name or self.email
