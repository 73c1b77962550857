"""Rooms of sales: overview, accounts, orders, subscriptions, employees."""

from django.urls import URLPattern, path

from bss.views import (
    account_forms,
    account_kind,
    account_plan,
    accounts,
    dashboard,
    links,
    members,
    orders,
    partner,
    people,
    resellers,
    subscriptions,
    view_as,
)

_ACCOUNT = "accounts/<uuid:public_id>/"
_MEMBER = "accounts/users/<uuid:public_id>/"
_EMPLOYEE = "setup/staff/<uuid:public_id>/"
_LINK = "accounts/links/<uuid:public_id>/"
_ORDER = "orders/<uuid:public_id>/"

urlpatterns: list[URLPattern] = [
    path("", dashboard.Dashboard.as_view(), name="dashboard"),
    path("accounts/", accounts.AccountList.as_view(), name="account_list"),
    path("resellers/", resellers.ResellerList.as_view(), name="reseller_list"),
    path("accounts/new/", account_forms.AccountCreate.as_view(), name="account_create"),
    path(_ACCOUNT, accounts.AccountDetail.as_view(), name="account_detail"),
    path(f"{_ACCOUNT}edit/", account_forms.AccountEdit.as_view(), name="account_edit"),
    path(f"{_ACCOUNT}credit/", account_forms.AccountCredit.as_view(), name="account_credit"),
    path(f"{_ACCOUNT}price-list/", account_forms.AccountPriceList.as_view(), name="account_price_list"),
    path(f"{_ACCOUNT}upgrade/", account_plan.AccountUpgrade.as_view(), name="account_upgrade"),
    path(f"{_ACCOUNT}alias/", account_plan.AccountAlias.as_view(), name="account_alias"),
    path(f"{_ACCOUNT}reselling/", account_forms.AccountReselling.as_view(), name="account_reselling"),
    path(f"{_ACCOUNT}kind/", account_kind.AccountKindChange.as_view(), name="account_kind"),
    path(f"{_ACCOUNT}relationship/", account_kind.AccountRelationship.as_view(), name="account_relationship"),
    path(f"{_ACCOUNT}hold/", account_forms.AccountHold.as_view(), name="account_hold"),
    path(f"{_ACCOUNT}release/", account_forms.AccountRelease.as_view(), name="account_release"),
    path(f"{_ACCOUNT}close/", account_forms.AccountClose.as_view(), name="account_close"),
    path(f"{_ACCOUNT}reopen/", account_forms.AccountReopen.as_view(), name="account_reopen"),
    path(f"{_ACCOUNT}view-as/", view_as.ViewAs.as_view(), name="account_view_as"),
    path(f"{_ACCOUNT}contacts/new/", people.ContactAdd.as_view(), name="contact_add"),
    path("accounts/contacts/<uuid:public_id>/", people.ContactEdit.as_view(), name="contact_edit"),
    path(f"{_ACCOUNT}users/invite/", people.UserInvite.as_view(), name="user_invite"),
    path(f"{_ACCOUNT}mpn/<uuid:instance_id>/", links.LinkMpn.as_view(), name="link_mpn"),
    path(f"{_ACCOUNT}mpn/<uuid:instance_id>/change/", partner.PartnerChange.as_view(), name="partner_change"),
    path(f"{_ACCOUNT}mpn/check/<uuid:job_id>/", partner.PartnerCheck.as_view(), name="partner_check"),
    path("mpn-changes/", partner.StampList.as_view(), name="stamp_list"),
    path("mpn-changes/<uuid:public_id>/", partner.StampDetail.as_view(), name="stamp_detail"),
    path(f"{_LINK}set-up/", links.LinkSetUp.as_view(), name="link_set_up"),
    path(f"{_LINK}password/", links.LinkPassword.as_view(), name="link_password"),
    path(_MEMBER, members.MemberRoles.as_view(), name="member_roles"),
    path(f"{_MEMBER}resend/", members.MemberResend.as_view(), name="member_resend"),
    path(f"{_MEMBER}revoke/", members.MemberRevoke.as_view(), name="member_revoke"),
    path(f"{_MEMBER}deactivate/", members.MemberDeactivate.as_view(), name="member_deactivate"),
    path(f"{_MEMBER}reactivate/", members.MemberReactivate.as_view(), name="member_reactivate"),
    path(f"{_MEMBER}remove/", members.MemberRemove.as_view(), name="member_remove"),
    path("setup/staff/", people.StaffList.as_view(), name="staff_list"),
    path("setup/staff/invite/", people.StaffInvite.as_view(), name="staff_invite"),
    path(_EMPLOYEE, members.MemberRoles.as_view(), name="staff_roles"),
    path(f"{_EMPLOYEE}resend/", members.MemberResend.as_view(), name="staff_resend"),
    path(f"{_EMPLOYEE}revoke/", members.MemberRevoke.as_view(), name="staff_revoke"),
    path(f"{_EMPLOYEE}deactivate/", members.MemberDeactivate.as_view(), name="staff_deactivate"),
    path(f"{_EMPLOYEE}reactivate/", members.MemberReactivate.as_view(), name="staff_reactivate"),
    path(f"{_EMPLOYEE}remove/", members.MemberRemove.as_view(), name="staff_remove"),
    path("orders/", orders.OrderList.as_view(), name="order_list"),
    path(_ORDER, orders.OrderDetail.as_view(), name="order_detail"),
    path(f"{_ORDER}execute/", orders.OrderExecute.as_view(), name="order_execute"),
    path(f"{_ORDER}retry/", orders.OrderRetry.as_view(), name="order_retry"),
    path(f"{_ORDER}cancel/", orders.OrderCancel.as_view(), name="order_cancel"),
    path("subscriptions/", subscriptions.SubscriptionList.as_view(), name="subscription_list"),
    path("subscriptions/<uuid:public_id>/", subscriptions.SubscriptionDetail.as_view(), name="subscription_detail"),
]
