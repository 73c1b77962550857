"""Rooms of setup: certificates."""

from django.urls import URLPattern, path

from bss.views import certificates

_CERTIFICATE = "setup/certificates/<uuid:public_id>/"

urlpatterns: list[URLPattern] = [
    path("setup/certificates/", certificates.CertificateList.as_view(), name="certificate_list"),
    path("setup/certificates/upload/", certificates.CertificateUpload.as_view(), name="certificate_upload"),
    path(_CERTIFICATE, certificates.CertificateDetail.as_view(), name="certificate_detail"),
    path(f"{_CERTIFICATE}check-dns/", certificates.CertificateCheckDns.as_view(), name="certificate_check_dns"),
    path(f"{_CERTIFICATE}replace/", certificates.CertificateReplace.as_view(), name="certificate_replace"),
    path(f"{_CERTIFICATE}retire/", certificates.CertificateRetire.as_view(), name="certificate_retire"),
]
