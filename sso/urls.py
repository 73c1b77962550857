"""Addresses of sign-in; those listed as closed shadow pages of allauth."""

from django.urls import path

from sso import views

app_name = "sso"

urlpatterns = [
    path("accounts/signup/", views.closed),
    path("accounts/email/", views.closed),
    path("accounts/password/set/", views.closed),
    path("accounts/invitation/", views.invitation_password, name="invitation_password"),
    path("accounts/invitation/<str:token>/", views.invitation_accept, name="invitation_accept"),
]
