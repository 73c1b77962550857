"""Gunicorn's settings: a few synchronous processes; no vendor is called in a web request, so none waits long."""

import gc
import os
import subprocess
import sys
from typing import Any

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
    """Take what stays for the whole life of the process out of the sight of Python's garbage collector.

    A page makes thousands of small objects, so the collector runs often; with the loaded code among what it looks
    through it took a quarter of a call's time (``bench/README.md``).
    """
    # Django has its settings only now, and loads addresses, views and forms at the first request otherwise.
    from django.urls import get_resolver

    for urlconf in ("cloudbss.urls", "cloudbss.urls_shop"):
        _all = get_resolver(urlconf).reverse_dict
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)
