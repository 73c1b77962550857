"""Rooms of custom fields: which there are, and filling them in."""

from django.urls import URLPattern, path

from bss.views import custom_fields as views

_FIELD = "setup/custom-fields/<uuid:public_id>/"

urlpatterns: list[URLPattern] = [
    path("setup/custom-fields/", views.FieldList.as_view(), name="field_list"),
    path("setup/custom-fields/new/", views.FieldNew.as_view(), name="field_new"),
    path(_FIELD, views.FieldEdit.as_view(), name="field_edit"),
    path(f"{_FIELD}archive/", views.FieldArchive.as_view(), name="field_archive"),
    path("accounts/<uuid:public_id>/custom/", views.AccountCustom.as_view(), name="account_custom"),
    path("orders/<uuid:public_id>/custom/", views.OrderCustom.as_view(), name="order_custom"),
    path("subscriptions/<uuid:public_id>/custom/", views.SubscriptionCustom.as_view(), name="subscription_custom"),
    path("assets/<uuid:public_id>/custom/", views.AssetCustom.as_view(), name="asset_custom"),
    path("products/<uuid:public_id>/custom/", views.ProductCustom.as_view(), name="product_custom"),
]
