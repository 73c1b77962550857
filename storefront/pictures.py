"""Kept pictures as answers of a shop."""

from django.http import HttpResponse


def picture_response(data: bytes | memoryview, content_type: str) -> HttpResponse:
    """A picture and nothing else: whatever a browser takes it for, it may load and run nothing."""
    response = HttpResponse(bytes(data), content_type=content_type)
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
