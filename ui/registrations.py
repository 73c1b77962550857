"""What both doors show of registrations: list, one of them, the two decisions, and the settings."""

from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from resellers.enums import AccountKind
from sso.enums import RegistrationState
from sso.models import Registration
from sso.selectors import registrations_for
from sso.services.registration_decide import reject_registration
from ui.filters import Choice, Filter, Period
from ui.pages import Action, ActionPage, DetailPage, Fact, ListPage
from ui.tables import Column

KINDS = tuple((kind.value, kind.label) for kind in (AccountKind.END_CUSTOMER, AccountKind.DIRECT, AccountKind.RESELLER))


class RegistrationRows(ListPage):
    """Who asked to become a customer, newest first."""

    title = gettext_lazy("Registrations")
    intro = gettext_lazy(
        "Nobody has an account before you approve. Without an answer, requests are erased after 30 days."
    )
    selector = registrations_for
    columns = (
        Column(
            "company", gettext_lazy("Company"), "main", sort="company", sub="tax_id", sub_label=gettext_lazy("Tax ID")
        ),
        Column("person", gettext_lazy("Name"), sort="last_name", sub="email", sub_label=gettext_lazy("E-mail")),
        Column("get_kind_display", gettext_lazy("Kind"), sort="kind"),
        Column("country", gettext_lazy("Country"), sort="country"),
        Column("submitted_at", gettext_lazy("Asked"), "when", sort="submitted_at"),
        Column("state", gettext_lazy("State"), "status", sort="state"),
        Column("decided_by", gettext_lazy("Decided by"), sort="decided_by"),
        Column("phone", gettext_lazy("Phone"), in_files_only=True),
        Column("address_line1", gettext_lazy("Address"), in_files_only=True),
        Column("postal_code", gettext_lazy("Post code"), in_files_only=True),
        Column("city", gettext_lazy("City"), in_files_only=True),
    )
    filters: ClassVar[tuple[Filter, ...]] = (
        Choice("state", gettext_lazy("State"), "state", RegistrationState.choices),
        Choice("kind", gettext_lazy("Kind"), "kind", KINDS),
        Filter("country", gettext_lazy("Country"), "country"),
        Period("asked", gettext_lazy("Asked"), "submitted_at"),
    )
    search = ("company", "first_name", "last_name", "email")
    sort = "-pk"
    empty_icon = "users"
    empty_title = gettext_lazy("No registrations yet")


class RegistrationFacts(DetailPage):
    """One registration; ``page_of`` gives the address of a deed by its name."""

    selector = registrations_for
    status_field = "state"
    facts = (
        Fact("person", gettext_lazy("Name")),
        Fact("email", gettext_lazy("E-mail")),
        Fact("phone", gettext_lazy("Phone")),
        Fact("get_kind_display", gettext_lazy("Becomes")),
        Fact("address_line1", gettext_lazy("Address"), sub="address_line2"),
        Fact("postal_code", gettext_lazy("Post code")),
        Fact("city", gettext_lazy("City"), sub="region"),
        Fact("country", gettext_lazy("Country")),
        Fact("tax_id", gettext_lazy("Tax ID")),
        Fact("submitted_at", gettext_lazy("Asked"), "when"),
        Fact("expires_at", gettext_lazy("Erased without an answer on"), "date"),
        Fact("decided_by", gettext_lazy("Decided by")),
        Fact("decided_at", gettext_lazy("Decided"), "when"),
        Fact("activated_at", gettext_lazy("Activated"), "when"),
        Fact("ip", gettext_lazy("IP address"), "code"),
    )
    prefix: ClassVar[str] = ""

    def page_title(self) -> str:
        """The company, or that it was erased."""
        row: Registration = self.object
        return row.company or _("Erased registration")

    def shown_facts(self) -> list[Fact]:
        """What is known."""
        is_open = self.object.state in (RegistrationState.PENDING, RegistrationState.UNCONFIRMED)
        hidden = set() if is_open else {"expires_at"}
        return [fact for fact in self.facts if fact.raw(self.object) and fact.path not in hidden]

    def page_of(self, name: str) -> str:
        """The address of a deed."""
        raise LookupError(name)

    def actions(self, row: Registration) -> list[Action]:
        """Approve and reject, while it waits."""
        if row.state != RegistrationState.PENDING:
            return []
        return [
            Action(_("Approve"), self.page_of("approve"), "check", "primary"),
            Action(_("Reject"), self.page_of("reject"), "cross", "danger"),
        ]


class Decision(ActionPage):
    """A decision about a registration."""

    object: Registration

    def load(self, **kwargs: Any) -> Registration:
        """The registration of the address."""
        row: Registration = self.find(registrations_for(self.actor), kwargs["public_id"])
        return row


class ApproveDecision(Decision):
    """The applicant becomes a customer."""

    title = gettext_lazy("Approve registration")
    submit = gettext_lazy("Approve")
    success = gettext_lazy("Approved. The activation mail is on its way; its link works for 72 hours.")

    def consequences(self) -> list[str]:
        """Account, user, mail."""
        row = self.object
        return [
            _("%(company)s becomes: %(kind)s.") % {"company": row.company, "kind": row.get_kind_display()},
            _("%(person)s (%(email)s) becomes its Admin and gets an activation link by e-mail.")
            % {"person": row.person, "email": row.email},
        ]


class RejectDecision(Decision):
    """The applicant is told no, and forgotten."""

    title = gettext_lazy("Reject registration")
    submit = gettext_lazy("Reject and erase")
    success = gettext_lazy("Rejected. Everything about the applicant is erased, and a mail tells so.")
    is_danger = True

    def consequences(self) -> list[str]:
        """Mail and erasure."""
        row = self.object
        return [
            _("%(email)s is told by e-mail.") % {"email": row.email},
            _("Everything about %(company)s and %(person)s is erased; this cannot be undone.")
            % {"company": row.company, "person": row.person},
        ]

    def perform(self, form: Any) -> None:
        """Call the service."""
        reject_registration(self.actor, registration=self.object)


class SiteRegistrationForm(forms.Form):
    """Whether strangers may register, and whether somebody decides."""

    self_registration = forms.BooleanField(
        label=gettext_lazy("Self-registration"),
        required=False,
        help_text=gettext_lazy("A form on the sign-in page; on the home page too if visitors may look around."),
    )
    registration_approval = forms.BooleanField(
        label=gettext_lazy("Approval"),
        required=False,
        help_text=gettext_lazy("Somebody decides about each registration; without it, a link by e-mail is enough."),
    )
