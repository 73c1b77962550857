"""Self-registration: the form, what comes after it, and the link of the activation mail (``channel.md`` 4.5)."""

from typing import Any, cast

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from core.errors import BusinessError, NotVisible
from resellers.middleware import ActorRequest
from sso.enums import RegistrationState
from sso.register_forms import ConfirmForm, RegistrationForm
from sso.selectors import may_register
from sso.services.registration import confirm_registration, open_registration, submit_registration

ASKED = "sso_registered"
LINK = "sso_registration"


@never_cache
@sensitive_post_parameters()
def register(request: HttpRequest) -> HttpResponse:
    """The form; what comes after it looks the same whether the address is known or not."""
    acting = cast(ActorRequest, request)
    site = acting.site
    if site is None or not may_register(site):
        raise Http404
    if request.user.is_authenticated:
        return redirect("storefront:home")
    form = RegistrationForm(request.POST or None, site=site)
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            waits = _submit(acting, form.cleaned_data)
        except NotVisible as error:
            raise Http404 from error
        except BusinessError as error:
            form.add_error(error.field if error.field in form.fields else None, str(error.message))
            status = 429 if error.code == "too_many" else 200
        else:
            request.session[ASKED] = {"email": form.cleaned_data["email"], "waits": waits}
            return redirect("sso:registered")
    code = 400 if form.errors and status == 200 else status
    return render(request, "sso/register.html", {"form": form}, status=code)


def _submit(request: ActorRequest, data: dict[str, Any]) -> bool:
    values = data | {"is_reseller": data.get("reselling") == "yes", "terms": data["terms"] and data["privacy"]}
    site = request.site
    if site is None:
        raise Http404
    return submit_registration(
        request.actor,
        site=site,
        values=values,
        password=data["password1"],
        browser=request.headers.get("user-agent", ""),
        language=get_language() or "",
    )


@never_cache
def registered(request: HttpRequest) -> HttpResponse:
    """What happens next: a mail to open, or a person who decides."""
    asked = request.session.get(ASKED)
    if not asked:
        return redirect("account_login")
    return render(request, "sso/registered.html", asked)


@never_cache
def registration_open(request: HttpRequest, token: str) -> HttpResponse:
    """The link of the activation mail: keeps its token in the session, out of addresses and logs."""
    if open_registration(token, cast(ActorRequest, request).site) is None:
        return render(request, "sso/registration_ended.html", status=410)
    request.session[LINK] = token
    return redirect("sso:registration_confirm")


@never_cache
@sensitive_post_parameters()
def registration_confirm(request: HttpRequest) -> HttpResponse:
    """The chosen password makes the account the applicant's own; the link works once."""
    acting = cast(ActorRequest, request)
    token = str(request.session.get(LINK, ""))
    found, site = open_registration(token, acting.site), acting.site
    if found is None or site is None:
        return render(request, "sso/registration_ended.html", status=410)
    form = ConfirmForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            row = confirm_registration(acting.actor, site=site, token=token, password=form.cleaned_data["password"])
        except NotVisible:
            return render(request, "sso/registration_ended.html", status=410)
        except BusinessError as error:
            form.add_error(error.field if error.field in form.fields else None, str(error.message))
        else:
            del request.session[LINK]
            if row.state == RegistrationState.PENDING:
                request.session[ASKED] = {"email": row.email, "waits": True}
                return redirect("sso:registered")
            messages.success(request, _("Your account is active. Sign in with your e-mail address and password."))
            return redirect("account_login")
    context = {"form": form, "registration": found}
    return render(request, "sso/registration_confirm.html", context, status=400 if form.errors else 200)
