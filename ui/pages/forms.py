"""Forms and actions: one POST is one service call; what it refuses stands at its field."""

from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect

from core.errors import BusinessError, NotVisible, PermissionRefused
from ui.pages.base import Page


class FormPage(Page):
    """A form over one service: override ``load`` (the object, if any), ``initial``, ``perform`` and ``done_url``."""

    template_name = "ui/form_page.html"
    form_class: ClassVar[type[forms.Form]] = forms.Form
    intro: ClassVar[Any] = ""
    submit: ClassVar[Any] = ""
    success: ClassVar[Any] = ""
    is_danger: ClassVar[bool] = False

    object: Any = None

    def load(self, **kwargs: Any) -> Any:
        """The object of the address; None for a form that makes something new."""
        return None

    def initial(self) -> dict[str, Any]:
        """What stands in the fields at first."""
        return {}

    def form_kwargs(self) -> dict[str, Any]:
        """Further arguments of the form."""
        return {}

    def perform(self, form: Any) -> Any:
        """Call the one service; what it returns goes to ``done_url``."""
        raise LookupError(f"{type(self).__name__} performs nothing")

    def done_url(self, result: Any) -> str:
        """Where to go afterwards."""
        return self.cancel_url()

    def cancel_url(self) -> str:
        """Where to go without doing anything."""
        crumbs = self.crumbs()
        return crumbs[-1][1] if crumbs else "/"

    def make_form(self, data: Any = None, files: Any = None) -> forms.Form:
        """The form, bound or not."""
        return self.form_class(data, files, initial=self.initial(), **self.form_kwargs())

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Show the form."""
        self.object = self._loaded(**kwargs)
        return self.show(form=self.make_form(), object=self.object)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Check it, call the service, go on; or show what is wrong."""
        self.object = self._loaded(**kwargs)
        form = self.make_form(request.POST, request.FILES)
        if form.is_valid():
            try:
                result = self.perform(form)
            except (PermissionRefused, NotVisible):
                raise
            except BusinessError as error:
                self.refuse(form, error)
            else:
                if isinstance(result, HttpResponse):
                    return result
                if self.success:
                    messages.success(request, self.success_message(result))
                return redirect(self.done_url(result))
        return self.show(status=400, form=form, object=self.object)

    def _loaded(self, **kwargs: Any) -> Any:
        """The object, if its account's permission rule lets the actor do more than look; asked before the form."""
        found = self.load(**kwargs)
        self.demand_level(found)
        return found

    def refuse(self, form: forms.Form, error: BusinessError) -> None:
        """Write what the service refused to the fields it names (``context["fields"]`` or ``field``), or above all."""
        fields = error.context.get("fields")
        named = fields if isinstance(fields, dict) and fields else {error.field: error.message}
        for name, text in named.items():
            form.add_error(name if name in form.fields else None, str(text))

    def success_message(self, result: Any) -> str:
        """What is said when it worked."""
        return str(self.success)


class ActionPage(FormPage):
    """A question before a deed: GET says what will happen, POST does it. ``form_class`` may ask for a reason."""

    template_name = "ui/action_page.html"

    def consequences(self) -> list[str]:
        """What will happen, sentence by sentence."""
        return []

    def context(self) -> dict[str, Any]:
        """The sentences for the template."""
        return {"consequences": self.consequences()}
