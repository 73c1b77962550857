"""The mail account a reseller's storefront sends by (``channel.md`` 4.6)."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.errors import BusinessError, Conflict, NotVisible, PermissionRefused
from notifications.services.compose import absolute
from notifications.services.google_mail import consent_url, finish_consent
from notifications.services.site_mail import held_mails, mail_account, save_mail_account, send_test_mail
from resellers.site_models import MailKind, MailSecurity
from ui.pages import Action, FormPage
from ui.pages.base import Page
from users.permissions import Perm

SMTP_ONLY = {"data-show-field": "kind", "data-show-value": MailKind.SMTP.value}
OAUTH_ONLY = {"data-show-field": "kind", "data-show-value": f"{MailKind.GOOGLE.value}|{MailKind.OFFICE365.value}"}


class MailForm(forms.Form):
    """How the mail leaves; what is needed by each way is the service's rule."""

    kind = forms.ChoiceField(label=gettext_lazy("Way"), choices=MailKind.choices)
    name = forms.CharField(label=gettext_lazy("Account name"), max_length=100)
    address = forms.EmailField(label=gettext_lazy("Address"), max_length=254)
    server = forms.CharField(
        label=gettext_lazy("Server"), max_length=253, required=False, widget=forms.TextInput(attrs=SMTP_ONLY)
    )
    security = forms.ChoiceField(
        label=gettext_lazy("Security"),
        choices=MailSecurity.choices,
        initial=MailSecurity.STARTTLS,
        required=False,
        widget=forms.Select(attrs=SMTP_ONLY),
    )
    port = forms.IntegerField(
        label=gettext_lazy("Port"),
        min_value=1,
        max_value=65535,
        initial=587,
        required=False,
        widget=forms.NumberInput(attrs=SMTP_ONLY),
    )
    client_id = forms.CharField(
        label=gettext_lazy("Client ID"), max_length=100, required=False, widget=forms.TextInput(attrs=OAUTH_ONLY)
    )
    secret = forms.CharField(
        label=gettext_lazy("Password or client secret"),
        max_length=500,
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=gettext_lazy("Kept encrypted and never shown again. Leave it empty to keep the present one."),
    )


class MailSettings(FormPage):
    """Set the mail account, or try what was typed without keeping any of it."""

    perm = Perm.SHOP_SITE_MANAGE
    layout = "base_storefront.html"
    template_name = "storefront/mail_page.html"
    title = gettext_lazy("Mail settings")
    intro = gettext_lazy("Mails to your customers leave from your own address, through your own server.")
    form_class = MailForm

    def actions(self) -> list[Action]:
        """What the mails say."""
        return [Action(_("Mail texts"), reverse("storefront:mail_texts"), "edit")]

    def load(self, **kwargs: Any) -> Any:
        """The account there is."""
        return mail_account(self.actor)

    def initial(self) -> dict[str, Any]:
        """What is known; never the secret."""
        names = ("kind", "name", "address", "server", "security", "port", "client_id")
        return {name: getattr(self.object, name) for name in names} if self.object else {}

    def context(self) -> dict[str, Any]:
        """Whether mails wait for it."""
        return {
            "held": held_mails(self.actor),
            "is_set": self.object is not None,
            "is_google": self.object is not None and self.object.kind == MailKind.GOOGLE,
            "is_usable": self.object is not None and self.object.is_usable,
            "return_uri": return_uri(self.request),
        }

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Save, or send a test mail and show the form as it was typed."""
        if request.POST.get("deed") != "test":
            return super().post(request, *args, **kwargs)
        self.object = self._loaded()
        form: Any = self.make_form(request.POST)
        if form.is_valid():
            try:
                address = send_test_mail(self.actor, values=form.cleaned_data)
                messages.success(
                    request, _("A test mail is on its way to %(address)s. Nothing was saved.") % {"address": address}
                )
            except (PermissionRefused, NotVisible):
                raise
            except BusinessError as error:
                self.refuse(form, error)
        return self.show(status=400 if form.errors else 200, form=form, object=self.object)

    def perform(self, form: Any) -> object:
        """Call the service."""
        return save_mail_account(self.actor, values=form.cleaned_data)

    success = gettext_lazy("Saved.")

    def success_message(self, result: Any) -> str:
        """What happens next."""
        if result.is_usable:
            return _("Saved. Mails that waited are on their way.")
        return _("Saved. Connect it with Google now; mails wait until then.")

    def done_url(self, result: Any) -> str:
        """Back here."""
        return self.request.path


def return_uri(request: HttpRequest) -> str:
    """Where Google sends the mailbox's owner back to: at the storefront he is in, so that he is still signed in."""
    return absolute(reverse("storefront:mail_google_done"), getattr(request, "site", None))


class GoogleConsent(Page):
    """On to Google, where the mailbox's owner is asked."""

    perm = Perm.SHOP_SITE_MANAGE

    def get(self, request: HttpRequest) -> HttpResponseBase:
        """Google's page; back to the settings if they are not Gmail's."""
        try:
            return redirect(consent_url(self.actor, redirect_uri=return_uri(request)))
        except Conflict as error:
            messages.error(request, str(error.message))
            return redirect("storefront:mail_settings")


class GoogleDone(Page):
    """Back from Google, with a code or without."""

    perm = Perm.SHOP_SITE_MANAGE

    def get(self, request: HttpRequest) -> HttpResponseBase:
        """Keep the consent; what went wrong is said above the settings."""
        code, state = request.GET.get("code", ""), request.GET.get("state", "")
        try:
            if not code:
                raise BusinessError("mail_consent", _("Google was not allowed to. Nothing was changed."))
            row = finish_consent(self.actor, code=code, state=state, redirect_uri=return_uri(request))
            messages.success(request, _("%(address)s is connected.") % {"address": row.address})
        except (PermissionRefused, NotVisible):
            raise
        except BusinessError as error:
            messages.error(request, str(error.message))
        return redirect("storefront:mail_settings")
