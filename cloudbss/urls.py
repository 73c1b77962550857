"""All addresses: the doors, sign-in, Django admin, and what monitoring asks."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from cloudbss import health, tls

handler400 = "ui.errors.bad_request"
handler403 = "ui.errors.permission_denied"
handler404 = "ui.errors.page_not_found"
handler500 = "ui.errors.server_error"

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("tls/allowed", tls.allowed, name="tls_allowed"),
    path("tls/certificate", tls.certificate, name="tls_certificate"),
    path("favicon.ico", RedirectView.as_view(url="/image/icon.svg"), name="favicon"),
    path("admin/", admin.site.urls),
    path("", include("sso.urls")),
    path("accounts/", include("allauth.urls")),
    path("styleguide/", include("ui.urls")),
    path("bss/", include("bss.urls")),
    path("", include("api.urls")),
    path("", include("storefront.urls")),
]
