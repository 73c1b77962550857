"""Django admin, safe: nothing with a life cycle is edited here, nothing is deleted, secrets are not shown.

The other apps' ``admin.py`` register their models with these classes; texts and look-ups stay editable.
"""

from typing import Any, ClassVar

from django.contrib import admin
from django.db import models
from django.http import HttpRequest

from core.audit import AuditEntry
from core.clock import ClockOffset
from core.crypto import CipherField
from core.events import Event
from core.jobs import Job, JobLogLine


class ReadOnlyAdmin(admin.ModelAdmin[models.Model]):
    """Everything can be looked at, nothing changed: for logs, ledgers and everything with a life cycle."""

    list_per_page = 50
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Rows come about through services only."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Rows change through services only."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Rows are kept."""
        return False

    def get_fields(self, request: HttpRequest, obj: models.Model | None = None) -> list[Any]:
        """All columns but those that hold cipher text."""
        return [field.name for field in self.model._meta.fields if not isinstance(field, CipherField)]


class EditableAdmin(admin.ModelAdmin[models.Model]):
    """Texts and look-ups may be edited; ``locked`` columns and all keys to other rows stay as they are; no deletion."""

    locked: ClassVar[tuple[str, ...]] = ()
    list_per_page = 50
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        """New rows are made by services."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Rows are kept."""
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: models.Model | None = None) -> list[str]:
        """The locked columns, keys to other rows, and what is not editable anyway."""
        keys = [field.name for field in self.model._meta.fields if field.is_relation]
        return [*self.locked, *keys, "public_id", "created_at", "updated_at"]


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """The audit log."""

    list_display = ("at", "actor_label", "action", "object_label", "organization")
    list_filter = ("action",)
    search_fields = ("object_label", "actor_label", "request_id")


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    """Events and whether they were handled."""

    list_display = ("happened_at", "name", "state", "attempts", "organization")
    list_filter = ("state", "name")


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    """Background jobs."""

    list_display = ("created_at", "title", "kind", "state", "progress_done", "progress_total", "organization")
    list_filter = ("state", "kind")


@admin.register(JobLogLine)
class JobLogLineAdmin(ReadOnlyAdmin):
    """Lines of the jobs' logs."""

    list_display = ("at", "job", "text")


@admin.register(ClockOffset)
class ClockOffsetAdmin(ReadOnlyAdmin):
    """The business clock; moved with ``manage.py advance_clock``."""

    list_display = ("seconds",)
