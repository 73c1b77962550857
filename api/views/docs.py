"""The reader of the API: what is served, from our own host, for everybody who may ask for a token."""

from itertools import groupby
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from api.document import operations, served_document
from api.errors import JSON, TITLES, TYPES
from api.wire import dumps


def page(request: HttpRequest) -> HttpResponse:
    """All calls by resource, with parameters, filters, answers and errors."""
    calls = sorted(operations(), key=lambda call: call.tag)
    tags = [(tag, list(members)) for tag, members in groupby(calls, key=lambda call: call.tag)]
    errors = [(status, TITLES[status], TYPES[status]) for status in TYPES]
    context: dict[str, Any] = {
        "tags": tags,
        "errors": errors,
        "document_url": reverse("api:document"),
        "token_url": request.build_absolute_uri(reverse("api:token")),
        "base_url": request.build_absolute_uri("/api"),
    }
    return render(request, "api/docs_page.html", context)


def document(request: HttpRequest) -> HttpResponse:
    """The OpenAPI document of what is served."""
    return HttpResponse(dumps(served_document()), content_type=JSON)
