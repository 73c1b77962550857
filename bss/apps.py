"""Application configuration of ``bss``."""

from django.apps import AppConfig


class BssConfig(AppConfig):
    """The BSS door."""

    name = "bss"
    verbose_name = "BSS"

    def ready(self) -> None:
        """Declare the navigation."""
        from bss.nav import declare_entries  # Models are loaded only now.

        declare_entries()
