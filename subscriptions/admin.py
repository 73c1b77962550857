"""Subscriptions in Django admin, to look at."""

from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest

from core.admin import ReadOnlyAdmin
from subscriptions.models import Operation, OperationStep, Subscription, SubscriptionAddOn, UsagePeriod


@admin.register(Subscription)
class SubscriptionAdmin(ReadOnlyAdmin):
    """Subscriptions."""

    list_display = ("name", "account", "quantity", "status", "sync_status", "external_id")
    list_filter = ("status", "sync_status")
    search_fields = ("name", "external_id", "account__name")


@admin.register(SubscriptionAddOn)
class SubscriptionAddOnAdmin(ReadOnlyAdmin):
    """Add-ons."""

    list_display = ("name", "subscription", "quantity", "status")


@admin.register(Operation)
class OperationAdmin(ReadOnlyAdmin):
    """Operations; acted upon at the operations desk."""

    list_display = ("created_at", "verb", "account", "state", "code", "attempts", "not_before")
    list_filter = ("state", "verb")
    search_fields = ("public_id", "order_number")


@admin.register(OperationStep)
class OperationStepAdmin(ReadOnlyAdmin):
    """What connectors noted."""

    list_display = ("operation", "name", "updated_at")

    def get_fields(self, request: HttpRequest, obj: models.Model | None = None) -> list[Any]:
        """The noted values may hold a cipher; names and times are enough to look at."""
        return ["operation", "name", "created_at", "updated_at"]


@admin.register(UsagePeriod)
class UsagePeriodAdmin(ReadOnlyAdmin):
    """Months of usage as they were loaded; their records are read by the API."""

    list_display = ("subscription", "month", "kind", "loaded_at", "data_until", "is_closed", "is_final")
    list_filter = ("kind", "is_final")
