"""The merge fields of a storefront's own mail texts, and how a text is filled with them (``channel.md`` 12).

A field is written ``{{ order.number }}``. It is looked up in a fixed table and never evaluated, so a text can reach
nothing else of what its mail knows. A text is marked up as :mod:`resellers.prose` has it and holds no HTML; what a
field brings is escaped, and nothing in it is taken for markup.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from resellers.prose import prose

PLACE = re.compile(r"\{\{\s*([a-z_.]{1,60})\s*\}\}")
_EMPTY = re.compile(r"<p>(?:\s|<br>)*</p>\n?")
_BOLD = re.compile(r"\*\*(?=\S)([^*\n]+?)\*\*")
_LINK = re.compile(r"\[([^\[\]\n]{1,200})\]\(([^()\s]{1,300})\)")
Values = Mapping[str, Any]


@dataclass(frozen=True)
class MailField:
    """A merge field: what it means, what the preview shows for it, and how it is read from a mail's values."""

    label: str | Promise
    sample: str | Promise
    read: Callable[[Values], Any]


def _path(path: str) -> Callable[[Values], Any]:
    """Reads an attribute of one of the values, empty if any part of the way is missing."""
    first, *rest = path.split(".")

    def read(values: Values) -> Any:
        found = values.get(first)
        for name in rest:
            found = getattr(found, name, None)
        return "" if found is None else found

    return read


def _day(path: str) -> Callable[[Values], str]:
    read = _path(path)

    def shown(values: Values) -> str:
        found = read(values)
        return date_format(found, "Y-m-d") if found else ""

    return shown


def _moment(values: Values) -> str:
    found = _path("subscription.first_activated_at")(values)
    return f"{found:%Y-%m-%d %H:%M} UTC" if found else ""


def _greeting(values: Values) -> str:
    name = values.get("first_name")
    return _("Hello %(name)s,") % {"name": name} if name else _("Hello,")


def _event(key: str) -> Callable[[Values], Any]:
    def read(values: Values) -> Any:
        return (values.get("event") or {}).get(key) or ""

    return read


def _lines(values: Values) -> str:
    order = values.get("order")
    return "\n".join(f"- {line.quantity} x {line.product_name}" for line in order.lines.all()) if order else ""


def _total(values: Values) -> str:
    """What the reader of the mail pays, as the order was handed to it; nothing where he reads no prices."""
    order = values.get("order")
    return f"{order.gross:.2f} {order.currency}" if order is not None and order.is_priced else ""


FIELDS: dict[str, MailField] = {
    "user.greeting": MailField(gettext_lazy("Greeting with the first name"), gettext_lazy("Hello Nia,"), _greeting),
    "user.first_name": MailField(gettext_lazy("First name of the reader"), "Nia", _path("first_name")),
    "user.invited_by": MailField(gettext_lazy("Who invited him"), "Ada Byron", _path("invited_by")),
    "account.name": MailField(
        gettext_lazy("Company"),
        "Elm Bakery",
        lambda values: _path("subscription.account.name")(values) or _path("company")(values),
    ),
    "site.name": MailField(gettext_lazy("Name of your storefront"), "Cedar Cloud", _path("brand_name")),
    "site.support_email": MailField(gettext_lazy("Your support address"), "help@cedar.example", _path("support_email")),
    "order.number": MailField(gettext_lazy("Number of the order"), "ORD-000123", _path("order.number")),
    "order.lines": MailField(gettext_lazy("What was ordered, line by line"), "- 5 x Team Suite", _lines),
    "order.total": MailField(gettext_lazy("Total with tax"), "118.80 EUR", _total),
    "order.reason": MailField(gettext_lazy("Reason, if one was given"), gettext_lazy("Too many"), _path("reason")),
    "subscription.name": MailField(gettext_lazy("Name of the service"), "Team Suite", _path("subscription.name")),
    "subscription.quantity": MailField(gettext_lazy("Licences"), "5", _path("subscription.quantity")),
    "subscription.plan": MailField(
        gettext_lazy("Plan"), gettext_lazy("1 year, billed monthly"), _path("subscription.plan.label")
    ),
    "subscription.renewal_date": MailField(gettext_lazy("Day of the renewal"), "2027-01-31", _day("renews_on")),
    "subscription.first_activation_date_time": MailField(
        gettext_lazy("First activation"), "2026-01-31 09:30 UTC", _moment
    ),
    "schedule.quantity": MailField(gettext_lazy("Licences from the renewal on"), "8", _path("schedule.quantity")),
    "schedule.plan": MailField(
        gettext_lazy("Plan from the renewal on"), gettext_lazy("1 year"), _path("schedule.plan.label")
    ),
    "request.what": MailField(gettext_lazy("What was asked for"), gettext_lazy("Cancel licences"), _path("what")),
    "request.count": MailField(gettext_lazy("How many"), "2", _event("count")),
    "request.reason": MailField(
        gettext_lazy("Reason, if one was given"),
        gettext_lazy("Too late"),
        lambda values: _event("reason")(values) or _path("reason")(values),
    ),
}


def places_of(text: str) -> list[str]:
    """The fields a text names, each once, in their order."""
    return list(dict.fromkeys(PLACE.findall(text)))


def wrong_places(text: str, allowed: Iterable[str]) -> list[str]:
    """What in a text looks like a field and is none of ``allowed``, as it stands there; empty if the text is right."""
    known = set(allowed)
    found = ["{{ %s }}" % name for name in places_of(text) if name not in known]  # noqa: UP031 - braces double in f-strings.
    rest = PLACE.sub("", text)
    return found + [sign for sign in ("{{", "}}", "{%", "%}") if sign in rest]


def samples() -> dict[str, str]:
    """What the preview shows in place of each field."""
    return {name: str(field.sample) for name, field in FIELDS.items()}


def found_in(values: Values) -> Callable[[str], str]:
    """Reads a field from what a mail knows."""
    return lambda name: str(FIELDS[name].read(values)) if name in FIELDS else ""


def filled_line(text: str, read: Callable[[str], str]) -> str:
    """A text of one line, such as a subject: no line breaks, whatever a field brings."""
    return " ".join(PLACE.sub(lambda found: read(found.group(1)), text).split())


def filled_text(text: str, read: Callable[[str], str]) -> str:
    """A text as the plain part of a mail: without the signs of the markup."""
    plain = _LINK.sub(r"\1 (\2)", _BOLD.sub(r"\1", re.sub(r"(?m)^#{1,4} ", "", text)))
    return PLACE.sub(lambda found: read(found.group(1)), plain)


def filled_html(text: str, read: Callable[[str], str]) -> SafeString:
    """A text as the HTML part of a mail. The markup is made first, so that what a field brings stays words."""
    marked = PLACE.sub(lambda found: escape(read(found.group(1))).replace("\n", "<br>"), prose(text))
    return mark_safe(_EMPTY.sub("", marked))  # noqa: S308 - prose escapes the text, each field is escaped above.
