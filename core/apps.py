"""Application configuration of ``core``."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    """Plumbing without business."""

    name = "core"
    verbose_name = "Platform"
