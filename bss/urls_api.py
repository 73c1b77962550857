"""Rooms of API clients and webhooks."""

from django.urls import URLPattern, path

from bss.views import api_clients as views
from bss.views import webhooks

_CLIENT = "setup/api-clients/<uuid:public_id>/"
_WEBHOOK = "setup/webhooks/<uuid:public_id>/"

urlpatterns: list[URLPattern] = [
    path("setup/api-clients/", views.ApiClientList.as_view(), name="api_client_list"),
    path("setup/api-clients/new/", views.ApiClientNew.as_view(), name="api_client_new"),
    path("setup/api-clients/settings/", views.ApiPolicy.as_view(), name="api_policy"),
    path("setup/api-clients/settings/key/", views.SharedKeyMake.as_view(), name="api_key_make"),
    path("setup/api-clients/settings/key/remove/", views.SharedKeyDrop.as_view(), name="api_key_drop"),
    path(_CLIENT, views.ApiClientEdit.as_view(), name="api_client"),
    path(f"{_CLIENT}secret/", views.ApiClientRotate.as_view(), name="api_client_rotate"),
    path(f"{_CLIENT}revoke/", views.ApiClientRevoke.as_view(), name="api_client_revoke"),
    path("setup/webhooks/", webhooks.WebhookList.as_view(), name="webhook_list"),
    path("setup/webhooks/new/", webhooks.WebhookNew.as_view(), name="webhook_new"),
    path(_WEBHOOK, webhooks.WebhookDetail.as_view(), name="webhook"),
    path(f"{_WEBHOOK}edit/", webhooks.WebhookEdit.as_view(), name="webhook_edit"),
    path(f"{_WEBHOOK}secret/", webhooks.WebhookRotate.as_view(), name="webhook_rotate"),
    path(f"{_WEBHOOK}test/", webhooks.WebhookTest.as_view(), name="webhook_test"),
    path(f"{_WEBHOOK}delete/", webhooks.WebhookDelete.as_view(), name="webhook_delete"),
    path(f"{_WEBHOOK}deliveries/", webhooks.WebhookDeliveries.as_view(), name="webhook_deliveries"),
    path(f"{_WEBHOOK}deliveries/<uuid:delivery_id>/", webhooks.WebhookDelivery.as_view(), name="webhook_delivery"),
    path(f"{_WEBHOOK}deliveries/<uuid:delivery_id>/replay/", webhooks.WebhookReplay.as_view(), name="webhook_replay"),
]
