"""Addresses of sign-in; those listed as closed shadow pages of allauth."""

from django.urls import path

from sso import register_views, views

app_name = "sso"

urlpatterns = [
    path("accounts/signup/", views.closed),
    path("accounts/register/", register_views.register, name="register"),
    path("accounts/register/sent/", register_views.registered, name="registered"),
    path("accounts/register/confirm/", register_views.registration_confirm, name="registration_confirm"),
    path("accounts/register/<str:token>/", register_views.registration_open, name="registration_open"),
    path("accounts/email/", views.closed),
    path("accounts/password/set/", views.closed),
    path("accounts/invitation/", views.invitation_password, name="invitation_password"),
    path("accounts/invitation/<str:token>/", views.invitation_accept, name="invitation_accept"),
]
