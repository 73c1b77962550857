"""Address of the style guide."""

from django.urls import path

from ui.views import Styleguide

app_name = "ui"

urlpatterns = [path("", Styleguide.as_view(), name="styleguide")]
