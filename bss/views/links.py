"""An account at the vendors: MPN ID, setting up now, and the administrator's first password."""

from typing import Any

from django.http import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bss.forms.accounts import MpnForm
from bss.views.account_forms import OfAccount
from provisioning.services.links import set_up_now
from ui.pages import ActionPage
from users.permissions import Perm
from vendors.models import AccountLink, Instance
from vendors.selectors import account_links_for, instances_for
from vendors.services.links import reveal_admin_password, set_mpn_id


class LinkMpn(OfAccount):
    """A reseller's MPN ID at an instance."""

    title = gettext_lazy("MPN ID")
    form_class = MpnForm
    intro = gettext_lazy("It is not checked, and running services keep theirs: an Administrator's change does both.")
    instance: Instance

    def load(self, **kwargs: Any) -> Any:
        """The account and the instance of the address."""
        self.instance = self.find(instances_for(self.actor), kwargs["instance_id"])
        return super().load(**kwargs)

    def initial(self) -> dict[str, Any]:
        """What is stored."""
        rows = account_links_for(self.actor).filter(account=self.object, instance=self.instance)
        return {"mpn_id": "".join(row.mpn_id for row in rows)}

    def perform(self, form: Any) -> AccountLink:
        """Call the service; the tenant the vendor told for the same number stays."""
        link = account_links_for(self.actor).filter(account=self.object, instance=self.instance).first()
        mpn_id = form.cleaned_data["mpn_id"].strip()
        tenant = link.reseller_tenant_id if link and link.mpn_id == mpn_id else ""
        return set_mpn_id(
            self.actor, account=self.object, instance=self.instance, mpn_id=mpn_id, tenant_id=tenant, is_checked=False
        )


class LinkAction(ActionPage):
    """A deed on an account's link."""

    perm = Perm.SERVICE_MANAGE
    back = (gettext_lazy("Accounts"), "bss:account_list")

    def load(self, **kwargs: Any) -> AccountLink:
        """The link of the address."""
        row: AccountLink = self.find(account_links_for(self.actor), kwargs["public_id"])
        return row

    def cancel_url(self) -> str:
        """Back to the account."""
        return reverse("bss:account_detail", args=[self.object.account.public_id])

    def crumbs(self) -> list[tuple[str, str]]:
        """The list and the account."""
        return [*super().crumbs(), (self.object.account.name, self.cancel_url())]


class LinkSetUp(LinkAction):
    """Make the account known at the vendor now."""

    title = gettext_lazy("Set up now")
    success = gettext_lazy("The customer is being set up at the vendor.")

    def consequences(self) -> list[str]:
        """With which answers."""
        answers = ", ".join(f"{key.replace('_', ' ')}: {value}" for key, value in self.object.options.items() if value)
        return [
            _("The account is made known at %(instance)s, or connected if it is there already.")
            % {"instance": self.object.instance.system_name},
            _("These answers are used: %(answers)s.") % {"answers": answers or "—"},
        ]

    def perform(self, form: Any) -> Any:
        """Call the service."""
        return set_up_now(self.actor, link=self.object)


class LinkPassword(LinkAction):
    """The first password of the customer's administrator at the vendor: shown once, then erased."""

    perm = Perm.ACCOUNT_INVITE
    title = gettext_lazy("Show the first password")
    template_name = "bss/link_password.html"
    is_danger = True

    def consequences(self) -> list[str]:
        """It is seen once."""
        return [
            _("The password is shown once and erased then. Have a safe way to hand it over."),
            _("That you looked at it is kept in the history."),
        ]

    def perform(self, form: Any) -> HttpResponseBase:
        """Show what the service gives; the page is not kept anywhere."""
        password = reveal_admin_password(self.actor, link=self.object)
        response = self.show(form=form, object=self.object, password=password, is_revealed=True)
        response["Cache-Control"] = "no-store"
        return response
