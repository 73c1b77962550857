"""The steps of an order by an employee for an account, and changing an order that waits."""

from django.urls import URLPattern, path

from bss.views import order_edit, order_new
from bss.views import order_new_checkout as checkout

_FOR = "orders/new/<uuid:public_id>/"

urlpatterns: list[URLPattern] = [
    path("orders/<uuid:public_id>/edit/", order_edit.OrderEdit.as_view(), name="order_edit"),
    path("orders/new/", order_new.OrderNew.as_view(), name="order_new"),
    path(_FOR, order_new.OrderLines.as_view(), name="account_order"),
    path(f"{_FOR}add/", order_new.OrderAdd.as_view(), name="account_order_add"),
    path(f"{_FOR}change/", order_new.OrderChange.as_view(), name="account_order_change"),
    path(f"{_FOR}billing/", checkout.OrderBilling.as_view(), name="account_order_billing"),
    path(f"{_FOR}details/", checkout.OrderDetails.as_view(), name="account_order_details"),
    path(f"{_FOR}details/<uuid:instance_id>/", checkout.OrderCheck.as_view(), name="account_order_check"),
    path(f"{_FOR}details/<uuid:instance_id>/skip/", checkout.OrderSkip.as_view(), name="account_order_skip"),
    path(f"{_FOR}checking/<uuid:job_id>/", checkout.OrderChecking.as_view(), name="account_order_checking"),
    path(f"{_FOR}live/<uuid:instance_id>/<slug:verb>/", checkout.OrderLive.as_view(), name="account_order_live"),
    path(f"{_FOR}live/<uuid:job_id>/", checkout.OrderLiveResult.as_view(), name="account_order_live_result"),
    path(f"{_FOR}review/", checkout.OrderReview.as_view(), name="account_order_review"),
]
