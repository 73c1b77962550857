"""Rooms of people who come by themselves: registrations, and the logs of terms and consent."""

from django.urls import URLPattern, path

from bss.views import registrations, terms

_REGISTRATION = "registrations/<uuid:public_id>/"

urlpatterns: list[URLPattern] = [
    path("registrations/", registrations.RegistrationList.as_view(), name="registration_list"),
    path("registrations/settings/", registrations.RegistrationSettings.as_view(), name="registration_settings"),
    path(_REGISTRATION, registrations.RegistrationDetail.as_view(), name="registration_detail"),
    path(f"{_REGISTRATION}approve/", registrations.RegistrationApprove.as_view(), name="registration_approve"),
    path(f"{_REGISTRATION}reject/", registrations.RegistrationReject.as_view(), name="registration_reject"),
    path("logs/terms/", terms.TermsLog.as_view(), name="terms_log"),
    path("logs/consent/", terms.ConsentLog.as_view(), name="consent_log"),
]
