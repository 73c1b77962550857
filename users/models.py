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

from core.tenancy import TenantOwned

NAME_LENGTH = 40
QUERY_LENGTH = 2000


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

    # What was read along with the user of a session (``resellers.selectors.signed_in_user``); None: nothing was.
    read_memberships: list[Any] | None = None

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


class SavedFilter(TenantOwned):
    """Filters and order of a list that somebody keeps under a name, as the query of the list's address.

    ``page`` is the name of the list's address (``bss:order_list``). A customer's belong to the account for which he
    acts; an employee's may be shared with his colleagues. One of a person's own may be what the list opens with.
    """

    tenant_account = "account"

    # A person's notes go with the person.
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="saved_filters")
    account = models.ForeignKey("resellers.Account", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    page = models.CharField(max_length=100)
    name = models.CharField(_("name"), max_length=NAME_LENGTH)
    query = models.CharField(max_length=QUERY_LENGTH)
    is_shared = models.BooleanField(_("shared"), default=False)
    is_default = models.BooleanField(_("default"), default=False)

    class Meta:
        ordering = ["page", "name", "id"]
        constraints = [
            models.UniqueConstraint(
                "organization",
                "user",
                "account",
                "page",
                Lower("name"),
                name="saved_filter_name_once",
                nulls_distinct=False,
            ),
            models.UniqueConstraint(
                fields=["organization", "user", "account", "page"],
                condition=models.Q(is_default=True),
                name="saved_filter_one_default",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=models.Q(is_shared=False) | models.Q(account=None), name="saved_filter_shared_by_staff"
            ),
            models.CheckConstraint(condition=~models.Q(query="") & ~models.Q(name=""), name="saved_filter_not_empty"),
        ]
        indexes = [models.Index(fields=["organization", "page"], name="saved_filter_page")]

    def __str__(self) -> str:
        return self.name
