"""Users in Django admin: names, language and flags; passwords and memberships have their own services."""

from django.contrib import admin
from django.db import models
from django.http import HttpRequest

from core.admin import EditableAdmin
from users.models import User


@admin.register(User)
class UserAdmin(EditableAdmin):
    """Look up users and let a superuser in or out."""

    list_display = ("email", "first_name", "last_name", "realm", "is_active", "is_superuser", "last_login")
    list_filter = ("is_active", "is_superuser")
    search_fields = ("email", "first_name", "last_name")
    fields = (
        "email",
        "realm",
        "first_name",
        "last_name",
        "language",
        "is_active",
        "is_staff",
        "is_superuser",
        "last_login",
    )
    locked = ("email", "realm", "last_login")

    def get_readonly_fields(self, request: HttpRequest, obj: models.Model | None = None) -> list[str]:
        """Only the identity is fixed."""
        return list(self.locked)
