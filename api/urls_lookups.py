"""Addresses of usages, look-ups of the organization, invoices and vendors' prices."""

from django.urls import path

from api.views import external_prices, invoices, organization, usages

_ORGANIZATION = "api/organization"
_USAGES = "api/subscriptions/<str:subscription_id>/usages"

urlpatterns = [
    path(f"{_USAGES}/azure", usages.AzureUsages.as_view(), name="usages_azure"),
    path(f"{_USAGES}/azureplanbymeter", usages.MeterUsages.as_view(), name="usages_meter"),
    path(f"{_USAGES}/azureplanbyresource", usages.ResourceUsages.as_view(), name="usages_resource"),
    path(f"{_ORGANIZATION}/countries", organization.Countries.as_view(), name="countries"),
    path(f"{_ORGANIZATION}/countries/<str:country_id>/states", organization.States.as_view(), name="states"),
    path(f"{_ORGANIZATION}/unitgroups", organization.UnitGroups.as_view(), name="unit_groups"),
    path(f"{_ORGANIZATION}/externalsystems", organization.ExternalSystems.as_view(), name="external_systems"),
    path(
        f"{_ORGANIZATION}/accounts/customfields",
        organization.AccountFieldDefinitions.as_view(),
        name="account_definitions",
    ),
    path(
        f"{_ORGANIZATION}/products/customfields",
        organization.ProductFieldDefinitions.as_view(),
        name="product_definitions",
    ),
    path(
        f"{_ORGANIZATION}/invoices/customfields",
        organization.InvoiceFieldDefinitions.as_view(),
        name="invoice_definitions",
    ),
    path(
        f"{_ORGANIZATION}/subscriptions/customfields",
        organization.SubscriptionFieldDefinitions.as_view(),
        name="subscription_definitions",
    ),
    path(
        "api/products/<str:product_id>/externalprices", external_prices.ExternalPrice.as_view(), name="external_price"
    ),
    path("api/invoices", invoices.InvoiceList.as_view(), name="invoice_list"),
    path("api/invoices/<str:invoice_id>", invoices.InvoiceDetail.as_view(), name="invoice"),
    path("api/invoices/<str:invoice_id>/items", invoices.InvoiceItems.as_view(), name="invoice_items"),
    path("api/invoices/<str:invoice_id>/orders", invoices.InvoiceOrders.as_view(), name="invoice_orders"),
    path("api/invoices/<str:invoice_id>/customfields", invoices.InvoiceFields.as_view(), name="invoice_fields"),
]
