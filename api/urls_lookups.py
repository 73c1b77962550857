"""Addresses of usages, look-ups of the organization, invoices and vendors' prices."""

from django.urls import path

from api.views import usages

_USAGES = "api/subscriptions/<str:subscription_id>/usages"

urlpatterns = [
    path(f"{_USAGES}/azure", usages.AzureUsages.as_view(), name="usages_azure"),
    path(f"{_USAGES}/azureplanbymeter", usages.MeterUsages.as_view(), name="usages_meter"),
    path(f"{_USAGES}/azureplanbyresource", usages.ResourceUsages.as_view(), name="usages_resource"),
]
