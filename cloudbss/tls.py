"""What a reverse proxy with certificates on demand asks: may this name have one (``docs/channel-storefront.md``)."""

import hmac
import ipaddress

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from resellers.services.domains import may_have_certificate


def _may_ask(request: HttpRequest) -> bool:
    """Whether the secret is right, or a proxy of this machine asks itself and not for somebody else."""
    given = request.GET.get("secret", "")
    if settings.TLS_ASK_SECRET:
        return hmac.compare_digest(given.encode(), settings.TLS_ASK_SECRET.encode())
    if "HTTP_X_FORWARDED_FOR" in request.META:
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


@require_safe
@never_cache
def allowed(request: HttpRequest) -> HttpResponse:
    """200 for a verified custom domain, 404 for anything else and for whoever may not ask."""
    known = _may_ask(request) and may_have_certificate(request.GET.get("domain", "")[:253])
    return HttpResponse("yes\n" if known else "no\n", status=200 if known else 404, content_type="text/plain")
