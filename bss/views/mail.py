"""Outgoing mail: what was written to whom, and whether it has left."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from notifications.models import MailState, OutgoingMail
from notifications.selectors import mail_text, mails_for, template_choices
from ui.filters import Choice, Filter, Period
from ui.pages import DetailPage, Fact, ListPage
from ui.tables import Column
from users.permissions import Perm


class MailList(ListPage):
    """Every mail of the organization, newest first."""

    perm = Perm.MAIL_VIEW
    title = _("Outgoing mail")
    selector = mails_for
    columns = (
        Column("subject", _("Subject"), "main", sort="subject"),
        Column("recipient", _("To"), sort="recipient", sub="account.name", sub_label=_("Account")),
        Column("template", _("Kind"), show=lambda row: row.template.replace("_", " "), sort="template"),
        Column("state", _("State"), "status", sort="state"),
        Column("created_at", _("Written"), "when", sort="created_at"),
        Column("sent_at", _("Sent"), "ago", sort="sent_at"),
    )
    filters = (
        Choice("state", _("State"), "state", MailState.choices),
        Choice("template", _("Kind"), "template", template_choices),
        Filter("to", _("To"), "recipient"),
        Filter("account", _("Account"), "account__name"),
        Period("written", _("Written"), "created_at"),
    )
    search = ("recipient", "subject", "account__name")
    sort = "-pk"
    empty_icon = "mail"
    empty_title = _("No mail yet")
    empty_text = _("Orders, invitations and vendors' answers write mails; they appear here.")

    def row_url(self, row: Any) -> str:
        """The mail."""
        return reverse("bss:mail_detail", args=[row.public_id])


class MailDetail(DetailPage):
    """One mail with its text, unless it holds a personal link."""

    perm = Perm.MAIL_VIEW
    selector = mails_for
    status_field = "state"
    back = (_("Outgoing mail"), "bss:mail_list")
    facts = (
        Fact("recipient", _("To"), sub="account.name"),
        Fact("sender", _("From")),
        Fact("template", _("Kind"), show=lambda row: row.template.replace("_", " ")),
        Fact("created_at", _("Written"), "when"),
        Fact("sent_at", _("Sent"), "when"),
        Fact("attempts", _("Attempts"), "number"),
    )
    parts = ("bss/_mail_text.html",)

    def context(self) -> dict[str, Any]:
        """The text, if it may be read."""
        row: OutgoingMail = self.object
        return {"text": mail_text(self.actor, row)}
