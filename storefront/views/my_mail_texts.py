"""How a reseller's storefront words its mails: the list, and one mail in one language (``channel.md`` 12)."""

from itertools import groupby
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.errors import BusinessError, NotVisible, PermissionRefused
from notifications.services.mail_texts import (
    LANGUAGES,
    MAX_SUBJECT,
    MAX_TEXT,
    Worded,
    fields_of,
    own_texts,
    preview,
    reset_text,
    save_text,
    standard_text,
    text_of,
)
from notifications.services.mail_types import MAIL_TYPES, MailType
from notifications.services.site_mail import own_site
from resellers.site_models import SiteMailText
from ui.pages import FormPage
from ui.pages.base import Page
from users.permissions import Perm

LIST = (gettext_lazy("Mail texts"), "storefront:mail_texts")


class MailTexts(Page):
    """Every mail customers read, and in which languages it is worded here."""

    perm = Perm.SHOP_SITE_MANAGE
    layout = "base_storefront.html"
    template_name = "storefront/mail_texts.html"
    title = gettext_lazy("Mail texts")
    intro = gettext_lazy("What your customers read in their mails. What you do not word keeps the standard text.")
    back = (gettext_lazy("Mail settings"), "storefront:mail_settings")

    def get(self, request: HttpRequest) -> HttpResponseBase:
        """The mails by group."""
        own = {(row.template, row.language) for row in own_texts(self.actor)}
        rows = [
            (kind.group, kind, [(code, name, (kind.name, code) in own) for code, name in LANGUAGES.items()])
            for kind in MAIL_TYPES.values()
        ]
        return self.show(groups=[(words, list(part)) for words, part in groupby(rows, key=lambda row: row[0])])


class MailTextForm(forms.Form):
    """Subject and text."""

    subject = forms.CharField(label=gettext_lazy("Subject"), max_length=MAX_SUBJECT)
    text = forms.CharField(
        label=gettext_lazy("Text"),
        max_length=MAX_TEXT,
        widget=forms.Textarea(attrs={"rows": 14}),
        help_text=gettext_lazy(
            "An empty line begins a paragraph. **bold**, - entry of a list, [words](https://address). "
            "Your name stands above it; the button and your support address below."
        ),
    )


class MailTextEdit(FormPage):
    """One mail in one language: keep it, look at it first, or go back to the standard text."""

    perm = Perm.SHOP_SITE_MANAGE
    layout = "base_storefront.html"
    template_name = "storefront/mail_text.html"
    back = LIST
    form_class = MailTextForm
    success = gettext_lazy("Saved. The next mail of this kind has your text.")
    object: SiteMailText | None
    shown: Worded | None = None

    @property
    def kind(self) -> MailType:
        """The mail of the address."""
        found = MAIL_TYPES.get(self.kwargs["name"])
        if found is None or self.kwargs["language"] not in LANGUAGES:
            raise Http404
        return found

    @property
    def language(self) -> str:
        """The language of the address."""
        return str(self.kwargs["language"])

    def page_title(self) -> str:
        """Which mail."""
        return str(self.kind.label)

    def load(self, **kwargs: Any) -> SiteMailText | None:
        """The own text there is; the preview begins with what stands in the fields."""
        row = text_of(self.actor, self.kind, self.language)
        self.object = row
        first = self.initial()
        self.shown = preview(self.actor, kind=self.kind, language=self.language, **first)
        return row

    def initial(self) -> dict[str, Any]:
        """The own text, else the standard one."""
        if self.object is not None:
            return {"subject": self.object.subject, "text": self.object.text}
        subject, text = standard_text(self.kind, self.language)
        return {"subject": subject, "text": text}

    def context(self) -> dict[str, Any]:
        """The fields it may use, the other languages, and how it reads."""
        name = self.kind.name
        tabs = [(words, reverse("storefront:mail_text", args=[name, code]), code) for code, words in LANGUAGES.items()]
        return {
            "fields": fields_of(self.kind),
            "tabs": tabs,
            "language": self.language,
            "shown": self.shown,
            "shop": own_site(self.actor),
        }

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Save, show, or reset; the button says which."""
        deed = request.POST.get("deed", "")
        if deed == "reset":
            reset_text(self.actor, kind=self.kind, language=self.language)
            messages.success(request, _("The standard text is back."))
            return redirect(request.path)
        if deed != "preview":
            return super().post(request, *args, **kwargs)
        self.object = self._loaded(**kwargs)
        form: Any = self.make_form(request.POST)
        if form.is_valid():
            try:
                self.shown = preview(self.actor, kind=self.kind, language=self.language, **form.cleaned_data)
            except (PermissionRefused, NotVisible):
                raise
            except BusinessError as error:
                self.refuse(form, error)
        return self.show(status=400 if form.errors else 200, form=form, object=self.object)

    def perform(self, form: Any) -> SiteMailText:
        """Call the service."""
        return save_text(self.actor, kind=self.kind, language=self.language, **form.cleaned_data)

    def done_url(self, result: Any) -> str:
        """Back here, where it is shown."""
        return self.request.path
