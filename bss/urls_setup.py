"""Rooms of setup: certificates."""

from django.urls import URLPattern, path

from bss.views import certificates, design

_CERTIFICATE = "setup/certificates/<uuid:public_id>/"

urlpatterns: list[URLPattern] = [
    path("setup/storefront/", design.Design.as_view(), name="design"),
    path("setup/storefront/<uuid:public_id>/restore/", design.DesignRestore.as_view(), name="design_restore"),
    path("setup/certificates/", certificates.CertificateList.as_view(), name="certificate_list"),
    path("setup/certificates/upload/", certificates.CertificateUpload.as_view(), name="certificate_upload"),
    path(_CERTIFICATE, certificates.CertificateDetail.as_view(), name="certificate_detail"),
    path(f"{_CERTIFICATE}check-dns/", certificates.CertificateCheckDns.as_view(), name="certificate_check_dns"),
    path(f"{_CERTIFICATE}replace/", certificates.CertificateReplace.as_view(), name="certificate_replace"),
    path(f"{_CERTIFICATE}retire/", certificates.CertificateRetire.as_view(), name="certificate_retire"),
]
