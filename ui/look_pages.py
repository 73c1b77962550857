"""The editor of a storefront's look, for both doors: form and live preview, history, and going back."""

from typing import Any, ClassVar

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.contrast import colour_note
from core.errors import BusinessError, NotVisible, PermissionRefused
from resellers.models import Site
from resellers.services.design import (
    designs_of,
    discard_draft,
    draft_of,
    edited_look,
    preview_token,
    publish_design,
    restore_design,
    save_draft,
    site_to_design,
)
from ui.look_form import LookForm
from ui.pages import ActionPage, Page


class LookEditor(Page):
    """Form on the left, the draft's home page on the right; what is typed is kept as the draft at once."""

    template_name = "ui/look_page.html"
    title = gettext_lazy("Look and feel")
    door: ClassVar[str] = ""

    def url(self, name: str, **kwargs: Any) -> str:
        """An address of the editor in its door."""
        return reverse(f"{self.door}:{name}", kwargs=kwargs)

    def get(self, request: HttpRequest) -> HttpResponseBase:
        """Show the draft, or what is live."""
        site = site_to_design(self.actor)
        return self.show(**self._parts(site, LookForm(look=edited_look(self.actor, site))))

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """Keep the draft, publish it, or forget it: the button says which; htmx gets the state alone."""
        site = site_to_design(self.actor)
        deed = request.POST.get("deed", "")
        if deed == "discard":
            discard_draft(self.actor, site=site)
            messages.success(request, _("The draft is gone; the storefront stays as it is."))
            return redirect(request.path)
        form = LookForm(request.POST, request.FILES, look=edited_look(self.actor, site))
        saved = form.is_valid() and self._done(form, site, deed)
        if self.wants_part():
            return self._state(site, form, saved=saved)
        if saved:
            return redirect(request.path)
        return self.show(status=400, **self._parts(site, form))

    def _done(self, form: LookForm, site: Site, deed: str) -> bool:
        """Whether the service took it; what it refused stands at the fields."""
        try:
            if deed == "publish":
                design = publish_design(self.actor, site=site, values=form.values(), files=form.pictures())
                words = _("Version %(n)s is live. Pages may take some seconds to show it.") % {"n": design.number}
                messages.success(self.request, words)
            else:
                save_draft(self.actor, site=site, values=form.values(), files=form.pictures())
        except (PermissionRefused, NotVisible):
            raise
        except BusinessError as error:
            fields = error.context.get("fields")
            for name, text in (fields if isinstance(fields, dict) else {None: error.message}).items():
                form.add_error(name if name in form.fields else None, str(text))
            return False
        return True

    def _state(self, site: Site, form: LookForm, *, saved: bool) -> HttpResponse:
        """What changes beside the form after an edit: what is wrong, notes on colours, and the pictures."""
        context = self._parts(site, form if not saved else LookForm(look=edited_look(self.actor, site)))
        response = render(self.request, "ui/_look_state.html", context | {"saved": saved, "errors_of": form})
        if saved:
            response["HX-Trigger"] = "look-saved"
        return response

    def _parts(self, site: Site, form: LookForm) -> dict[str, Any]:
        draft = draft_of(self.actor, site)
        look = form.look
        notes = [note for name in ("brand_color", "accent_color") if (note := colour_note(look[name]))]
        return {
            "form": form,
            "edited": site,
            "draft": draft,
            "notes": notes,
            "versions": list(designs_of(self.actor, site)),
            "preview_url": reverse("storefront:preview", args=[preview_token(self.actor, site=site)]),
            "restore_name": f"{self.door}:design_restore",
        }


class LookRestore(ActionPage):
    """Back to a former version."""

    door: ClassVar[str] = ""
    title = gettext_lazy("Bring back this version")
    submit = gettext_lazy("Publish it again")
    success = gettext_lazy("The former version is live again.")

    def load(self, **kwargs: Any) -> Any:
        """The version of the address, of the own site."""
        return self.find(designs_of(self.actor, site_to_design(self.actor)), kwargs["public_id"])

    def page_title(self) -> str:
        """Which version."""
        return _("Bring back version %(n)s") % {"n": self.object.number}

    def context(self) -> dict[str, Any]:
        """The sentences; the version itself has no name to show."""
        return {"object": None, "consequences": self.consequences()}

    def consequences(self) -> list[str]:
        """What will happen."""
        return [
            _("The storefront looks as in version %(n)s again, for everybody.") % {"n": self.object.number},
            _("It becomes a new version; the present one is kept. A draft is lost."),
            _("If its terms or privacy notice differ, buyers are asked at their next order."),
        ]

    def cancel_url(self) -> str:
        """Back to the editor."""
        return reverse(f"{self.door}:design")

    def perform(self, form: Any) -> object:
        """Call the service."""
        return restore_design(self.actor, site=site_to_design(self.actor), number=self.object.number)
