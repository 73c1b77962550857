"""How allauth fits into realms: no open sign-up, mails through our outbox, where to go after signing in."""

import uuid
from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _

from core import crypto
from notifications.services.compose import absolute, queue_mail
from resellers.enums import ViewingEnd
from resellers.middleware import VIEWING
from resellers.models import Organization, Site
from resellers.selectors import is_employee
from resellers.services.view_as import end_viewing

TEMPLATES = {
    "account/email/password_reset_key": "password_reset",
    "account/email/email_confirmation": "email_verification",
    "account/email/email_confirmation_signup": "email_verification",
}
STAFF_HOME = "/bss/"  # A door lies above this app, so it is named by its address.
LINKS = {"password_reset": "password_reset_url", "email_verification": "activate_url"}
NOTICES = {
    "mfa/email/totp_activated": _("Two-step sign-in was switched on."),
    "mfa/email/totp_deactivated": _("Two-step sign-in was switched off."),
    "mfa/email/recovery_codes_generated": _("New recovery codes were made."),
    "account/email/password_changed": _("Your password was changed."),
    "account/email/password_reset": _("Your password was set anew."),
    "account/email/password_set": _("Your password was set."),
}


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Local accounts: people come by invitation."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Nobody signs up by himself."""
        return False

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """Employees to the BSS, everybody else to the shop."""
        site: Site | None = getattr(request, "site", None)
        if site is not None and is_employee(request.user, site):
            return STAFF_HOME
        return reverse("storefront:home")

    def get_logout_redirect_url(self, request: HttpRequest) -> str:
        """Back to the shop's front page."""
        return reverse("storefront:home")

    def logout(self, request: HttpRequest) -> None:
        """Sign out; whoever looked at the storefront as a customer no longer does."""
        token = str(request.session.get(VIEWING, ""))
        if token:
            ip = request.META.get("REMOTE_ADDR", "")
            end_viewing(token, user_id=request.user.pk, end=ViewingEnd.SIGNED_OUT, ip=ip)
        super().logout(request)

    def is_safe_url(self, url: str | None) -> bool:
        """Only addresses of the very host that was asked: another shop's is as foreign as any."""
        request = context.request
        return url_has_allowed_host_and_scheme(url, {request.get_host()}, require_https=request.is_secure())

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Queue allauth's mails like all others; those with a link lose their text after sending."""
        organization = _organization(self.request)
        if organization is None:
            return
        template = TEMPLATES.get(template_prefix, "account_notice")
        link = str(context.get(LINKS.get(template, ""), ""))
        values = {"link": _on_site(self.request, link), "notice": NOTICES.get(template_prefix, "")}
        if template == "account_notice" and not values["notice"]:
            return
        queue_mail(
            template,
            organization=organization,
            site=getattr(self.request, "site", None),
            recipient=email,
            context=values,
            dedupe_key=f"{template_prefix}:{uuid.uuid4()}",
            language=str(getattr(context.get("user"), "language", "")),
            is_secret=bool(link),
        )


def _on_site(request: HttpRequest | None, link: str) -> str:
    """The link at the site's own address: the host a request names may be anybody's."""
    if not link:
        return ""
    parts = urlsplit(link)
    site: Site | None = getattr(request, "site", None)
    return absolute(f"{parts.path}?{parts.query}" if parts.query else parts.path, site)


def _organization(request: HttpRequest | None) -> Organization | None:
    site: Site | None = getattr(request, "site", None)
    return site.organization if site else Organization.objects.order_by("id").first()


class MFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Keeps second-factor secrets encrypted like every other stored secret."""

    def get_totp_issuer(self) -> str:
        """The shop's name in the authenticator app."""
        site: Site | None = getattr(context.request, "site", None)
        return site.name if site else "Storefront"

    def encrypt(self, text: str) -> str:
        """Encrypt a secret for the database."""
        return crypto.encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        """Read a stored secret."""
        return crypto.decrypt(encrypted_text)

    def get_totp_label(self, user: AbstractBaseUser) -> str:
        """The address, not the technical user name."""
        return str(getattr(user, "email", user))


def shown_as(user: AbstractBaseUser) -> str:
    """A user in allauth's sentences: by address, never by the technical name."""
    return str(getattr(user, "email", user))
