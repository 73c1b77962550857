"""Which mails of a storefront its owner may word himself, with the fields and the text he begins with (4.6, 12).

These are the mails his customers read. Every text is followed by the mail's button, which carries its link: a personal
link is never part of a text, so that nobody can lose it.
"""

from dataclasses import dataclass, field

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

GREETING = "{{ user.greeting }}"
SITE = ("site.name", "site.support_email")
PERSON = ("user.greeting", "user.first_name")
ORDER = (*PERSON, "order.number", "order.lines", "order.total", *SITE)
SERVICE = (*PERSON, "subscription.name", "subscription.quantity", "subscription.plan", "account.name", *SITE)
RENEWAL = (*SERVICE[:-2], "subscription.renewal_date", *SITE)
REQUEST = (*SERVICE[:-2], "request.what", "request.count", *SITE)
APPLICANT = (*PERSON, "account.name", *SITE)

ORDERS, SERVICES, ACCESS = _("Orders"), _("Services"), _("Access and registration")


@dataclass(frozen=True)
class MailType:
    """One mail: its template, how it is called, its fields, the text to begin with, and where its button leads.

    ``link`` is the name of the value with the address, empty for a mail without a button.
    """

    name: str
    group: Promise
    label: Promise
    fields: tuple[str, ...]
    subject: Promise
    words: tuple[str | Promise, ...]
    link: str = "link"
    button: Promise = field(default=_("Open the service"))

    def starter(self) -> str:
        """The text to begin with, in the present language."""
        return "\n\n".join([GREETING, *(str(part) for part in self.words)])


def _order(name: str, label: Promise, subject: Promise, *words: str | Promise, more: tuple[str, ...] = ()) -> MailType:
    fields = (*ORDER[:-2], *more, *SITE)
    return MailType(name, ORDERS, label, fields, subject, words, "order_url", _("Follow your order"))


def _service(
    name: str, label: Promise, subject: Promise, *words: str | Promise, fields: tuple[str, ...] = SERVICE
) -> MailType:
    return MailType(name, SERVICES, label, fields, subject, words)


_LINES, _TOTAL = "{{ order.lines }}", _("Total: {{ order.total }} with tax, for the first billing period.")

_ORDERS = (
    _order(
        "order_placed",
        _("Order submitted"),
        _("We have your order {{ order.number }}"),
        _("Thank you. We have your order {{ order.number }} and set it up now."),
        _LINES,
        _TOTAL,
    ),
    _order(
        "order_pending",
        _("Order pending approval"),
        _("Your order {{ order.number }} waits for approval"),
        _("We have your order {{ order.number }}. You hear from us as soon as it is approved."),
        _LINES,
        _TOTAL,
    ),
    _order(
        "order_approved",
        _("Order approved"),
        _("Your order {{ order.number }} is approved"),
        _("Your order {{ order.number }} is approved and goes on now."),
        _LINES,
        _TOTAL,
    ),
    _order(
        "order_rejected",
        _("Order rejected"),
        _("Your order {{ order.number }} was not approved"),
        _("Your order {{ order.number }} was not approved. Nothing was set up, and nothing is charged."),
        "{{ order.reason }}",
        _LINES,
        more=("order.reason",),
    ),
    _order(
        "order_cancelled",
        _("Order cancelled"),
        _("Order {{ order.number }} is cancelled"),
        _("Your order {{ order.number }} was cancelled before anything was set up. Nothing is charged."),
        "{{ order.reason }}",
        more=("order.reason",),
    ),
)

_SERVICES = (
    MailType(
        "subscription_activated",
        SERVICES,
        _("Service activated"),
        (*SERVICE[:-2], "subscription.first_activation_date_time", *SITE),
        _("{{ subscription.name }} is active"),
        (
            _("{{ subscription.name }} ({{ subscription.quantity }}) is active for {{ account.name }}."),
            _("First active: {{ subscription.first_activation_date_time }}"),
        ),
        "subscription_url",
    ),
    _service(
        "subscription_suspended",
        _("Service suspended"),
        _("{{ subscription.name }} is suspended"),
        _("{{ subscription.name }} of {{ account.name }} is suspended: its users have no access."),
        _("Its data stays, and its term runs on and is billed."),
    ),
    _service(
        "subscription_reactivated",
        _("Service reactivated"),
        _("{{ subscription.name }} runs again"),
        _("{{ subscription.name }} of {{ account.name }} was reactivated: its users have access again."),
    ),
    _service(
        "subscription_renewing",
        _("Service renews soon"),
        _("{{ subscription.name }} renews on {{ subscription.renewal_date }}"),
        _("{{ subscription.name }} of {{ account.name }} renews then. Licences: {{ subscription.quantity }}."),
        _("If something should change then, or if it should end, say so before that day."),
        fields=RENEWAL,
    ),
    _service(
        "subscription_renewed",
        _("Service renewed"),
        _("{{ subscription.name }} is renewed"),
        _("{{ subscription.name }} of {{ account.name }} has begun a new term, until {{ subscription.renewal_date }}."),
        fields=RENEWAL,
    ),
    _service(
        "subscription_ending",
        _("Service ends soon"),
        _("{{ subscription.name }} ends on {{ subscription.renewal_date }}"),
        _("{{ subscription.name }} of {{ account.name }} ends then. Until that day it runs and is billed."),
        fields=RENEWAL,
    ),
    _service(
        "subscription_cancelled",
        _("Service cancelled"),
        _("{{ subscription.name }} is cancelled"),
        _("{{ subscription.name }} of {{ account.name }} has ended: its users have no access any more."),
    ),
    _service(
        "schedule_set",
        _("Change at the renewal set"),
        _("A change of {{ subscription.name }} is scheduled"),
        _(
            "From the renewal on {{ subscription.renewal_date }} on, {{ subscription.name }} goes on as "
            "{{ schedule.plan }}. Licences: {{ schedule.quantity }}."
        ),
        fields=(*RENEWAL[:-2], "schedule.quantity", "schedule.plan", *SITE),
    ),
    _service(
        "schedule_applied",
        _("Change at the renewal made"),
        _("The scheduled change of {{ subscription.name }} is made"),
        _("{{ subscription.name }} was renewed as it was scheduled. Licences: {{ subscription.quantity }}."),
        fields=RENEWAL,
    ),
    _service(
        "request_completed",
        _("Cancellation request completed"),
        _("Your cancellation request is completed: {{ subscription.name }}"),
        _("What you asked for is done: {{ request.what }}, {{ subscription.name }} ({{ request.count }})."),
        fields=REQUEST,
    ),
    _service(
        "request_rejected",
        _("Cancellation request refused"),
        _("Your cancellation request was refused: {{ subscription.name }}"),
        _("You asked for this: {{ request.what }}, {{ subscription.name }}. It was refused."),
        "{{ request.reason }}",
        fields=(*REQUEST[:-2], "request.reason", *SITE),
    ),
)

_ONCE = _("The link below works once, for 72 hours.")
_ACCESS = (
    MailType(
        "user_invited",
        ACCESS,
        _("Invitation of a user"),
        (*PERSON, "user.invited_by", "account.name", *SITE),
        _("Your access to {{ site.name }}"),
        (_("{{ user.invited_by }} gave you access to {{ site.name }} for {{ account.name }}."), _ONCE),
        button=_("Choose a password"),
    ),
    MailType(
        "access_given",
        ACCESS,
        _("Access for somebody who has a login"),
        (*PERSON, "user.invited_by", "account.name", *SITE),
        _("Your access to {{ site.name }}"),
        (_("{{ user.invited_by }} gave you access to {{ site.name }} for {{ account.name }}."),),
        button=_("Sign in"),
    ),
    MailType(
        "password_reset",
        ACCESS,
        _("Password reset"),
        ("user.greeting", *SITE),
        _("Your new password for {{ site.name }}"),
        (_("Somebody, hopefully you, asked for a new password. The link below works once, for one hour."),),
        button=_("Choose a new password"),
    ),
    MailType(
        "registration_confirm",
        ACCESS,
        _("Account activation"),
        APPLICANT,
        _("Activate your account at {{ site.name }}"),
        (_("Thank you for registering {{ account.name }} at {{ site.name }}."), _ONCE),
        button=_("Activate the account"),
    ),
    MailType(
        "registration_received",
        ACCESS,
        _("Registration request received"),
        APPLICANT,
        _("We have your request"),
        (_("Your request for {{ account.name }} is with us. You hear from us by e-mail."),),
        link="",
    ),
    MailType(
        "registration_approved",
        ACCESS,
        _("Registration request approved"),
        APPLICANT,
        _("Welcome to {{ site.name }}"),
        (_("Your request for {{ account.name }} was accepted."), _ONCE),
        button=_("Activate the account"),
    ),
    MailType(
        "registration_rejected",
        ACCESS,
        _("Registration request rejected"),
        APPLICANT,
        _("Your request at {{ site.name }}"),
        (
            _("Thank you for your interest. We cannot open an account for {{ account.name }}."),
            _("Everything you told us with the request has been erased."),
        ),
        link="",
    ),
)

MAIL_TYPES: dict[str, MailType] = {kind.name: kind for kind in (*_ORDERS, *_SERVICES, *_ACCESS)}
