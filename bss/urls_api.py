"""Rooms of API clients."""

from django.urls import URLPattern, path

from bss.views import api_clients as views

_CLIENT = "setup/api-clients/<uuid:public_id>/"

urlpatterns: list[URLPattern] = [
    path("setup/api-clients/", views.ApiClientList.as_view(), name="api_client_list"),
    path("setup/api-clients/new/", views.ApiClientNew.as_view(), name="api_client_new"),
    path("setup/api-clients/settings/", views.ApiPolicy.as_view(), name="api_policy"),
    path("setup/api-clients/settings/key/", views.SharedKeyMake.as_view(), name="api_key_make"),
    path("setup/api-clients/settings/key/remove/", views.SharedKeyDrop.as_view(), name="api_key_drop"),
    path(_CLIENT, views.ApiClientEdit.as_view(), name="api_client"),
    path(f"{_CLIENT}secret/", views.ApiClientRotate.as_view(), name="api_client_rotate"),
    path(f"{_CLIENT}revoke/", views.ApiClientRevoke.as_view(), name="api_client_revoke"),
]
