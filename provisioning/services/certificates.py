"""Replace: put another certificate into an instance (``esd.md`` 2). What waited for a good one goes on with it."""

from django.db import transaction
from django.utils.translation import gettext as _

from core import clock
from core.errors import BusinessError, Conflict, NotVisible
from core.tenancy import Actor
from provisioning.registry import connector_for
from provisioning.services.market import roles_of
from provisioning.services.setup import save_settings
from users.permissions import Perm
from vendors.models import Certificate, Instance
from vendors.selectors import certificates_for
from vendors.validity import USABLE, Validity, certificate_state, expired_words


@transaction.atomic
def replace_certificate(actor: Actor, *, instance: Instance, certificate: Certificate) -> Instance:
    """Bind another valid certificate of the same currency to an instance; nothing else of it changes.

    Operations that wait because the old one was refused are sent again. The DNS is not asked, and an instance that
    is open for orders stays so.
    """
    actor.require(Perm.CERTIFICATE_MANAGE)
    fresh = certificates_for(actor).filter(pk=certificate.pk).first()
    if fresh is None:
        raise NotVisible("certificate_missing", _("This certificate does not exist."))
    field = roles_of(connector_for(instance.application.code)).get("certificate")
    if field is None or instance.certificate is None:
        raise Conflict("certificate_not_bound", _("This instance has no certificate yet. Choose one in its settings."))
    if fresh.currency != instance.currency:
        words = _("Choose a certificate in %(currency)s.") % {"currency": instance.currency}
        raise BusinessError("certificate_currency", words, field="certificate")
    state = certificate_state(fresh, clock.now())
    if state not in USABLE:
        late = expired_words(fresh) if state == Validity.EXPIRED else _("This certificate is retired already.")
        raise BusinessError("certificate_not_valid", late, field="certificate")
    try:
        return save_settings(
            actor,
            application=instance.application,
            instance=instance,
            system_name=instance.system_name,
            given={field.id: fresh.thumbprint},
        )
    except BusinessError as error:
        raise _at_choice(error, field.id) from error


def _at_choice(error: BusinessError, field: str) -> BusinessError:
    """What the settings found wrong with the certificate, told where it was chosen."""
    named = error.context.get("fields")
    words = named.get(field) if isinstance(named, dict) else None
    return BusinessError(error.code, str(words), field="certificate") if words else error
