"""Addresses of the storefront."""

from django.urls import path

from storefront.views import activity, basket, catalogue, checkout, exports, lists, people, services, viewing

app_name = "storefront"
_MEMBER = "company/users/<uuid:public_id>/"

urlpatterns = [
    path("", catalogue.home, name="home"),
    path("brand.css", catalogue.brand_css, name="brand_css"),
    path("terms/", services.terms, name="terms"),
    path("products/", catalogue.product_list, name="product_list"),
    path("products/shelf/<slug:slug>/", catalogue.product_list, name="category"),
    path("products/<uuid:public_id>/", catalogue.product_detail, name="product_detail"),
    path("basket/", basket.basket, name="basket"),
    path("basket/add/", basket.basket_add, name="basket_add"),
    path("basket/change/", basket.basket_change, name="basket_change"),
    path("basket/for/", basket.basket_target, name="basket_target"),
    path("checkout/billing/", checkout.checkout_billing, name="checkout_billing"),
    path("checkout/details/", checkout.checkout_details, name="checkout_details"),
    path("checkout/details/<uuid:instance_id>/", checkout.checkout_check, name="checkout_check"),
    path("checkout/checking/<uuid:public_id>/", checkout.checkout_checking, name="checkout_checking"),
    path("checkout/live/<uuid:instance_id>/<slug:verb>/", checkout.checkout_live, name="checkout_live"),
    path("checkout/live/<uuid:public_id>/", checkout.checkout_live_result, name="checkout_live_result"),
    path("checkout/review/", checkout.checkout_review, name="checkout_review"),
    path("orders/", lists.OrderList.as_view(), name="order_list"),
    path("orders/<uuid:public_id>/", services.order_detail, name="order_detail"),
    path("orders/<uuid:public_id>/cancel/", services.order_cancel, name="order_cancel"),
    path("services/", lists.SubscriptionList.as_view(), name="subscription_list"),
    path("services/<uuid:public_id>/", services.subscription_detail, name="subscription_detail"),
    path("customers/", lists.CustomerList.as_view(), name="customer_list"),
    path("customers/<uuid:public_id>/", services.customer_detail, name="customer_detail"),
    path("exports/<uuid:public_id>/", exports.ExportDetail.as_view(), name="export_detail"),
    path("exports/<uuid:public_id>/file/", exports.ExportDownload.as_view(), name="export_file"),
    path("company/", services.profile, name="profile"),
    path("company/users/", people.MemberList.as_view(), name="member_list"),
    path("company/users/invite/", people.MemberInvite.as_view(), name="member_invite"),
    path(_MEMBER, people.MemberRoles.as_view(), name="member_roles"),
    path(f"{_MEMBER}resend/", people.MemberResend.as_view(), name="member_resend"),
    path(f"{_MEMBER}revoke/", people.MemberRevoke.as_view(), name="member_revoke"),
    path(f"{_MEMBER}deactivate/", people.MemberDeactivate.as_view(), name="member_deactivate"),
    path(f"{_MEMBER}reactivate/", people.MemberReactivate.as_view(), name="member_reactivate"),
    path(f"{_MEMBER}remove/", people.MemberRemove.as_view(), name="member_remove"),
    path("company/activity/", activity.ActivityList.as_view(), name="activity_list"),
    path("company/viewings/", viewing.ViewingList.as_view(), name="viewing_list"),
    path("view-as/stop/", viewing.view_as_stop, name="view_as_stop"),
]
