"""The addresses of a reseller's site: shop and sign-in, no BSS, no Django admin, no monitoring."""

from django.urls import include, path

handler400 = "ui.errors.bad_request"
handler403 = "ui.errors.permission_denied"
handler404 = "ui.errors.page_not_found"
handler500 = "ui.errors.server_error"

urlpatterns = [
    path("", include("sso.urls")),
    path("accounts/", include("allauth.urls")),
    path("", include("storefront.urls")),
]
