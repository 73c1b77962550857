"""What a reverse proxy asks about a custom domain (``docs/channel-storefront.md``).

May this name have a certificate that is fetched on demand, and is there one that its owner uploaded.
"""

import hmac
import ipaddress

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_safe

from resellers.services.domain_certificate import served_pem
from resellers.services.domains import may_have_certificate


def _may_ask(request: HttpRequest) -> bool:
    """Whether the secret is right, or a proxy of this machine asks itself and not for somebody else."""
    if settings.TLS_ASK_SECRET:
        return _knows_secret(request)
    if "HTTP_X_FORWARDED_FOR" in request.META:
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


def _knows_secret(request: HttpRequest) -> bool:
    given = request.GET.get("secret", "")
    return bool(settings.TLS_ASK_SECRET) and hmac.compare_digest(given.encode(), settings.TLS_ASK_SECRET.encode())


@require_safe
@never_cache
def allowed(request: HttpRequest) -> HttpResponse:
    """200 for a verified custom domain, 404 for anything else and for whoever may not ask."""
    known = _may_ask(request) and may_have_certificate(request.GET.get("domain", "")[:253])
    return HttpResponse("yes\n" if known else "no\n", status=200 if known else 404, content_type="text/plain")


@require_GET
@never_cache
def certificate(request: HttpRequest) -> HttpResponse:
    """Chain and key that the owner of ``server_name`` uploaded, as PEM; 204 if the proxy is to fetch one itself.

    Keys are given to whoever knows ``TLS_ASK_SECRET`` and to nobody else, not even to this machine; 404 without it.
    Source: https://caddyserver.com/docs/caddyfile/directives/tls#http
    """
    if not _knows_secret(request):
        return HttpResponse("no\n", status=404, content_type="text/plain")
    pem = served_pem(request.GET.get("server_name", "")[:253])
    return HttpResponse(pem, status=200 if pem else 204, content_type="application/x-pem-file")
