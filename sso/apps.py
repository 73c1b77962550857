"""Application configuration of ``sso``."""

from typing import Any

from django.apps import AppConfig
from django.contrib import admin


class SsoConfig(AppConfig):
    """Sign-in."""

    name = "sso"
    verbose_name = "Sign-in"

    def ready(self) -> None:
        """Close the way around our sign-in page, note a second step just set up, hear of ended plans."""
        # This module needs models, which are not there yet when this file is read.
        from allauth.account.decorators import secure_admin_login

        # So does this one.
        from allauth.mfa.signals import authenticator_added

        # This one, too.
        from notifications.services.events import listen

        # And this one.
        from sso.services.registration_ends import end_of_plan

        listen("plan.ended", end_of_plan)
        # Django admin's own form knows neither rate limits nor the second step, so it leads to the common page.
        admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]
        authenticator_added.connect(_remember_second_step, dispatch_uid="sso.second_step")


def _remember_second_step(request: Any, user: Any, authenticator: Any, **_other: Any) -> None:
    """Setting up the second factor shows it, so it is not asked for again in the same session."""
    # This module needs models, which are not there yet when this file is read.
    from allauth.account.internal.flows.login import record_authentication

    record_authentication(request, user, method="mfa", id=authenticator.pk, type=authenticator.type)
