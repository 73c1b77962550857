"""Pages of sign-in that allauth does not have."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from sso.forms import AcceptForm
from sso.realm import request_realm
from sso.services.people import accept_invitation, open_invitation

INVITED = "sso_invitation"


def closed(request: HttpRequest, **_parameters: Any) -> HttpResponse:
    """Pages of allauth that this product does not offer: people come by invitation and keep their address."""
    raise Http404


@never_cache
def invitation_accept(request: HttpRequest, token: str) -> HttpResponse:
    """The link of an invitation: keeps its token in the session, out of addresses and logs."""
    if open_invitation(token, request_realm(request)) is None:
        return render(request, "sso/invitation_ended.html", status=410)
    request.session[INVITED] = token
    return redirect("sso:invitation_password")


@never_cache
@sensitive_post_parameters()
def invitation_password(request: HttpRequest) -> HttpResponse:
    """An invited person chooses his password; the link works once."""
    invitation = open_invitation(request.session.get(INVITED, ""), request_realm(request))
    if invitation is None:
        return render(request, "sso/invitation_ended.html", status=410)
    form = AcceptForm(request.POST or None, user=invitation.user)
    if request.method == "POST" and form.is_valid():
        accept_invitation(invitation, password=form.cleaned_data["password1"])
        del request.session[INVITED]
        messages.success(request, _("Your password is set. Sign in with it."))
        return redirect("account_login")
    context = {"form": form, "invitation": invitation}
    return render(request, "sso/invitation.html", context, status=400 if form.errors else 200)
