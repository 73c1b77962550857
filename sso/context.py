"""What every template knows about signing in: whether strangers may register here."""

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from sso.selectors import may_register


def registration(request: HttpRequest) -> dict[str, Any]:
    """``may_register``, reckoned only if a page asks."""
    return {"may_register": SimpleLazyObject(lambda: may_register(getattr(request, "site", None)))}
