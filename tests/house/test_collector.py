"""Processes that live long spare the garbage collector the sight of their code."""

import subprocess
import sys

import pytest

SAYS = "import gc; print(gc.get_freeze_count() > 50_000, gc.get_threshold()[0])"
PROCESSES = {
    "web": "import django; django.setup(); from cloudbss import gunicorn; gunicorn.post_worker_init(None)",
    "worker": (
        "import django; django.setup(); from cloudbss.celery import app; from celery.signals import worker_init;"
        "app.loader.import_default_modules(); worker_init.send(sender=None)"
    ),
}


@pytest.mark.parametrize("process", PROCESSES)
def test_loaded_code_is_out_of_sight(process: str):
    asked = [sys.executable, "-W", "ignore", "-c", f"{PROCESSES[process]}; {SAYS}"]
    found = subprocess.run(asked, capture_output=True, text=True, check=True)
    assert found.stdout.split()[-2:] == ["True", "10000"]
