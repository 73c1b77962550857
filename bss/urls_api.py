"""Rooms of API clients and webhooks."""

from django.urls import URLPattern, path

from bss.views import api_clients as views
from ui.api_clients import client_paths
from ui.webhooks import webhook_paths
from users.permissions import Perm

urlpatterns: list[URLPattern] = [
    path("setup/api-clients/", views.ApiClientList.as_view(), name="api_client_list"),
    path("setup/api-clients/new/", views.ApiClientNew.as_view(), name="api_client_new"),
    path("setup/api-clients/settings/", views.ApiPolicy.as_view(), name="api_policy"),
    path("setup/api-clients/settings/key/", views.SharedKeyMake.as_view(), name="api_key_make"),
    path("setup/api-clients/settings/key/remove/", views.SharedKeyDrop.as_view(), name="api_key_drop"),
    *client_paths("setup/api-clients/", perm=Perm.SYSTEM_OPTIONS, door="bss", back=views.LIST),
    *webhook_paths("setup/webhooks/", perm=Perm.WEBHOOK_MANAGE, door="bss"),
]
