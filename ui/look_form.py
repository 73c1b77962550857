"""The form of a storefront's look, for both doors: a reseller's own site and the organization's."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from core.contrast import DEFAULT
from resellers.look import CHOICES, IMAGES, TEXTS, Look, Section

PICTURES = "image/png,image/jpeg,image/webp"
LABELS: dict[str, Any] = {
    "name": _("Company name"),
    "tagline": _("Headline"),
    "introduction": _("Text below it"),
    "hero_button": _("Words on the button"),
    "hero_link": _("Where the button leads"),
    "hero_image": _("Picture"),
    "categories_title": _("Heading"),
    "featured_title": _("Heading"),
    "new_title": _("Heading"),
    "text_title": _("Heading"),
    "text_body": _("Text"),
    "text_image": _("Picture"),
    "banner_title": _("Heading"),
    "banner_text": _("Text"),
    "banner_button": _("Words on the button"),
    "banner_link": _("Where the button leads"),
    "banner_image": _("Picture"),
    "footer_text": _("Text in the footer"),
    "support_phone": _("Support phone"),
    "terms": _("Terms of use"),
    "privacy": _("Privacy notice"),
    "logo": _("Logo"),
    "favicon": _("Icon in the browser's tab"),
    "skin": _("Skin"),
    "font": _("Letters"),
    "scheme": _("Light or dark"),
}
HELP: dict[str, Any] = {
    "logo": _("PNG, JPEG or WebP, at most 512 KB. A transparent PNG looks best."),
    "favicon": _("A square picture; without one, your first letter in your colour."),
    "hero_link": _("A path such as /products/ or an https address. Empty: the catalogue."),
    "terms": _("An empty line makes a paragraph, ## a heading, - a list. New terms are asked at the next order."),
    "text_body": _("Empty lines make paragraphs, ## a heading, - a list, **bold**, [words](https://address)."),
}
SECTION_FIELDS = {
    Section.HERO.value: ["tagline", "introduction", "hero_button", "hero_link", "hero_image"],
    Section.CATEGORIES.value: ["categories_title"],
    Section.FEATURED.value: ["featured_title"],
    Section.NEW.value: ["new_title"],
    Section.TEXT.value: ["text_title", "text_body", "text_image"],
    Section.BANNER.value: ["banner_title", "banner_text", "banner_button", "banner_link", "banner_image"],
    Section.PROMISES.value: [],
}


class LookForm(forms.Form):
    """Every value of a look; only the shape is checked here, the rules are those of :mod:`resellers.look`."""

    brand_color = forms.CharField(label=_("Your colour"), widget=forms.TextInput(attrs={"type": "color"}))
    accent_color = forms.CharField(label=_("Second colour"), widget=forms.TextInput(attrs={"type": "color"}))
    support_email = forms.CharField(
        label=_("Support e-mail"), max_length=254, required=False, widget=forms.EmailInput()
    )
    footer_links = forms.CharField(
        label=_("Links in the footer"),
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("One a line: Imprint | https://example.com/imprint"),
    )
    languages = forms.MultipleChoiceField(
        label=_("Languages"),
        choices=settings.LANGUAGES,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("None chosen: all of them."),
    )
    analytics_id = forms.CharField(
        label=_("Google Analytics"),
        max_length=40,
        required=False,
        help_text=_("The measurement ID, such as G-AB12CD34EF. It is loaded only for visitors who agree."),
    )

    hero_link = forms.CharField(label=LABELS["hero_link"], required=False, max_length=300, help_text=HELP["hero_link"])
    banner_link = forms.CharField(label=LABELS["banner_link"], required=False, max_length=300)

    def __init__(self, data: Any = None, files: Any = None, *, look: Look) -> None:
        super().__init__(data, files, initial=_initial(look))
        for name, limit in TEXTS.items():
            self.fields[name] = _text_field(name, limit)
        for name, choices in CHOICES.items():
            self.fields[name] = forms.ChoiceField(label=LABELS[name], choices=choices.choices)
        for name in IMAGES:
            self.fields[name] = forms.FileField(
                label=LABELS[name],
                required=False,
                help_text=HELP.get(name, ""),
                widget=forms.FileInput(attrs={"accept": PICTURES}),
            )
            self.fields[f"{name}_clear"] = forms.BooleanField(label=_("Remove the picture"), required=False)
        for place, (name, _shown) in enumerate(look["sections"], 1):
            self.fields[f"on_{name}"] = forms.BooleanField(label=_("Show"), required=False)
            self.fields[f"at_{name}"] = forms.IntegerField(
                label=_("Place"), min_value=1, max_value=99, initial=place, required=False
            )
        self.look = look

    def values(self) -> Look:
        """What was typed, as a look; pictures are among them only where they are taken away."""
        data = dict(self.cleaned_data)
        order = sorted(Section.values, key=lambda name: (data[f"at_{name}"] or 99, self._place(name)))
        found: Look = {
            name: value
            for name, value in data.items()
            if not name.startswith(("on_", "at_")) and not name.endswith("_clear") and name not in IMAGES
        }
        found["sections"] = [[name, data[f"on_{name}"]] for name in order]
        return found | {name: "" for name in IMAGES if data[f"{name}_clear"]}

    def pictures(self) -> dict[str, bytes]:
        """The uploaded pictures by their field; what is far too large is not read at all."""
        files = {name: self.cleaned_data[name] for name in IMAGES if self.cleaned_data.get(name)}
        return {name: file.read(1024 * 1024) for name, file in files.items()}

    def _place(self, name: str) -> int:
        return [item[0] for item in self.look["sections"]].index(name)

    def section_rows(self) -> Iterator[dict[str, Any]]:
        """The sections in their order, each with its switch, its place and its own fields."""
        for name, _shown in self.look["sections"]:
            yield {
                "name": name,
                "label": Section(name).label,
                "on": self[f"on_{name}"],
                "at": self[f"at_{name}"],
                "fields": self.cells(SECTION_FIELDS[name]),
                "has_errors": any(field in self.errors for field in SECTION_FIELDS[name]) if self.is_bound else False,
            }

    def cells(self, names: list[str]) -> list[dict[str, Any]]:
        """Fields for the template; a picture's with the one there is and the box to remove it."""
        return [
            {
                "bound": self[name],
                "image": self.look[name] if name in IMAGES else "",
                "clear": self[f"{name}_clear"] if name in IMAGES else None,
                "place": name,
            }
            for name in names
        ]

    def brand_cells(self) -> list[dict[str, Any]]:
        """What makes the brand."""
        return self.cells(["name", "logo", "favicon", "brand_color", "accent_color", "skin", "font", "scheme"])

    def picture_cells(self) -> list[dict[str, Any]]:
        """The pictures."""
        return self.cells(list(IMAGES))

    def contact_cells(self) -> list[dict[str, Any]]:
        """Footer and help."""
        return self.cells(["support_email", "support_phone", "footer_text", "footer_links"])

    def legal_cells(self) -> list[dict[str, Any]]:
        """What visitors agree to."""
        return self.cells(["terms", "privacy"])

    def visitor_cells(self) -> list[dict[str, Any]]:
        """Languages and measuring."""
        return self.cells(["languages", "analytics_id"])


def _text_field(name: str, limit: int) -> forms.CharField:
    rows = 12 if limit > 5000 else 4 if limit > 300 else 0
    return forms.CharField(
        label=LABELS[name],
        max_length=limit,
        required=name == "name",
        help_text=HELP.get(name, ""),
        widget=forms.Textarea(attrs={"rows": rows}) if rows else forms.TextInput(),
    )


def _initial(look: Look) -> dict[str, Any]:
    values: dict[str, Any] = {name: value for name, value in look.items() if name not in IMAGES}
    values["brand_color"] = look["brand_color"] or DEFAULT
    values["accent_color"] = look["accent_color"] or values["brand_color"]
    values["footer_links"] = "\n".join(f"{words} | {link}" for words, link in look["footer_links"])
    return values | {f"on_{name}": shown for name, shown in look["sections"]}
