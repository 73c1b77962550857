"""Certificates: the list, uploading one, and what can be done with it. No page shows a key."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bss.forms.certificates import CertificateForm, ReplaceForm
from bss.views.shared import history_of
from core.money import CURRENCIES
from provisioning.services.certificates import replace_certificate
from ui.filters import Choice, Filter, Flag
from ui.pages import Action, ActionPage, DetailPage, Fact, FormPage, ListPage
from ui.tables import Column
from users.permissions import Perm
from vendors.models import Certificate, DnsState
from vendors.selectors import certificates_for, choice_words, instances_for, replacements_for
from vendors.services import certificates
from vendors.services.market import dns_advice
from vendors.validity import Validity

LIST = (gettext_lazy("Certificates"), "bss:certificate_list")


class LifeColumn(Column):
    """The state a selector found, in words."""

    def words(self, row: Any, value: Any) -> str:
        """Valid, Expiring, Expired or Retired."""
        return str(Validity(value).label)


class LifeFact(LifeColumn, Fact):
    """The same above an object's page."""


class Unused(Flag):
    """Whether an instance uses it."""

    def apply(self, rows: Any, values: dict[str, Any]) -> Any:
        """Used or not."""
        value = values.get(self.name)
        return rows.filter(used_by_id__isnull=value == "no") if value else rows


class CertificateList(ListPage):
    """The organization's certificates, the next to expire first."""

    perm = Perm.CERTIFICATE_MANAGE
    title = gettext_lazy("Certificates")
    intro = gettext_lazy("With these an instance proves itself to the vendor: one certificate for each currency.")
    selector = certificates_for
    columns = (
        Column(
            "label",
            gettext_lazy("Label"),
            "main",
            sort="label",
            sub="subject",
            sub_label=gettext_lazy("Subject"),
        ),
        LifeColumn("life", gettext_lazy("State"), "status"),
        Column("used_by", gettext_lazy("Instance")),
        Column("currency", gettext_lazy("Currency"), sort="currency"),
        Column("host_name", gettext_lazy("Host name"), sort="host_name"),
        Column("dns_state", gettext_lazy("DNS"), "status", sort="dns_state"),
        Column("valid_to", gettext_lazy("Valid to"), "date", sort="valid_to"),
        Column("valid_from", gettext_lazy("Valid from"), "date", sort="valid_from"),
        Column("thumbprint", gettext_lazy("Thumbprint"), "code", sort="thumbprint"),
    )
    filters = (
        Choice("state", gettext_lazy("State"), "life", Validity.choices),
        Choice("currency", gettext_lazy("Currency"), "currency", [(code, code) for code in CURRENCIES]),
        Choice("dns", gettext_lazy("DNS"), "dns_state", DnsState.choices),
        Filter("host", gettext_lazy("Host name"), "host_name"),
        Unused("used", gettext_lazy("Used by an instance"), "used_by_id"),
    )
    search = ("label", "subject", "thumbprint", "host_name")
    sort = "valid_to"
    empty_icon = "key"
    empty_title = gettext_lazy("No certificate yet")
    empty_text = gettext_lazy("Upload the PFX file of a certificate for a name in your domain, one for each currency.")

    def row_url(self, row: Any) -> str:
        """The certificate."""
        return reverse("bss:certificate_detail", args=[row.public_id])

    def actions(self) -> list[Action]:
        """Upload one."""
        return [Action(_("Upload certificate"), reverse("bss:certificate_upload"), "plus", "primary")]


class CertificateDetail(DetailPage):
    """One certificate: its public part, its name in the DNS, the instance that uses it."""

    perm = Perm.CERTIFICATE_MANAGE
    selector = certificates_for
    status_field = ""
    back = LIST
    facts = (
        LifeFact("life", gettext_lazy("State"), "status"),
        Fact("currency", gettext_lazy("Currency")),
        Fact("host_name", gettext_lazy("Host name")),
        Fact("valid_from", gettext_lazy("Valid from"), "when"),
        Fact("valid_to", gettext_lazy("Valid to"), "when"),
    )
    parts = ("bss/_certificate_alerts.html", "bss/_certificate_public.html", "bss/_history.html")
    side = ("bss/_certificate_dns.html",)

    def context(self) -> dict[str, Any]:
        """What the DNS has to say, and what happened."""
        row: Certificate = self.object
        return {
            "advice": "" if row.dns_state == DnsState.OK else dns_advice(row),
            "targets": certificates.expected_targets(),
            "history": history_of(self.actor, row),
        }

    def actions(self, row: Any) -> list[Action]:
        """Check the DNS, put another in its place, retire it."""
        is_retired = row.life == Validity.RETIRED
        gone = _("This certificate is retired already.") if is_retired else ""
        used = _("This certificate is used by %(instance)s.") % {"instance": row.used_by} if row.used_by else ""
        unused = "" if row.used_by else _("No instance uses it.")

        def action(name: str, label: str, icon: str, tone: str = "", reason: str = "") -> Action:
            return Action(label, reverse(f"bss:certificate_{name}", args=[row.public_id]), icon, tone, reason)

        return [
            action("check_dns", _("Check DNS"), "sync", reason=gone),
            action("replace", _("Replace"), "repeat", reason=gone or unused),
            action("retire", _("Retire"), "pause", "danger", gone or used),
        ]


class CertificateUpload(FormPage):
    """Install a certificate from its PFX file."""

    perm = Perm.CERTIFICATE_MANAGE
    title = gettext_lazy("Upload certificate")
    form_class = CertificateForm
    back = LIST
    submit = gettext_lazy("Upload")

    def perform(self, form: Any) -> Certificate:
        """Hand it over."""
        given = form.cleaned_data
        return certificates.upload_certificate(
            self.actor,
            label=given["label"],
            content=form.content(),
            passphrase=given["passphrase"],
            host_name=given["host_name"],
            currency=given["currency"],
        )

    success = gettext_lazy("Installed. Now check the DNS, then choose it in the settings of an instance.")

    def done_url(self, result: Any) -> str:
        """The certificate."""
        return reverse("bss:certificate_detail", args=[result.public_id])


class CertificateAction(ActionPage):
    """A deed about a certificate."""

    perm = Perm.CERTIFICATE_MANAGE
    back = LIST

    def crumbs(self) -> list[tuple[str, str]]:
        """Below the certificate."""
        return [*super().crumbs(), (str(self.object), self.cancel_url())]

    def load(self, **kwargs: Any) -> Any:
        """The certificate of the address."""
        return self.find(certificates_for(self.actor), kwargs["public_id"])

    def cancel_url(self) -> str:
        """Back to the certificate."""
        return reverse("bss:certificate_detail", args=[self.object.public_id])


class CertificateCheckDns(CertificateAction):
    """Look at its host name."""

    title = gettext_lazy("Check DNS")
    submit = gettext_lazy("Check DNS")

    def consequences(self) -> list[str]:
        """It changes nothing but what is known."""
        return [_("The DNS is asked where %(host)s points to.") % {"host": self.object.host_name}]

    def perform(self, form: Any) -> Any:
        """Start the job."""
        return certificates.start_dns_check(self.actor, certificate=self.object)

    def done_url(self, result: Any) -> str:
        """Watch it."""
        return reverse("bss:job_detail", args=[result.public_id])


class CertificateReplace(CertificateAction):
    """Put another certificate into the instance that uses this one."""

    title = gettext_lazy("Replace")
    submit = gettext_lazy("Replace")
    form_class = ReplaceForm
    success = gettext_lazy("Replaced. What waited for a good certificate goes on.")

    def form_kwargs(self) -> dict[str, Any]:
        """Valid ones of the same currency that are free."""
        rows = replacements_for(self.actor, self.object)
        return {"choices": [(str(row.public_id), choice_words(row, None)) for row in rows]}

    def consequences(self) -> list[str]:
        """What goes on with which certificate."""
        if not self.object.used_by:
            return [_("No instance uses it.")]
        words = _("%(instance)s uses the new certificate from now on, for waiting operations and for returns too.")
        return [
            words % {"instance": self.object.used_by},
            _("Only valid certificates in %(currency)s that no instance uses can be chosen.")
            % {"currency": self.object.currency},
        ]

    def perform(self, form: Any) -> Any:
        """Hand it over."""
        instance = self.find(instances_for(self.actor), self.object.used_by_id)
        chosen = self.find(certificates_for(self.actor), form.cleaned_data["certificate"])
        return replace_certificate(self.actor, instance=instance, certificate=chosen)

    def done_url(self, result: Any) -> str:
        """The instance."""
        return reverse("bss:instance_detail", args=[result.public_id])


class CertificateRetire(CertificateAction):
    """Put it out of use."""

    title = gettext_lazy("Retire")
    submit = gettext_lazy("Retire")
    success = gettext_lazy("Retired. Its key is deleted.")
    is_danger = True

    def consequences(self) -> list[str]:
        """What stays and what goes."""
        return [
            _("No instance can use it any more, and its key is deleted. This cannot be undone."),
            _("It is refused while an instance uses it."),
        ]

    def perform(self, form: Any) -> Any:
        """Hand it over."""
        return certificates.retire_certificate(self.actor, certificate=self.object)
