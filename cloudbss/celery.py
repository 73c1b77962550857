"""The Celery application: tasks are envelopes around durable rows, so a lost message is found by the sweep."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cloudbss.settings.dev")

app = Celery("cloudbss")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
