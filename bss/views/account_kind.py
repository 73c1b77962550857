"""Another kind for an account, and the change of relationship the vendor hears first (``channel.md`` 2.1, 6.4)."""

from typing import Any

from django import forms
from django.http import Http404, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from bss.forms.rules import set_choices
from bss.views.account_forms import AccountAction, OfAccount
from core.errors import BusinessError
from provisioning.services.kinds import Outlook, change_kind, change_relationship, kinds_for, outlook
from resellers.enums import SUB_KINDS, AccountKind
from resellers.models import Account
from resellers.selectors import account_choices, accounts_for
from users.permissions import Perm

LISTED = 10


class KindForm(forms.Form):
    """The new kind, and for sub accounts who is billed."""

    kind = forms.ChoiceField(label=gettext_lazy("Becomes"))
    bill_to = forms.ChoiceField(
        label=gettext_lazy("Billed to"),
        required=False,
        help_text=gettext_lazy("For end customers and affiliate accounts: the reseller who owes for them."),
    )

    def __init__(self, *args: Any, kinds: list[str], resellers: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        set_choices(self, "kind", [(kind, AccountKind(kind).label) for kind in kinds])
        if any(kind in SUB_KINDS for kind in kinds) and resellers:
            set_choices(self, "bill_to", [("", _("Nobody else")), *resellers])
        else:
            del self.fields["bill_to"]


class AccountKindChange(OfAccount):
    """Another kind, if nothing stands in the way."""

    title = gettext_lazy("Change kind")
    intro = gettext_lazy(
        "Placed orders and charges stay as they are; from the next period on the new payer is charged."
    )
    form_class = KindForm
    submit = gettext_lazy("Change kind")
    success = gettext_lazy("The kind of the account is changed.")

    def load(self, **kwargs: Any) -> Account:
        """The account, if this employee may give it another kind."""
        row = super().load(**kwargs)
        self.kinds = kinds_for(self.actor, row)
        if not self.kinds:
            raise Http404
        return row

    def form_kwargs(self) -> dict[str, Any]:
        """The kinds it may get; a sub account keeps its reseller."""
        return {"kinds": self.kinds, "resellers": [] if self.object.bill_to_id else account_choices(self.actor)}

    def perform(self, form: Any) -> Account | HttpResponseBase:
        """Call the service; where the vendor must hear it first, an Administrator goes on to that."""
        data = form.cleaned_data
        bill_to = reseller_of(self, data.get("bill_to", ""))
        try:
            return change_kind(self.actor, account=self.object, kind=data["kind"], bill_to=bill_to)
        except BusinessError as error:
            if error.code != "account_linked" or not self.actor.has(Perm.ACCOUNT_BILL_TO):
                raise
        address = reverse("bss:account_relationship", args=[self.object.public_id])
        return redirect(f"{address}?{urlencode({'kind': data['kind'], 'bill_to': data.get('bill_to', '')})}")


def reseller_of(page: Any, public_id: str) -> Account | None:
    """The reseller that was chosen."""
    if not public_id:
        return None
    row: Account = page.find(accounts_for(page.actor).filter(kind=AccountKind.RESELLER), public_id)
    return row


class AccountRelationship(AccountAction):
    """What a linked account is to its reseller: shown with what changes at the vendor, then done."""

    perm = Perm.ACCOUNT_BILL_TO
    title = gettext_lazy("Change relationship")
    success = gettext_lazy("The change has begun.")

    def load(self, **kwargs: Any) -> Account:
        """The account; the address names the kind it becomes, else it is the other of the two relationships."""
        row = super().load(**kwargs)
        kinds = [kind for kind in kinds_for(self.actor, row) if AccountKind.RESELLER not in (kind, row.kind)]
        asked = self.request.GET.get("kind") or next((kind for kind in kinds if kind in SUB_KINDS), "")
        if asked not in kinds or row.kind == AccountKind.PROSPECT:
            raise Http404
        self.kind = asked
        self.bill_to = reseller_of(self, self.request.GET.get("bill_to", ""))
        return row

    def consequences(self) -> list[str]:
        """What changes at the vendor and here, and what is in the way."""
        becomes = _("%(name)s becomes: %(kind)s.") % {"name": self.object, "kind": AccountKind(self.kind).label}
        try:
            found = outlook(self.actor, self.object, kind=self.kind, bill_to=self.bill_to)
        except BusinessError as error:
            return [becomes, str(error.message)]
        return [
            becomes,
            *self._rows(found),
            _("The relationship changes when every service is done. New orders for it wait until then."),
            _("Orders and charges that are there keep their purchase mode; its services get the new one."),
        ]

    def _rows(self, found: Outlook) -> list[str]:
        if not found.rows and not found.blocked:
            return [_("No service has to change at the vendor.")]
        sets = self.kind == AccountKind.END_CUSTOMER
        words = (
            ngettext(
                "%(n)s service gets the reseller's MPN ID: %(names)s.",
                "%(n)s services get the reseller's MPN ID: %(names)s.",
                len(found.rows),
            )
            if sets
            else ngettext(
                "%(n)s service loses the MPN ID: %(names)s.",
                "%(n)s services lose the MPN ID: %(names)s.",
                len(found.rows),
            )
        )
        names = ", ".join(str(row) for row, _wanted in found.rows[:LISTED])
        changes = [words % {"n": len(found.rows), "names": names}] if found.rows else []
        return changes + [f"{row}: {note}" for row, note in found.blocked[:LISTED]]

    def perform(self, form: Any) -> Any:
        """Call the service."""
        return change_relationship(self.actor, account=self.object, kind=self.kind, bill_to=self.bill_to)

    def done_url(self, result: Any) -> str:
        """On to the run."""
        return reverse("bss:stamp_detail", args=[result.public_id])
