"""The audit log in words: what each action and each field is called, and what of it customers may read.

An action that is missing here is shown to nobody outside the organization, and a test fails until it has words.
"""

from django.utils.translation import gettext_lazy as _

ACTIONS = {
    "account.created": _("Account created"),
    "account.credit": _("Credit and payment changed"),
    "account.manager": _("Account manager changed"),
    "account.permission_rule": _("Permission rule of the account changed"),
    "account.price_list": _("Price list assigned"),
    "account.reselling": _("Reselling enabled"),
    "account.status": _("Account status changed"),
    "custom_field.archived": _("Custom field archived"),
    "custom_field.restored": _("Custom field shown again"),
    "custom_field.saved": _("Custom field saved"),
    "custom_values.set": _("Custom fields filled in"),
    "registration.activated": _("Registration activated"),
    "registration.approved": _("Registration approved"),
    "registration.expired": _("Registration erased, not answered"),
    "registration.rejected": _("Registration rejected and erased"),
    "registration.settings": _("Self-registration set"),
    "site.opened": _("Storefront opened"),
    "site.status": _("Storefront's state changed"),
    "site.closed": _("Storefront closed"),
    "site.deleted": _("Storefront's data erased"),
    "site.alias": _("Storefront's alias changed"),
    "account.updated": _("Company data changed"),
    "asset.activated": _("Licence ready"),
    "asset.created": _("Licence ordered"),
    "asset.given_up": _("Licence given up"),
    "asset.key_revealed": _("Key shown"),
    "asset.redeemed": _("Licence used"),
    "asset.refused": _("Licence refused by the vendor"),
    "asset.resent": _("Key sent again by e-mail"),
    "asset.retried": _("Licence asked for again"),
    "asset.returned": _("Licence returned"),
    "asset.reveal_limit": _("Too many keys shown within an hour"),
    "asset_return.accepted": _("Return accepted"),
    "asset_return.rejected": _("Return refused"),
    "asset_return.submitted": _("Return requested"),
    "asset_return.withdrawn": _("Return request withdrawn"),
    "cancellation_request.accepted": _("Cancellation request accepted"),
    "cancellation_request.rejected": _("Cancellation request refused"),
    "cancellation_request.submitted": _("Cancellation requested"),
    "cancellation_request.withdrawn": _("Cancellation request withdrawn"),
    "category.saved": _("Category saved"),
    "certificate.bound": _("Certificate of the instance replaced"),
    "certificate.dns_checked": _("DNS of the certificate checked"),
    "certificate.retired": _("Certificate retired"),
    "certificate.uploaded": _("Certificate installed"),
    "contact.saved": _("Contact saved"),
    "credit.charged": _("Charge posted"),
    "credit.credited": _("Credit posted"),
    "credit.reserved": _("Credit reserved"),
    "instance.activate": _("Instance activated"),
    "instance.complete": _("Instance settings complete"),
    "instance.consent": _("Consent changed"),
    "instance.deactivate": _("Instance deactivated"),
    "instance.delete": _("Instance deleted"),
    "instance.reopen": _("Instance settings incomplete again"),
    "instance.saved": _("Instance settings saved"),
    "link.mpn_id": _("MPN ID set"),
    "link.options": _("Vendor options changed"),
    "link.password_revealed": _("First password shown"),
    "link.set_up": _("Set-up at the vendor started"),
    "link.synchronized": _("Set up at the vendor"),
    "operation.given_up": _("Operation given up"),
    "operation.marked_done": _("Operation marked as done"),
    "operation.retried": _("Operation tried again"),
    "operation.waiting": _("Operation waits for somebody"),
    "order.cancelled": _("Order cancelled"),
    "order.check_skipped": _("Check with the vendor skipped"),
    "order.edited": _("Order edited"),
    "order.executed": _("Order executed"),
    "order.placed": _("Order placed"),
    "permission_rule.deleted": _("Permission rule deleted"),
    "permission_rule.saved": _("Permission rule saved"),
    "price.removed": _("Price removed"),
    "price.set": _("Price set"),
    "price_list.copied": _("Price list copied"),
    "price_list.saved": _("Price list saved"),
    "product_type.updated": _("Product type changed"),
    "product.published": _("Product published"),
    "product.unpublished": _("Product taken off sale"),
    "product.updated": _("Product changed"),
    "staff_group.deleted": _("Group deleted"),
    "staff_group.saved": _("Group saved"),
    "subscription.activated": _("Service activated"),
    "subscription.created": _("Service ordered"),
    "subscription.expired": _("Service ended with its term"),
    "subscription.given_up": _("Service given up"),
    "subscription.price_set": _("Price of the service set by hand"),
    "subscription.refused": _("Service refused by the vendor"),
    "subscription.renewed": _("Service renewed"),
    "subscription.retried": _("Service asked for again"),
    "user.accepted": _("Invitation accepted"),
    "user.deactivated": _("User switched off"),
    "user.invited": _("User invited"),
    "user.invited_again": _("Invitation sent again"),
    "user.reactivated": _("User switched on again"),
    "user.removed": _("Access removed"),
    "user.revoked": _("Invitation taken back"),
    "user.roles_changed": _("Roles changed"),
    "view_as.ended": _("Viewing as customer ended"),
    "view_as.started": _("Viewing as customer started"),
}
# A change of a running service: what it is (by the operation's purpose), and how far it is (by the end of the action).
PURPOSES = {
    "provision": _("Provision the service"),
    "licences": _("Buy licences"),
    "reduce": _("Reduce licences"),
    "addon": _("Buy an add-on"),
    "addon_reduce": _("Reduce an add-on"),
    "addon_cancel": _("Cancel an add-on"),
    "auto_renew": _("Change automatic renewal"),
    "schedule": _("Schedule a change for the renewal"),
    "revoke_schedule": _("Revoke the scheduled change"),
    "suspend": _("Suspend the service"),
    "activate": _("Reactivate the service"),
    "cancel": _("Cancel the service"),
    "cancel_at_end": _("Cancel at the end of the term"),
    "revoke_cancel": _("Keep the service after all"),
    "upgrade": _("Upgrade"),
    "renew": _("Renewal"),
}
PHASES = {
    "asked": _("%(what)s: asked for"),
    "done": _("%(what)s: done"),
    "refused": _("%(what)s: refused by the vendor"),
    "given_up": _("%(what)s: given up"),
}

OBJECTS = {
    "catalog.category": _("Category"),
    "catalog.pricelist": _("Price list"),
    "catalog.producttype": _("Product type"),
    "catalog.product": _("Product"),
    "orders.order": _("Order"),
    "resellers.account": _("Account"),
    "resellers.contact": _("Contact"),
    "resellers.invitation": _("Invitation"),
    "resellers.membership": _("User"),
    "resellers.permissionrule": _("Permission rule"),
    "resellers.staffgroup": _("Group of employees"),
    "core.customfield": _("Custom field"),
    "sso.consententry": _("Consent"),
    "sso.registration": _("Registration"),
    "resellers.viewassession": _("Viewing as customer"),
    "subscriptions.asset": _("Licence"),
    "subscriptions.assetreturn": _("Return request"),
    "subscriptions.cancellationrequest": _("Cancellation request"),
    "subscriptions.operation": _("Operation"),
    "subscriptions.subscription": _("Subscription"),
    "vendors.accountlink": _("Vendor account"),
    "vendors.certificate": _("Certificate"),
    "vendors.instance": _("Instance"),
}

FIELDS = {
    "account_manager": _("Account manager"),
    "accounting_number": _("Accounting no."),
    "active": _("Active"),
    "addons": _("Add-ons"),
    "address_line1": _("Address"),
    "address_line2": _("Address, second line"),
    "auto_renew": _("Renews by itself"),
    "bill_to": _("Billed to"),
    "city": _("City"),
    "consent": _("Consent"),
    "country": _("Country"),
    "credit_limit": _("Credit limit"),
    "credit_unlimited": _("Unlimited credit"),
    "currency": _("Currency"),
    "default_rule": _("Rule for all"),
    "default_value": _("Value for all"),
    "edition": _("Edition"),
    "email": _("E-mail"),
    "end": _("How it ended"),
    "ended_at": _("Ended"),
    "execution": _("When"),
    "external_id": _("Vendor's id"),
    "for": _("For"),
    "from": _("From"),
    "grants": _("Who may"),
    "is_default": _("Default"),
    "is_featured": _("Featured"),
    "is_new": _("New"),
    "is_published": _("On sale"),
    "is_taxable": _("Taxable"),
    "kind": _("Kind"),
    "key_status": _("Token status"),
    "licence": _("Licence id"),
    "lines": _("Lines"),
    "mail_licences": _("Licences are mailed to customers"),
    "members": _("Members"),
    "mode": _("Purchase mode"),
    "moved_to": _("Moved to"),
    "mpn_id": _("MPN ID"),
    "name": _("Name"),
    "note": _("Note"),
    "notes": _("Notes"),
    "order": _("Order"),
    "payment_days": _("Payment days"),
    "payment_method": _("Payment method"),
    "percent": _("Per cent"),
    "permission_rule": _("Permission rule"),
    "phone": _("Phone"),
    "plan": _("Plan"),
    "postal_code": _("Post code"),
    "price_list": _("Price list"),
    "prices": _("Prices"),
    "primary": _("Primary contact"),
    "quantity": _("Quantity"),
    "reason": _("Reason"),
    "registration_approval": _("Approval of registrations"),
    "reseller_registration": _("Registration of resellers"),
    "roles": _("Roles"),
    "rule": _("Rule"),
    "self_registration": _("Self-registration"),
    "source": _("Source"),
    "sources": _("Sources"),
    "state": _("State"),
    "status": _("Status"),
    "tax_id": _("Tax ID"),
    "term_ends_at": _("Term ends"),
    "terms": _("Terms of use"),
    "total": _("Total"),
    "unit_price": _("Price"),
    "until": _("Until"),
    "upgrade": _("Upgrade"),
    "value": _("Value"),
    "website": _("Web site"),
    "what": _("What"),
    "without_check": _("Without a check, because"),
}

# What customers may read. Undeclared means hidden: the desk, credit, prices and set-up are the organization's own.
PUBLIC_ACTIONS = frozenset(
    {
        "account.created",
        "account.reselling",
        "registration.activated",
        "registration.approved",
        "registration.expired",
        "registration.rejected",
        "registration.settings",
        "site.alias",
        "site.closed",
        "site.opened",
        "site.status",
        "account.status",
        "account.updated",
        "asset.activated",
        "asset.created",
        "asset.given_up",
        "asset.key_revealed",
        "asset.redeemed",
        "asset.refused",
        "asset.resent",
        "asset.retried",
        "asset.returned",
        "contact.saved",
        "link.mpn_id",
        "link.password_revealed",
        "order.cancelled",
        "order.edited",
        "order.executed",
        "order.placed",
        "subscription.activated",
        "subscription.created",
        "subscription.expired",
        "subscription.given_up",
        "subscription.refused",
        "subscription.renewed",
        "subscription.retried",
        *(name for name in ACTIONS if name.startswith(("asset_return.", "cancellation_request.", "user.", "view_as."))),
        *(f"subscription.{purpose}_{phase}" for purpose in PURPOSES for phase in PHASES),
    }
)
PUBLIC_FIELDS = frozenset(
    {
        "active",
        "address_line1",
        "address_line2",
        "auto_renew",
        "city",
        "country",
        "email",
        "end",
        "ended_at",
        "execution",
        "for",
        "key_status",
        "kind",
        "lines",
        "mode",
        "mpn_id",
        "name",
        "order",
        "phone",
        "plan",
        "postal_code",
        "primary",
        "quantity",
        "roles",
        "state",
        "status",
        "tax_id",
        "term_ends_at",
        "total",
        "unit_price",
        "until",
        "website",
    }
)
# Reasons of the staff that are written for the customer; all others are the staff's own. His own he always reads.
PUBLIC_REASONS = frozenset(
    {"asset_return.rejected", "cancellation_request.rejected", "order.cancelled", "view_as.started"}
)
# Money is for those who see prices in the storefront, cost and margin for those who see cost in the BSS.
MONEY_FIELDS = frozenset({"total", "unit_price"})
COST_FIELDS = frozenset({"cost", "default_rule", "default_value", "percent", "rule", "value"})
# What no sentence is made of; the audit log's detail shows it.
TECHNICAL_FIELDS = frozenset({"addons", "external_id", "fields", "new", "operation", "source", "sources"})


def action_words(action: str) -> str:
    """An action for people; one without words is shown as it is stored, without its punctuation."""
    known = ACTIONS.get(action)
    if known is not None:
        return str(known)
    name = action.removeprefix("subscription.")
    for phase, words in PHASES.items():
        purpose = PURPOSES.get(name.removesuffix(f"_{phase}"))
        if purpose is not None and name.endswith(f"_{phase}"):
            return str(words) % {"what": purpose}
    return action.replace("_", " ").replace(".", " ").capitalize()


def has_words(action: str) -> bool:
    """Whether somebody has given the action words; ``{}`` stands for a value known only when it runs."""
    if action in ACTIONS or action in PUBLIC_ACTIONS:
        return True
    return action in {f"subscription.{{}}_{phase}" for phase in PHASES}


def field_words(name: str) -> str:
    """A field for people."""
    known = FIELDS.get(name)
    return str(known) if known is not None else name.replace("_", " ").capitalize()


def object_words(kind: str) -> str:
    """The kind of an object for people, from its stored name such as ``orders.order``."""
    known = OBJECTS.get(kind)
    return str(known) if known is not None else kind.rpartition(".")[2].capitalize()
