"""What answers below ``/api/`` where nothing is: 404 in the API's form, without asking who it is."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from api.errors import ApiError, error_response


@csrf_exempt
def nothing(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
    """No such address."""
    return error_response(request, ApiError(404))
