"""API clients in Django admin, to be looked at."""

from django.contrib import admin

from clients.models import ApiClient, ApiPolicy
from core.admin import ReadOnlyAdmin


@admin.register(ApiClient)
class ApiClientAdmin(ReadOnlyAdmin):
    """Application users; made, rotated and revoked in BSS and Storefront."""

    list_display = ("name", "account", "organization", "last_used_at", "revoked_at")


@admin.register(ApiPolicy)
class ApiPolicyAdmin(ReadOnlyAdmin):
    """What each organization allows at its API."""

    list_display = ("organization", "require_version", "resellers_pricing", "resellers_synchronization")
