"""The product's WSGI application, with the two kinds of floors before it, which have other middleware or none."""

import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.settings")

import django

django.setup()

from django.core.handlers.wsgi import WSGIHandler  # noqa: E402
from django.test.utils import override_settings  # noqa: E402

from bench import json_floor  # noqa: E402

DJANGO_OWN = (
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
)


def _handler(middleware: Sequence[str]) -> WSGIHandler:
    """A handler with this middleware; it is loaded once, when the handler is made."""
    with override_settings(MIDDLEWARE=list(middleware)):
        return WSGIHandler()


_bare, _plain, _product = _handler(()), _handler(DJANGO_OWN), WSGIHandler()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Send the request to the handler of its address."""
    address = environ.get("PATH_INFO", "")
    if address.startswith(json_floor.PREFIX):
        return json_floor.bare(environ, start_response)
    plain = address.startswith(("/_plain/", "/_token/"))
    handler = _bare if address.startswith("/_floor/") else _plain if plain else _product
    return handler(environ, start_response)
