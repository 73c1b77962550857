"""The way from an application code to its connector: a dotted path in ``settings.CONNECTORS``."""

from functools import cache

from django.conf import settings
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from core.errors import BusinessError
from provisioning.ports import Connector


@cache
def _load(path: str) -> Connector:
    connector = import_string(path)()
    if not isinstance(connector, Connector):
        raise TypeError(f"{path} is not a connector")
    return connector


def connector_for(application_code: str) -> Connector:
    """The connector of an application; raises ``connector_missing`` if this installation has none."""
    path = settings.CONNECTORS.get(application_code)
    if path is None:
        raise BusinessError(
            "connector_missing", _("Nothing here can speak to '%(code)s'.") % {"code": application_code}
        )
    return _load(path)


def known_applications() -> dict[str, Connector]:
    """All connectors of this installation by application code."""
    return {code: connector_for(code) for code in settings.CONNECTORS}
