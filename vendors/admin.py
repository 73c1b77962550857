"""Vendors in Django admin; settings and secrets are never shown."""

from django.contrib import admin

from core.admin import EditableAdmin, ReadOnlyAdmin
from vendors.models import AccountLink, AgreementRecord, Application, Instance, InstanceSecret


@admin.register(Application)
class ApplicationAdmin(EditableAdmin):
    """Kinds of vendor services; disabling one stops new orders."""

    list_display = ("name", "code", "is_enabled")
    locked = ("code", "name")


@admin.register(Instance)
class InstanceAdmin(ReadOnlyAdmin):
    """Configured instances."""

    list_display = ("system_name", "application", "organization", "state", "consent", "last_definition_at")
    list_filter = ("state", "application")


@admin.register(InstanceSecret)
class InstanceSecretAdmin(ReadOnlyAdmin):
    """Which rotating secrets are there; their values are not shown."""

    list_display = ("instance", "name", "updated_at")


@admin.register(AccountLink)
class AccountLinkAdmin(ReadOnlyAdmin):
    """Accounts at instances."""

    list_display = ("account", "instance", "external_id", "state", "mpn_id")
    list_filter = ("state",)
    search_fields = ("external_id", "account__name")


@admin.register(AgreementRecord)
class AgreementRecordAdmin(ReadOnlyAdmin):
    """Accepted customer agreements."""

    list_display = ("recorded_at", "account", "instance", "first_name", "last_name", "date_agreed")
