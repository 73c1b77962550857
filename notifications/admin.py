"""Outgoing mail in Django admin, to look at; bodies with secrets are not shown."""

from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest

from core.admin import ReadOnlyAdmin
from notifications.models import OutgoingMail


@admin.register(OutgoingMail)
class OutgoingMailAdmin(ReadOnlyAdmin):
    """Mails."""

    list_display = ("created_at", "recipient", "subject", "state", "attempts")
    list_filter = ("state", "template")

    def get_fields(self, request: HttpRequest, obj: models.Model | None = None) -> list[Any]:
        """Everything but the bodies: a mail may hold a one-time link."""
        return ["recipient", "sender", "subject", "template", "state", "attempts", "last_error", "sent_at"]
