"""The product's addresses, and beside them the floors."""

from django.urls import include, path

from bench import floor, json_floor
from cloudbss.urls import handler400, handler403, handler404, handler500

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]

urlpatterns = [
    path("_floor/<slug:key>/", floor.bare),
    path("_plain/<slug:key>/", floor.plain),
    path("_token/<slug:key>/<int:organization_id>/", json_floor.signed),
    path("", include("cloudbss.urls")),
]
