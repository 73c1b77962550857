"""Rooms of services: changes of subscriptions, cancellation requests, the ledger, product types."""

from django.urls import URLPattern, path

from bss.views import (
    assets,
    ledger,
    product_types,
    requests,
    returns,
    subscription_less,
    subscription_more,
    subscription_switch,
)

_SUBSCRIPTION = "subscriptions/<uuid:public_id>/"
_ADDON = f"{_SUBSCRIPTION}add-ons/<uuid:addon_id>/"
_REQUEST = "requests/<uuid:public_id>/"
_ASSET = "assets/<uuid:public_id>/"
_RETURN = "returns/<uuid:public_id>/"
_TYPE = "catalogue/product-types/<uuid:public_id>/"

urlpatterns: list[URLPattern] = [
    path(f"{_SUBSCRIPTION}buy/", subscription_more.BuyLicences.as_view(), name="subscription_buy"),
    path(f"{_SUBSCRIPTION}add-ons/buy/", subscription_more.BuyAddOn.as_view(), name="subscription_buy_addon"),
    path(f"{_SUBSCRIPTION}upgrade/", subscription_more.Upgrade.as_view(), name="subscription_upgrade"),
    path(f"{_SUBSCRIPTION}reduce/", subscription_less.ReduceLicences.as_view(), name="subscription_reduce"),
    path(f"{_ADDON}reduce/", subscription_less.ReduceAddOn.as_view(), name="subscription_reduce_addon"),
    path(f"{_ADDON}end/", subscription_less.EndAddOn.as_view(), name="subscription_end_addon"),
    path(f"{_SUBSCRIPTION}cancel/", subscription_less.Cancel.as_view(), name="subscription_cancel"),
    path(f"{_SUBSCRIPTION}suspend/", subscription_switch.Suspend.as_view(), name="subscription_suspend"),
    path(f"{_SUBSCRIPTION}activate/", subscription_switch.Activate.as_view(), name="subscription_activate"),
    path(f"{_SUBSCRIPTION}auto-renew/", subscription_switch.AutoRenew.as_view(), name="subscription_auto_renew"),
    path(f"{_SUBSCRIPTION}renewal/", subscription_switch.ManageRenewal.as_view(), name="subscription_renewal"),
    path(f"{_SUBSCRIPTION}revoke/", subscription_switch.RevokeSchedule.as_view(), name="subscription_revoke"),
    path(f"{_SUBSCRIPTION}keep/", subscription_switch.Keep.as_view(), name="subscription_keep"),
    path(f"{_SUBSCRIPTION}price/", subscription_switch.EditPrice.as_view(), name="subscription_price"),
    path(f"{_SUBSCRIPTION}set-aside/", subscription_switch.SetAside.as_view(), name="subscription_set_aside"),
    path(f"{_SUBSCRIPTION}refresh/", subscription_switch.Refresh.as_view(), name="subscription_refresh"),
    path("requests/", requests.RequestList.as_view(), name="request_list"),
    path(_REQUEST, requests.RequestDetail.as_view(), name="request_detail"),
    path(f"{_REQUEST}accept/", requests.RequestAccept.as_view(), name="request_accept"),
    path(f"{_REQUEST}reject/", requests.RequestReject.as_view(), name="request_reject"),
    path("assets/", assets.AssetList.as_view(), name="asset_list"),
    path(_ASSET, assets.AssetDetail.as_view(), name="asset_detail"),
    path(f"{_ASSET}key/", assets.AssetReveal.as_view(), name="asset_key"),
    path(f"{_ASSET}refresh/", assets.AssetRefresh.as_view(), name="asset_refresh"),
    path(f"{_ASSET}add-keys/", assets.AssetAddKeys.as_view(), name="asset_add_keys"),
    path(f"{_ASSET}resend/", assets.AssetResend.as_view(), name="asset_resend"),
    path(f"{_ASSET}cancel/", assets.AssetCancel.as_view(), name="asset_cancel"),
    path(f"{_ASSET}retry/", assets.AssetRetry.as_view(), name="asset_retry"),
    path(f"{_ASSET}give-up/", assets.AssetGiveUp.as_view(), name="asset_give_up"),
    path("returns/", returns.ReturnList.as_view(), name="return_list"),
    path(_RETURN, returns.ReturnDetail.as_view(), name="return_detail"),
    path(f"{_RETURN}accept/", returns.ReturnAccept.as_view(), name="return_accept"),
    path(f"{_RETURN}reject/", returns.ReturnReject.as_view(), name="return_reject"),
    path("ledger/", ledger.ChargeList.as_view(), name="charge_list"),
    path("accounts/<uuid:public_id>/ledger/", ledger.AccountLedger.as_view(), name="account_ledger"),
    path("catalogue/product-types/", product_types.ProductTypeList.as_view(), name="type_list"),
    path(f"{_TYPE}edit/", product_types.ProductTypeEdit.as_view(), name="type_edit"),
]
