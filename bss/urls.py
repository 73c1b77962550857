"""Addresses of the BSS, by room."""

from bss import (
    urls_api,
    urls_control,
    urls_custom,
    urls_operations,
    urls_ordering,
    urls_professional,
    urls_registrations,
    urls_rules,
    urls_sales,
    urls_services,
    urls_setup,
)

app_name = "bss"

urlpatterns = [
    *urls_sales.urlpatterns,
    *urls_ordering.urlpatterns,
    *urls_services.urlpatterns,
    *urls_operations.urlpatterns,
    *urls_control.urlpatterns,
    *urls_api.urlpatterns,
    *urls_custom.urlpatterns,
    *urls_registrations.urlpatterns,
    *urls_rules.urlpatterns,
    *urls_professional.urlpatterns,
    *urls_setup.urlpatterns,
]
