"""Gunicorn's settings: a few synchronous processes; no vendor is called in a web request, so none waits long."""

import os
import subprocess
import sys
from typing import Any

from core.collector import spare_loaded_code

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cloudbss.settings.production")

workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = int(os.environ.get("WEB_THREADS", "2"))
worker_class = "gthread"
preload_app = False
timeout = 60
graceful_timeout = 20
keepalive = 5
max_requests = 20_000
max_requests_jitter = 2_000
accesslog = None
forwarded_allow_ips = os.environ.get("FORWARDED_ALLOW_IPS", "127.0.0.1")
control_socket_disable = True


def on_starting(server: Any) -> None:
    """Stop before the first worker if a setting is bad; a process of its own keeps Django out of the master."""
    checked = subprocess.run([sys.executable, "manage.py", "check", "--tag", "cloudbss"], check=False)
    if checked.returncode:
        raise SystemExit(checked.returncode)


def post_worker_init(worker: Any) -> None:
    """Load what the first request would load, and spare the garbage collector the sight of it."""
    # Only now may Django be loaded: it has its settings, and this process is a worker, not the master.
    from django.urls import get_resolver

    for urlconf in ("cloudbss.urls", "cloudbss.urls_shop", "api.urls"):
        _loaded = get_resolver(urlconf).reverse_dict
    spare_loaded_code()
