"""Rooms of custom fields: which there are, and filling them in."""

from django.urls import URLPattern, path

from bss.views import custom_fields as views
from core.custom_fields import Entity

_FIELD = "setup/custom-fields/<uuid:public_id>/"

urlpatterns: list[URLPattern] = [
    path("setup/custom-fields/", views.FieldList.as_view(), name="field_list"),
    path("setup/custom-fields/new/", views.FieldNew.as_view(), name="field_new"),
    path(_FIELD, views.FieldEdit.as_view(), name="field_edit"),
    path(f"{_FIELD}archive/", views.FieldArchive.as_view(), name="field_archive"),
    path("accounts/<uuid:public_id>/custom/", views.PAGES[Entity.ACCOUNT].as_view(), name="account_custom"),
    path("orders/<uuid:public_id>/custom/", views.PAGES[Entity.ORDER].as_view(), name="order_custom"),
    path(
        "subscriptions/<uuid:public_id>/custom/", views.PAGES[Entity.SUBSCRIPTION].as_view(), name="subscription_custom"
    ),
    path("assets/<uuid:public_id>/custom/", views.PAGES[Entity.ASSET].as_view(), name="asset_custom"),
    path("products/<uuid:public_id>/custom/", views.PAGES[Entity.PRODUCT].as_view(), name="product_custom"),
]
