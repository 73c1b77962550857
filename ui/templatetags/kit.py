"""Tags and filters of the page kit: fields, badges, icons, money, time."""

import datetime as dt
from decimal import Decimal
from typing import Any

from django import template
from django.forms import BoundField, CheckboxInput, CheckboxSelectMultiple, RadioSelect
from django.templatetags.static import static
from django.utils import formats, timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from core import clock
from core.audit_words import FIELDS
from core.words import TECHNICAL_WORDS, stored_words
from ui.art import initials, tile_art
from ui.icons import ICONS
from ui.tones import ICONS as TONE_ICONS
from ui.tones import tone_of

register = template.Library()


@register.simple_tag
def icon(name: str, label: str = "", size: str = "") -> SafeString:
    """An icon; decoration unless a label is given."""
    drawing = mark_safe(ICONS[name])  # noqa: S308 - constants of this project
    role = format_html('role="img" aria-label="{}"', label) if label else mark_safe('aria-hidden="true"')
    return format_html(
        '<svg class="icon{}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.8" '
        'stroke-linecap="round" stroke-linejoin="round" {}>{}</svg>',
        f" icon-{size}" if size else "",
        role,
        drawing,
    )


@register.simple_tag
def art(name: str, family: object = "") -> SafeString:
    """The drawn picture of a product."""
    return tile_art(name, str(family or ""))


register.filter("initials", initials)


@register.simple_tag
def badge(text: object, tone: str = "") -> SafeString:
    """A state as icon and word; the tone comes from the state's code unless it is given."""
    chosen = tone or tone_of(text)
    return format_html(
        '<span class="badge tone-{}">{}{}</span>', chosen, icon(TONE_ICONS.get(chosen, "dot")), str(text)
    )


@register.simple_tag
def status(row: Any, field: str = "status") -> SafeString:
    """The badge of a model's choice field."""
    code = getattr(row, field)
    display = getattr(row, f"get_{field}_display", None)
    return badge(display() if display else str(code).replace("_", " "), tone_of(code))


def format_money(amount: Decimal, currency: str) -> str:
    """An amount with its currency in the active language's form; two decimals, four if they matter."""
    value = Decimal(amount)
    places = 2 if value == value.quantize(Decimal("0.01")) else 4
    return f"{formats.number_format(value, decimal_pos=places, force_grouping=True)}\u00a0{currency}"


@register.simple_tag
def money(amount: Decimal | None, currency: str) -> SafeString:
    """An amount of money; a dash for none."""
    if amount is None:
        return mark_safe('<span class="muted">—</span>')
    return format_html('<span class="num">{}</span>', format_money(amount, currency))


@register.filter
def when(value: dt.datetime | dt.date | None) -> SafeString:
    """A time in the viewer's zone with UTC in the tip; a plain date for a date."""
    if value is None:
        return mark_safe('<span class="muted">—</span>')
    if not isinstance(value, dt.datetime):
        return format_html(
            '<time datetime="{}" class="nowrap">{}</time>', value.isoformat(), formats.date_format(value)
        )
    local = timezone.localtime(value)
    shown = f"{formats.date_format(local, 'DATE_FORMAT')}, {formats.time_format(local, 'TIME_FORMAT')}"
    title = f"{value.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S} UTC"
    return format_html('<time datetime="{}" title="{}" class="nowrap">{}</time>', value.isoformat(), title, shown)


@register.filter
def ago(value: dt.datetime | None) -> SafeString:
    """How long ago, or in how long, in one unit; the exact time in the tip."""
    if value is None:
        return mark_safe('<span class="muted">—</span>')
    seconds = int((clock.now() - value).total_seconds())
    amount = abs(seconds)
    if amount < 60:
        words = _("%(n)s s") % {"n": amount}
    elif amount < 3600:
        words = _("%(n)s min") % {"n": amount // 60}
    elif amount < 172_800:
        words = _("%(n)s h") % {"n": amount // 3600}
    else:
        words = ngettext("%(n)s day", "%(n)s days", amount // 86_400) % {"n": amount // 86_400}
    text = _("%(time)s ago") % {"time": words} if seconds >= 0 else _("in %(time)s") % {"time": words}
    title = f"{value.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S} UTC"
    return format_html('<time datetime="{}" title="{}" class="nowrap">{}</time>', value.isoformat(), title, text)


@register.filter
def left(value: dt.datetime | None) -> str:
    """What is left until a moment, in its two largest units: ``6 days 23 hours left``; empty for none."""
    if value is None:
        return ""
    minutes = int((value - clock.now()).total_seconds()) // 60
    if minutes < 0:
        return _("over")
    days, hours = divmod(minutes // 60, 24)
    day_words = ngettext("%(n)s day", "%(n)s days", days) % {"n": days}
    hour_words = ngettext("%(n)s hour", "%(n)s hours", hours) % {"n": hours}
    rest = ngettext("%(n)s minute", "%(n)s minutes", minutes % 60) % {"n": minutes % 60}
    words = (day_words, hour_words) if days else (hour_words, rest) if hours else (rest,)
    return _("%(time)s left") % {"time": " ".join(words)}


@register.filter
def in_utc(value: dt.datetime | None) -> str:
    """A moment to the minute in UTC, as vendors' deadlines are said: ``2026-11-28 10:43 UTC``; empty for none."""
    return f"{value.astimezone(dt.UTC):%Y-%m-%d %H:%M} UTC" if value else ""


@register.filter
def yes_no(value: object) -> SafeString:
    """A tick with the word, or a dash."""
    if value:
        return format_html('{}<span class="visually-hidden">{}</span>', icon("check"), _("Yes"))
    return format_html('<span class="muted" aria-label="{}">—</span>', _("No"))


@register.filter
def words(name: object) -> str:
    """A technical name as words: ``external_id`` becomes ``external id``."""
    known = TECHNICAL_WORDS.get(str(name)) or FIELDS.get(str(name))
    if known is not None:
        return str(known)
    return str(name).replace("_", " ").replace(".", " ").replace(":", " ")


@register.filter
def stored(text: object) -> str:
    """What was kept as a sentence, in the reader's language if it is one of ours."""
    return stored_words(str(text or ""))


@register.filter
def entries(value: object) -> list[object]:
    """The entries of a list in JSON; none for anything else."""
    return value if isinstance(value, list) else []


@register.filter
def in_words(value: object) -> str:
    """A piece of JSON for people: ``new: 3, changed: 1``; a long list as its number and its first entries."""
    if isinstance(value, dict):
        return ", ".join(f"{words(name)}: {in_words(item)}" for name, item in value.items()) or "—"
    if isinstance(value, list):
        shown = ", ".join(in_words(item) for item in value[:10])
        if len(value) <= 10:
            return shown or "—"
        return _("%(n)s: %(first)s …") % {"n": len(value), "first": shown}
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    return "—" if value in (None, "") else str(value)


def ident_of(bound: BoundField) -> str:
    """The id a field is found by: its control's, or its group's where several controls share one label."""
    return bound.id_for_label or bound.auto_id


@register.inclusion_tag("ui/field.html")
def field(bound: BoundField, wide: bool = False) -> dict[str, Any]:
    """One form field with label, help and errors wired for assistive technology."""
    widget = bound.field.widget
    ident = ident_of(bound)
    described = []
    if bound.help_text:
        described.append(f"{ident}_help")
    if bound.errors:
        described.append(f"{ident}_errors")
    extra: dict[str, str | bool] = {"aria-describedby": " ".join(described)} if described else {}
    if bound.errors:
        extra["aria-invalid"] = "true"
    return {
        "field": bound,
        "ident": ident,
        "control": bound.as_widget(attrs=extra),
        "is_check": isinstance(widget, CheckboxInput),
        "is_choices": isinstance(widget, RadioSelect | CheckboxSelectMultiple),
        "wide": wide or widget.__class__.__name__ in {"Textarea", "RadioSelect", "CheckboxSelectMultiple"},
        "suffix": widget.attrs.get("data-suffix", ""),
        "show_field": widget.attrs.get("data-show-field", ""),
        "show_value": widget.attrs.get("data-show-value", ""),
        "live_check": widget.attrs.get("data-live-check", ""),
    }


@register.inclusion_tag("ui/form.html")
def form_fields(form: Any) -> dict[str, Any]:
    """The error summary and every field of a form."""
    return {"form": form}


@register.inclusion_tag("ui/error_summary.html")
def error_summary(form: Any) -> dict[str, Any]:
    """All errors of a form at its top, each linked to its field."""
    rows = [(form[name].label, ident_of(form[name]), text) for name in form.errors if name in form.fields
            for text in form.errors[name]]  # fmt: skip
    return {"rows": rows, "general": form.non_field_errors()}


@register.simple_tag(takes_context=True)
def query(context: template.Context, **changes: object) -> str:
    """The page's query string with changes; None removes a key."""
    values = context["request"].GET.copy()
    for key, value in changes.items():
        if value is None:
            values.pop(key, None)
        else:
            values[key] = str(value)
    return f"?{values.urlencode()}"


@register.simple_tag
def bars(values: list[int], label: str = "") -> SafeString:
    """A small bar chart as SVG."""
    top = max([*values, 1])
    width = 100 / max(len(values), 1)
    drawn = "".join(
        f'<rect x="{i * width + width * 0.15:.2f}" y="{32 - v * 30 / top:.2f}" width="{width * 0.7:.2f}" '
        f'height="{v * 30 / top + 1:.2f}" fill="currentColor"/>'
        for i, v in enumerate(values)
    )
    return format_html(
        '<svg viewBox="0 0 100 33" preserveAspectRatio="none" role="img" aria-label="{}" height="33">{}</svg>',
        label,
        mark_safe(drawn),  # noqa: S308 - numbers only
    )


@register.filter
def style_names(names: str) -> list[str]:
    """The addresses of the style sheets, in their order."""
    return [static(f"ui/{name}.css") for name in names.split()]


@register.filter
def message_tone(level: str) -> str:
    """The tone of a message's level."""
    return {"error": "danger", "success": "success", "warning": "warning"}.get(level, "info")


@register.simple_tag
def tone_icon(tone: str) -> SafeString:
    """The icon that goes with a tone."""
    return icon({"warning": "warning", "info": "info"}.get(tone, TONE_ICONS.get(tone, "info")))


@register.filter
def unit(name: str) -> str:
    """What one piece is called, in the singular: vendors say "Licenses"."""
    known = {
        "licenses": pgettext("unit", "licence"),
        "license": pgettext("unit", "licence"),
        "users": pgettext("unit", "user"),
        "seats": pgettext("unit", "seat"),
    }
    return known.get(name.lower(), name.lower()) if name else pgettext("unit", "unit")
