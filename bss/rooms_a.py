"""Rooms of the BSS, part a: overview, accounts, orders, subscriptions, employees."""

from django.urls import URLPattern, path

from bss.views import dashboard, orders, subscriptions

_ORDER = "orders/<uuid:public_id>/"

urlpatterns: list[URLPattern] = [
    path("", dashboard.Dashboard.as_view(), name="dashboard"),
    path("orders/", orders.OrderList.as_view(), name="order_list"),
    path(_ORDER, orders.OrderDetail.as_view(), name="order_detail"),
    path(f"{_ORDER}execute/", orders.OrderExecute.as_view(), name="order_execute"),
    path(f"{_ORDER}cancel/", orders.OrderCancel.as_view(), name="order_cancel"),
    path("subscriptions/", subscriptions.SubscriptionList.as_view(), name="subscription_list"),
    path("subscriptions/<uuid:public_id>/", subscriptions.SubscriptionDetail.as_view(), name="subscription_detail"),
]
