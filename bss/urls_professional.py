"""Rooms of the Professional edition: the distributor's resellers, and a reseller's catalogue updates."""

from django.urls import URLPattern, path

from bss.views import catalogue_update, professional, transfers

_ONE = "professional/<uuid:public_id>/"

urlpatterns: list[URLPattern] = [
    path(
        "accounts/<uuid:public_id>/professional/",
        professional.MakeProfessional.as_view(),
        name="account_professional",
    ),
    path("professional/", professional.ProfessionalList.as_view(), name="professional_list"),
    path(_ONE, professional.ProfessionalDetail.as_view(), name="professional_detail"),
    path(f"{_ONE}options/", professional.ProfessionalOptions.as_view(), name="professional_options"),
    path(f"{_ONE}retry/", professional.ProfessionalRetry.as_view(), name="professional_retry"),
    path(f"{_ONE}suspend/", professional.ProfessionalSuspend.as_view(), name="professional_suspend"),
    path(f"{_ONE}activate/", professional.ProfessionalActivate.as_view(), name="professional_activate"),
    path(f"{_ONE}delete/", professional.ProfessionalDelete.as_view(), name="professional_delete"),
    path(f"{_ONE}go-live/", professional.ProfessionalGoLive.as_view(), name="professional_go_live"),
    path(f"{_ONE}accounts/", transfers.AccountsToMove.as_view(), name="professional_accounts"),
    path(f"{_ONE}accounts/transfer/", transfers.MoveAccounts.as_view(), name="professional_move_accounts"),
    path(f"{_ONE}subscriptions/", transfers.SubscriptionsToMove.as_view(), name="professional_subscriptions"),
    path(
        f"{_ONE}subscriptions/transfer/",
        transfers.MoveSubscriptions.as_view(),
        name="professional_move_subscriptions",
    ),
    path(f"{_ONE}customers/", transfers.MovedAccounts.as_view(), name="professional_customers"),
    path(f"{_ONE}services/", transfers.MovedSubscriptions.as_view(), name="professional_services"),
    path("catalogue/updates/", catalogue_update.UpdateList.as_view(), name="update_list"),
    path("catalogue/updates/new/", catalogue_update.UpdateStart.as_view(), name="update_start"),
    path("catalogue/updates/nightly/", catalogue_update.UpdateNightly.as_view(), name="update_nightly"),
    path("catalogue/updates/<uuid:public_id>/", catalogue_update.UpdateDetail.as_view(), name="update_detail"),
    path("catalogue/updates/<uuid:public_id>/apply/", catalogue_update.UpdateApply.as_view(), name="update_apply"),
]
