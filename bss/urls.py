"""Addresses of the BSS, by room."""

from bss import rooms_a, rooms_b

app_name = "bss"

urlpatterns = [*rooms_a.urlpatterns, *rooms_b.urlpatterns]
