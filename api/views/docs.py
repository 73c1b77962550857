"""The documentation of the API at ``/apidocs/``, from our own host, for everybody who may ask for a token.

Two readers: the distributor's programs, and resellers, who call the distributor's host too. A reseller's own site,
which his customers see, has neither API nor documentation.
"""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import get_template
from django.urls import reverse

from api.document import error_names, served_document
from api.errors import JSON
from api.wire import dumps

RESELLERS = "resellers"
SAMPLES = {"curl": "curl", "python": "Python", "powershell": "PowerShell"}


def _is_for_staff(request: HttpRequest) -> bool:
    return request.GET.get("for") != RESELLERS


def page(request: HttpRequest) -> HttpResponse:
    """The first call in three languages, and every call to read and to try out."""
    staff = _is_for_staff(request)
    context: dict[str, Any] = {
        "is_for_staff": staff,
        "document_url": reverse("api:document") + ("" if staff else f"?for={RESELLERS}"),
        "samples": _samples(request.build_absolute_uri("/").rstrip("/")),
    }
    return render(request, "api/docs_page.html", context)


def _samples(host: str) -> list[dict[str, str]]:
    """The first calls in the languages our readers write; samples are code, so quotes stay as they are."""
    return [
        {"name": name, "text": get_template(f"api/samples/{file}.txt").render({"host": host})}
        for file, name in SAMPLES.items()
    ]


def errors(request: HttpRequest) -> HttpResponse:
    """Every name of an error: the address that ``type`` of an answer in ``application/problem+json`` leads to."""
    names = error_names(staff=_is_for_staff(request))
    return render(request, "api/errors_page.html", {"errors": names})


def document(request: HttpRequest) -> HttpResponse:
    """The OpenAPI document of what is served at this host."""
    found = {
        **served_document(staff=_is_for_staff(request)),
        "servers": [{"url": request.build_absolute_uri("/")[:-1]}],
    }
    return HttpResponse(dumps(found), content_type=JSON)
