"""System Options > Custom fields: which there are; and filling them in for one object."""

from typing import Any, ClassVar

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bss.forms.custom_fields import FieldForm, NewFieldForm
from core.custom_fields import CustomField, Entity, FieldType, all_fields
from resellers.services.custom_fields import EDITABLE, STAFF_PERMS, archive_field, save_field
from ui.custom_pages import custom_pages
from ui.filters import Choice, Filter, Flag
from ui.pages import Action, ActionPage, FormPage, ListPage
from ui.tables import Column
from users.permissions import Perm

LIST = (gettext_lazy("Custom fields"), "bss:field_list")


class FieldList(ListPage):
    """The organization's custom fields, archived ones too."""

    perm = Perm.SYSTEM_OPTIONS
    title = gettext_lazy("Custom fields")
    intro = gettext_lazy("What you want to know about accounts, orders, services and products besides what is there.")
    selector = all_fields
    columns = (
        Column("name", gettext_lazy("Name"), "main", sort="name", sub="code", sub_label=gettext_lazy("Code")),
        Column("get_entity_display", gettext_lazy("For"), sort="entity"),
        Column("get_field_type_display", gettext_lazy("Type"), sort="field_type"),
        Column("group", gettext_lazy("Group"), sort="group"),
        Column("ordering", gettext_lazy("Ordering"), "number", sort="ordering", in_files_only=True),
        Column("is_required", gettext_lazy("Compulsory"), "flag", sort="is_required"),
        Column("is_search", gettext_lazy("Filter"), "flag", sort="is_search"),
        Column("shop_visible", gettext_lazy("Storefront"), "flag", sort="shop_visible"),
        Column("provisioning_code", gettext_lazy("API code"), "number", sort="provisioning_code"),
        Column("archived_at", gettext_lazy("Archived"), "date", sort="archived_at"),
    )
    filters: ClassVar[tuple[Filter, ...]] = (
        Choice("entity", gettext_lazy("For"), "entity", Entity.choices),
        Choice("type", gettext_lazy("Type"), "field_type", FieldType.choices),
        Flag("required", gettext_lazy("Compulsory"), "is_required"),
        Flag("shop", gettext_lazy("In the storefront"), "shop_visible"),
    )
    search = ("name", "code", "group")
    sort = "entity"
    empty_icon = "list"
    empty_title = gettext_lazy("No custom fields yet")
    empty_text = gettext_lazy("A field is shown on its objects' pages, in their files and, if you like, as a filter.")

    def row_url(self, row: Any) -> str:
        """The field."""
        return reverse("bss:field_edit", args=[row.public_id])

    def actions(self) -> list[Action]:
        """A new one."""
        return [Action(_("New field"), reverse("bss:field_new"), "plus", "primary")]


class FieldNew(FormPage):
    """A new field."""

    perm = Perm.SYSTEM_OPTIONS
    title = gettext_lazy("New field")
    back = LIST
    form_class = NewFieldForm
    success = gettext_lazy("Saved.")

    def perform(self, form: Any) -> CustomField:
        """Call the service."""
        data = dict(form.cleaned_data)
        entity, code = data.pop("entity"), data.pop("code")
        return save_field(self.actor, field=None, values=data, entity=entity, code=code)


class OfField(FormPage):
    """Something about one field."""

    perm = Perm.SYSTEM_OPTIONS
    back = LIST
    success = gettext_lazy("Saved.")

    def load(self, **kwargs: Any) -> CustomField:
        """The field of the address."""
        row: CustomField = self.find(all_fields(self.actor), kwargs["public_id"])
        return row


class FieldEdit(OfField):
    """A field's rules; from here it is also archived."""

    title = gettext_lazy("Custom field")
    template_name = "bss/custom_field_page.html"
    form_class = FieldForm

    def page_title(self) -> str:
        """Its name and for what."""
        return f"{self.object.name} ({self.object.get_entity_display()})"

    def initial(self) -> dict[str, Any]:
        """What is stored."""
        found = {name: getattr(self.object, name) for name in EDITABLE}
        default = self.object.default
        return found | {"default": ", ".join(default) if isinstance(default, list) else default}

    def form_kwargs(self) -> dict[str, Any]:
        """The ids of the list's entries, and whether there is a group to rename."""
        known = self.object.option_numbers
        ids = {text: known[text] for text in self.object.options}
        return {"ids": ids, "is_grouped": bool(self.object.group)}

    def perform(self, form: Any) -> CustomField:
        """Call the service."""
        return save_field(self.actor, field=self.object, values=form.cleaned_data)


class FieldArchive(OfField, ActionPage):
    """A field is no longer shown anywhere, or is again."""

    title = gettext_lazy("Archive field")
    is_danger = True

    def page_title(self) -> str:
        """Which way."""
        return _("Show field again") if self.object.archived_at else _("Archive field")

    def consequences(self) -> list[str]:
        """The values stay."""
        if self.object.archived_at:
            return [_("The field is shown again, with the values it had.")]
        return [_("The field disappears from all pages, filters and files."), _("Its values are kept.")]

    def perform(self, form: Any) -> CustomField:
        """Call the service."""
        return archive_field(self.actor, field=self.object, restore=self.object.archived_at is not None)


PAGES = custom_pages("bss", STAFF_PERMS)
