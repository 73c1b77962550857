"""The Celery application: tasks are envelopes around durable rows, so a lost message is found by the sweep."""

import os
from typing import Any

from celery import Celery
from celery.signals import worker_init, worker_process_init

from core.collector import spare_loaded_code

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cloudbss.settings.dev")

app = Celery("cloudbss")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_init.connect
@worker_process_init.connect
def _begin(**_given: Any) -> None:
    """A worker has loaded its tasks, or a child of it begins."""
    spare_loaded_code()
