"""What all pages share: who may open them, and that undeclared means refused."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, cast

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import ImproperlyConfigured
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.generic import View
from django_htmx.http import HttpResponseClientRedirect

from core.errors import PermissionRefused
from core.tenancy import Actor, read_only_words
from resellers.middleware import ActorRequest


@dataclass(frozen=True)
class Action:
    """Something that can be done from a page; ``reason`` says why it is not possible now.

    ``only_reads`` marks what changes nothing, so that a permission rule that lets one look allows it too.
    """

    label: Any
    url: str
    icon: str = ""
    tone: str = ""
    reason: str = ""
    is_post: bool = False
    only_reads: bool = False

    @property
    def css(self) -> str:
        """The button's class."""
        return {"primary": "button-primary", "danger": "button-danger"}.get(self.tone, "")


class Page(View):
    """A page of a door. ``perm`` must be declared; ``layout`` is the door's template.

    ``level`` is what the permission rule of an object's account must give for a POST: "read" if that changes nothing.
    """

    perm: ClassVar[str] = ""
    level: ClassVar[str] = "edit"
    layout: ClassVar[str] = "base_bss.html"
    template_name: ClassVar[str] = ""
    title: ClassVar[Any] = ""
    back: ClassVar[tuple[Any, str] | None] = None

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Callable[..., HttpResponseBase]:
        """The view; a page without a permission is a mistake that is found at start."""
        if not (initkwargs.get("perm") or cls.perm):
            raise ImproperlyConfigured(f"{cls.__name__} declares no permission.")
        return super().as_view(**initkwargs)

    @property
    def actor(self) -> Actor:
        """Who looks."""
        return cast(ActorRequest, self.request).actor

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Let in who may; send visitors to sign in."""
        actor = self.actor
        if actor.is_anonymous:
            if actor.user_id:
                raise PermissionRefused("not_yours", _("Your login is not for this part."))
            away = redirect_to_login(request.get_full_path())
            # A redirect would be followed by htmx, and the sign-in page would stand inside the old one.
            return HttpResponseClientRedirect(away.url) if self.wants_part() else away
        actor.require(self.perm)
        return super().dispatch(request, *args, **kwargs)

    def find(self, rows: Any, public_id: object) -> Any:
        """The row if the actor may see it; missing and foreign are the same 404."""
        row = rows.get_visible(self.actor, public_id)
        if row is None:
            raise Http404
        if self.request.method == "POST":
            self.demand_level(row)
        return row

    def demand_level(self, row: object) -> None:
        """Refuse who may only look at the account of ``row``, unless the page changes nothing."""
        if not self.actor.may_touch(row, self.level):
            raise PermissionRefused("rule_level", read_only_words())

    def wants_part(self) -> bool:
        """Whether htmx asks for the moving part alone; going back in the browser's history needs the whole page."""
        asked = self.request.headers
        whole = asked.get("HX-Boosted") or asked.get("HX-History-Restore-Request")
        return bool(asked.get("HX-Request")) and not whole

    def page_title(self) -> str:
        """The heading."""
        return str(self.title)

    def crumbs(self) -> list[tuple[str, str]]:
        """Where this page belongs, as (label, address)."""
        return [(str(self.back[0]), reverse(self.back[1]))] if self.back else []

    def context(self) -> dict[str, Any]:
        """What the template gets besides the page itself."""
        return {}

    def show(self, status: int = 200, **extra: Any) -> HttpResponseBase:
        """Render the page."""
        base = {"page": self, "layout": self.layout, "heading": self.page_title(), "crumbs": self.crumbs()}
        return render(self.request, self.template_name, base | self.context() | extra, status=status)
