"""The Django app of the measurements; only ``bench.settings`` installs it."""

from django.apps import AppConfig


class BenchConfig(AppConfig):
    """Named, so that Celery finds its tasks."""

    name = "bench"
    verbose_name = "Measurements"
