"""A host name of the reseller's own for his storefront: ask for it, see what to set and what was found."""

from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import clock
from core.errors import BusinessError
from core.pfx import MAX_BYTES
from resellers.domain_rules import RECORD, DomainStatus, readable_host
from resellers.services.domain_certificate import own_certificate, upload_certificate, withdraw_certificate
from resellers.services.domains import (
    accepted_addresses,
    check_now,
    cname_target,
    own_domain,
    remove_domain,
    request_domain,
)
from resellers.site_models import SiteDomain
from ui.pages import ActionPage, FormPage, Page
from users.permissions import Perm


class DomainForm(forms.Form):
    """The host name as people type it."""

    host = forms.CharField(
        label=gettext_lazy("Host name"),
        max_length=300,
        help_text=gettext_lazy("Such as shop.example.com. Letters of every language are allowed."),
        widget=forms.TextInput(
            attrs={"autocapitalize": "none", "spellcheck": "false", "placeholder": "shop.example.com"}
        ),
    )


def _parts(domain: SiteDomain | None) -> dict[str, Any]:
    """What the page says about a domain."""
    if domain is None:
        return {"domain": None}
    due = domain.status != DomainStatus.FAILED and domain.next_check_at <= clock.now()
    return {
        "domain": domain,
        "shown_host": readable_host(domain.host),
        "record": f"{RECORD}.{domain.host}",
        "target": cname_target(),
        "addresses": accepted_addresses(),
        "is_checking": due,
        "own": own_certificate(domain),
        "states": [DomainStatus.VERIFYING, DomainStatus.CERTIFYING, DomainStatus.LIVE],
    }


class Domain(FormPage):
    """The domain of the own site, or the form for one."""

    perm = Perm.SHOP_SITE_MANAGE
    layout = "base_storefront.html"
    template_name = "storefront/domain_page.html"
    title = gettext_lazy("Your own domain")
    intro = gettext_lazy("Customers reach your storefront at a host name of yours, with a certificate we look after.")
    form_class = DomainForm
    submit = gettext_lazy("Go on")

    def load(self, **kwargs: Any) -> Any:
        """The domain there is; a second one is refused by the service."""
        return own_domain(self.actor)

    def context(self) -> dict[str, Any]:
        """What to set, and what was found."""
        return _parts(self.object)

    def perform(self, form: Any) -> object:
        """Call the service."""
        return request_domain(self.actor, host=form.cleaned_data["host"])

    def done_url(self, result: Any) -> str:
        """Back here, where the records stand."""
        return self.request.path


class DomainCheck(Page):
    """The state of the domain as a part of its page; a POST has the DNS asked at once."""

    perm = Perm.SHOP_SITE_MANAGE
    layout = "base_storefront.html"

    def get(self, request: HttpRequest) -> HttpResponseBase:
        """What is known now."""
        domain = own_domain(self.actor)
        if domain is None:
            raise Http404
        return render(request, "storefront/_domain_state.html", _parts(domain))

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """Ask now; the page goes on asking for the answer by itself."""
        domain = own_domain(self.actor)
        if domain is None:
            raise Http404
        refusal = ""
        try:
            domain = check_now(self.actor, domain=domain)
        except BusinessError as error:
            if not self.wants_part():
                raise
            refusal = str(error.message)
        if not self.wants_part():
            return redirect("storefront:domain")
        return render(request, "storefront/_domain_state.html", _parts(domain) | {"refusal": refusal})


class OfDomain(FormPage):
    """Something about the domain there is."""

    perm = Perm.SHOP_SITE_MANAGE
    layout = "base_storefront.html"
    back = (gettext_lazy("Your own domain"), "storefront:domain")

    def load(self, **kwargs: Any) -> Any:
        """The domain there is."""
        domain = own_domain(self.actor)
        if domain is None:
            raise Http404
        return domain


class DomainRemove(ActionPage, OfDomain):
    """Give the domain up."""

    title = gettext_lazy("Remove the domain")
    submit = gettext_lazy("Remove")
    success = gettext_lazy("The domain was removed.")
    is_danger = True

    def consequences(self) -> list[str]:
        """What will happen."""
        return [
            _("Your storefront is no longer reached at %(host)s.") % {"host": readable_host(self.object.host)},
            _("It is reached at its former address again, and people sign in anew."),
        ]

    def perform(self, form: Any) -> None:
        """Call the service."""
        remove_domain(self.actor, domain=self.object)


class CertificateForm(forms.Form):
    """A certificate's file and what opens it."""

    file = forms.FileField(
        label=gettext_lazy("PFX or PEM file"),
        help_text=gettext_lazy(
            "The certificate, its private key and the issuer's intermediate certificates in one file, up to 256 KB. "
            "The key is stored encrypted and never shown."
        ),
        widget=forms.ClearableFileInput({"accept": ".pfx,.p12,.pem,.crt,application/x-pkcs12,application/x-pem-file"}),
    )
    passphrase = forms.CharField(
        label=gettext_lazy("Passphrase"),
        required=False,
        strip=False,
        help_text=gettext_lazy("It opens the file once and is not stored. Empty for a PEM file that is not locked."),
        widget=forms.PasswordInput({"autocomplete": "off"}),
    )


class CertificateUpload(OfDomain):
    """An own certificate for the domain."""

    title = gettext_lazy("Your own certificate")
    intro = gettext_lazy("It is used instead of the one we fetch. You are mailed 14, 7 and 1 days before it ends.")
    form_class = CertificateForm
    submit = gettext_lazy("Use this certificate")
    success = gettext_lazy("The certificate is in use. Servers may take some minutes to show it.")

    def perform(self, form: Any) -> Any:
        """Call the service with the file's bytes, one more than allowed at most."""
        content = form.cleaned_data["file"].read(MAX_BYTES + 1)
        passphrase = form.cleaned_data["passphrase"]
        return upload_certificate(self.actor, domain=self.object, content=content, passphrase=passphrase)


class CertificateWithdraw(ActionPage, OfDomain):
    """Back to a certificate that is fetched."""

    title = gettext_lazy("Use a certificate that we fetch")
    success = gettext_lazy("Your own certificate is forgotten. Another one is fetched by itself.")

    def consequences(self) -> list[str]:
        """What will happen."""
        return [
            _("Your certificate and its key are erased here."),
            _("A new certificate is fetched and renewed by itself; visitors notice nothing."),
        ]

    def perform(self, form: Any) -> Any:
        """Call the service."""
        return withdraw_certificate(self.actor, domain=self.object)
