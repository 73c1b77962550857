"""Addresses of the API; the middleware has put them into lower case and taken the last slash away."""

from django.urls import path, re_path

from api.views import missing, oauth, subscriptions

app_name = "api"
_ONE = "api/subscriptions/<str:subscription_id>"
_ADDON = f"{_ONE}/addons/<str:addon_id>"

urlpatterns = [
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
    re_path(r"^(?:api|oauth)(?:/.*)?$", missing.nothing, name="nothing"),
]
