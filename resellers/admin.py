"""The channel in Django admin."""

from django.contrib import admin

from core.admin import EditableAdmin, ReadOnlyAdmin
from resellers.models import Account, Contact, Invitation, Membership, Organization, Site


@admin.register(Organization)
class OrganizationAdmin(EditableAdmin):
    """Names, language and options; country and currency are fixed."""

    list_display = ("name", "slug", "country", "currency")
    locked = ("slug", "country", "currency")


@admin.register(Site)
class SiteAdmin(EditableAdmin):
    """Texts and options of a storefront; its address and life cycle are not edited here."""

    list_display = ("name", "organization", "host", "alias", "status", "anonymous_access")
    locked = ("status", "host", "alias", "terms_version")


@admin.register(Account)
class AccountAdmin(EditableAdmin):
    """Company data; kind, status, edition, currency and credit change through services."""

    list_display = ("name", "kind", "status", "edition", "bill_to", "organization")
    list_filter = ("kind", "status", "edition")
    search_fields = ("name", "accounting_number", "email")
    locked = ("kind", "status", "edition", "currency", "credit_limit", "credit_unlimited")


@admin.register(Contact)
class ContactAdmin(EditableAdmin):
    """People at accounts."""

    list_display = ("first_name", "last_name", "email", "account", "is_primary")
    search_fields = ("last_name", "email")
    locked = ("is_primary",)


@admin.register(Membership)
class MembershipAdmin(ReadOnlyAdmin):
    """Who is what; changed in BSS and Storefront, where the last administrator is kept."""

    list_display = ("user", "organization", "account", "roles")


@admin.register(Invitation)
class InvitationAdmin(ReadOnlyAdmin):
    """Open and used invitations; the token itself is not stored."""

    list_display = ("user", "account", "expires_at", "used_at")
