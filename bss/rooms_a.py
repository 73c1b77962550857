"""Rooms of the BSS, part a."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
