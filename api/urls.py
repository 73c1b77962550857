"""Addresses of the API; the middleware has put them into lower case and taken the last slash away."""

from django.urls import path, re_path

from api.urls_lookups import urlpatterns as lookups
from api.views import custom_values, docs, missing, neighbours, oauth, products, subscription_deeds, subscriptions

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
    path("api/accounts", neighbours.AccountList.as_view(), name="account_list"),
    path("api/accounts/<str:account_id>", neighbours.AccountDetail.as_view(), name="account"),
    path("api/accounts/<str:account_id>/billingaddress", neighbours.AccountAddress.as_view(), name="account_address"),
    path("api/assets", neighbours.AssetList.as_view(), name="asset_list"),
    path("api/assets/<str:asset_id>", neighbours.AssetDetail.as_view(), name="asset"),
    path("api/orders", neighbours.OrderList.as_view(), name="order_list"),
    path("api/orders/<str:order_id>", neighbours.OrderDetail.as_view(), name="order"),
    path("api/orders/<str:order_id>/items", neighbours.OrderItems.as_view(), name="order_items"),
    path("api/orders/<str:order_id>/items/<str:item_id>", neighbours.OrderItem.as_view(), name="order_item"),
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
    *lookups,
    re_path(r"^(?:api|oauth)(?:/.*)?$", missing.nothing, name="nothing"),
]
