"""Addresses of the API; the middleware has put them into lower case and taken the last slash away."""

from django.urls import path, re_path

from api.urls_lookups import urlpatterns as lookups
from api.views import (
    account_changes,
    custom_values,
    docs,
    missing,
    neighbours,
    oauth,
    ordering,
    products,
    subscription_deeds,
    subscription_retry,
    subscriptions,
    webhooks,
)

app_name = "api"
_ONE = "api/subscriptions/<str:subscription_id>"
_ADDON = f"{_ONE}/addons/<str:addon_id>"

urlpatterns = [
    path("apidocs/", docs.page, name="docs"),
    path("apidocs/openapi.json", docs.document, name="document"),
    path("apidocs/errors", docs.errors, name="errors"),
    path("oauth/token", oauth.Token.as_view(), name="token"),
    path("api/subscriptions", subscriptions.SubscriptionList.as_view(), name="subscription_list"),
    path(_ONE, subscriptions.SubscriptionDetail.as_view(), name="subscription"),
    path(f"{_ONE}/addons", subscriptions.SubscriptionAddons.as_view(), name="subscription_addons"),
    path(f"{_ADDON}/pricinginfo", subscriptions.AddonPricing.as_view(), name="addon_pricing"),
    path(f"{_ADDON}/synchronization", subscriptions.AddonSynchronization.as_view(), name="addon_synchronization"),
    path(
        f"{_ONE}/characteristics",
        subscriptions.SubscriptionCharacteristics.as_view(),
        name="subscription_characteristics",
    ),
    path(f"{_ONE}/pricinginfo", subscriptions.SubscriptionPricing.as_view(), name="subscription_pricing"),
    path(
        f"{_ONE}/synchronization",
        subscriptions.SubscriptionSynchronization.as_view(),
        name="subscription_synchronization",
    ),
    path(f"{_ONE}/synchronization/retry", subscription_retry.SubscriptionRetry.as_view(), name="subscription_retry"),
    path(f"{_ADDON}/synchronization/retry", subscription_retry.SubscriptionRetry.as_view(), name="addon_retry"),
    path(f"{_ONE}/cancel", subscription_deeds.SubscriptionCancel.as_view(), name="subscription_cancel"),
    path(f"{_ONE}/quantity", subscription_deeds.SubscriptionQuantity.as_view(), name="subscription_quantity"),
    path(
        f"{_ONE}/quantityrequest/<str:request_id>",
        subscription_deeds.QuantityRequest.as_view(),
        name="quantity_request",
    ),
    path(f"{_ONE}/autorenewalsettings", subscription_deeds.AutoRenewal.as_view(), name="auto_renewal"),
    path(
        f"{_ONE}/currentinstallmentplan",
        subscription_deeds.CurrentInstallmentPlan.as_view(),
        name="installment_plan",
    ),
    path(
        f"{_ADDON}/cancelendofbillingperiod",
        subscription_deeds.AddonCancelAtEnd.as_view(),
        name="addon_cancel_at_end",
    ),
    path("api/accounts", account_changes.AccountCollection.as_view(), name="account_list"),
    path("api/accounts/<str:account_id>", account_changes.AccountChange.as_view(), name="account"),
    path("api/accounts/<str:account_id>/billingaddress", neighbours.AccountAddress.as_view(), name="account_address"),
    path(
        "api/accounts/<str:account_id>/synchronizations/<str:system_id>",
        account_changes.AccountSynchronization.as_view(),
        name="account_synchronization",
    ),
    path(
        "api/accounts/<str:account_id>/syncoptions/<str:system_id>",
        account_changes.AccountSyncOptions.as_view(),
        name="account_sync_options",
    ),
    path("api/assets", neighbours.AssetList.as_view(), name="asset_list"),
    path("api/assets/<str:asset_id>", neighbours.AssetDetail.as_view(), name="asset"),
    path("api/orders", ordering.OrderCollection.as_view(), name="order_list"),
    path("api/orders/<str:order_id>", neighbours.OrderDetail.as_view(), name="order"),
    path("api/orders/<str:order_id>/items", ordering.OrderItemCollection.as_view(), name="order_items"),
    path("api/orders/<str:order_id>/items/<str:item_id>", ordering.OrderItemChange.as_view(), name="order_item"),
    path(
        "api/orders/<str:order_id>/items/<str:item_id>/characteristics",
        ordering.ItemCharacteristics.as_view(),
        name="order_item_characteristics",
    ),
    path("api/orders/<str:order_id>/checkout", ordering.Checkout.as_view(), name="order_checkout"),
    path("api/orders/<str:order_id>/execute", ordering.Checkout.as_view(), name="order_execute"),
    path("api/orders/<str:order_id>/execute/status", neighbours.OrderProgress.as_view(), name="order_progress"),
    path("api/products", products.ProductList.as_view(), name="product_list"),
    path("api/products/<str:product_id>", products.ProductDetail.as_view(), name="product"),
    path("api/products/<str:product_id>/pricing", products.ProductPricing.as_view(), name="product_pricing"),
    path(
        "api/products/<str:product_id>/characteristics",
        products.ProductCharacteristics.as_view(),
        name="product_characteristics",
    ),
    path(
        "api/products/<str:product_id>/billingfrequencyoptions",
        products.FrequencyOptions.as_view(),
        name="product_frequencies",
    ),
    path("api/products/<str:product_id>/addons", products.ProductAddons.as_view(), name="product_addons"),
    path(
        "api/subscriptions/<str:public_id>/customfields",
        custom_values.SubscriptionFields.as_view(),
        name="subscription_fields",
    ),
    path("api/accounts/<str:public_id>/customfields", custom_values.AccountFields.as_view(), name="account_fields"),
    path("api/orders/<str:public_id>/customfields", custom_values.OrderFields.as_view(), name="order_fields"),
    path("api/products/<str:public_id>/customfields", custom_values.ProductFields.as_view(), name="product_fields"),
    path("api/webhooks", webhooks.WebhookList.as_view(), name="webhook_list"),
    path("api/webhooks/topics", webhooks.WebhookTopics.as_view(), name="webhook_topics"),
    path("api/webhooks/<str:webhook_id>", webhooks.WebhookDetail.as_view(), name="webhook"),
    path("api/webhooks/<str:webhook_id>/rotate", webhooks.WebhookRotate.as_view(), name="webhook_rotate"),
    path("api/webhooks/<str:webhook_id>/test", webhooks.WebhookTest.as_view(), name="webhook_test"),
    path("api/webhooks/<str:webhook_id>/deliveries", webhooks.WebhookDeliveries.as_view(), name="webhook_deliveries"),
    path(
        "api/webhooks/<str:webhook_id>/deliveries/<str:delivery_id>/replay",
        webhooks.WebhookReplay.as_view(),
        name="webhook_replay",
    ),
    *lookups,
    re_path(r"^(?:api|oauth)(?:/.*)?$", missing.nothing, name="nothing"),
]
