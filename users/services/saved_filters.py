"""Saving a list's filters and order under a name. They are nobody else's business, so the audit log is not told."""

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from core.errors import BusinessError, Conflict, NotVisible, PermissionRefused
from core.tenancy import Actor
from users.models import NAME_LENGTH, QUERY_LENGTH, SavedFilter, User
from users.selectors import changeable_filters

MAX_SAVED = 20


@transaction.atomic
def save_filter(
    actor: Actor, *, page: str, name: str, query: str, is_shared: bool = False, is_default: bool = False
) -> SavedFilter:
    """Save ``query`` (checked by the page) under ``name`` for the list ``page``, opened at once if it is the default.

    Raises Conflict ``filter_named_so`` for a name he has there already, ``filters_too_many`` above 20, BusinessError
    for an empty name or query, and PermissionRefused for sharing by anybody but an employee.
    """
    name = _checked(actor, name=name, is_shared=is_shared)
    if not query:
        raise BusinessError("filter_empty", _("Set a filter or an order first; then it can be saved."))
    if len(query) > QUERY_LENGTH:
        raise BusinessError("filter_long", _("These filters are too long to be saved. Leave some out."))
    # Who saves twice at once waits here, so that the number below holds.
    owner = User.objects.select_for_update().get(pk=actor.user_id or 0)
    mine = changeable_filters(actor, page)
    if mine.count() >= MAX_SAVED:
        raise Conflict("filters_too_many", _("Twenty saved filters are the most for one list. Delete one first."))
    row = SavedFilter(organization_id=actor.tenant_id, user=owner, account_id=actor.account_id, page=page, query=query)
    row.is_shared, row.is_default = is_shared, is_default
    return _named(actor, row, name)


@transaction.atomic
def change_filter(
    actor: Actor, *, page: str, public_id: object, name: str, is_shared: bool, is_default: bool
) -> SavedFilter:
    """Rename one of the actor's own filters, share it, make it the default; what it filters stays.

    Raises NotVisible for what is not his, else as ``save_filter``.
    """
    name = _checked(actor, name=name, is_shared=is_shared)
    row = _own(actor, page, public_id)
    row.is_shared, row.is_default = is_shared, is_default
    return _named(actor, row, name)


@transaction.atomic
def delete_filter(actor: Actor, *, page: str, public_id: object) -> None:
    """Forget one of the actor's own filters; the rows of the list are not touched. Raises NotVisible."""
    _own(actor, page, public_id).delete()


def _own(actor: Actor, page: str, public_id: object) -> SavedFilter:
    row = changeable_filters(actor, page).get_visible(actor, public_id)
    if row is None:
        raise NotVisible("filter_gone", _("There is no such saved filter."))
    return row


def _checked(actor: Actor, *, name: str, is_shared: bool) -> str:
    if actor.user_id is None or actor.viewing_as:
        raise PermissionRefused("filter_not_yours", _("Only who is signed in himself can save filters."))
    if is_shared and not actor.is_staff:
        raise PermissionRefused("filter_not_shared", _("Only employees share filters."))
    name = " ".join(name.split())
    if not name or len(name) > NAME_LENGTH:
        raise BusinessError(
            "filter_name", _("Give the filter a name of at most %(n)s characters.") % {"n": NAME_LENGTH}, field="name"
        )
    return name


def _named(actor: Actor, row: SavedFilter, name: str) -> SavedFilter:
    row.name = name
    try:
        with transaction.atomic():
            if row.is_default:
                others = changeable_filters(actor, row.page).filter(is_default=True).exclude(pk=row.pk)
                SavedFilter.objects.filter(pk__in=[other.pk for other in others]).update(is_default=False)
            row.save()
    except IntegrityError as error:
        raise Conflict("filter_named_so", _("You have a filter “%(name)s” here already.") % {"name": name}) from error
    return row
