"""Fields a connector asks for, of an instance or of an account."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class FieldKind(StrEnum):
    """Kinds of setting and service-detail fields (``service-manager.md`` 5)."""

    TEXT = "text"
    MULTILINE = "multiline"
    PASSWORD = "password"  # noqa: S105 - the kind's name, not a secret
    URL = "url"
    EMAIL = "email"
    PHONE = "phone"
    DATE = "date"
    INTEGER = "integer"
    CHECKBOX = "checkbox"
    CHOOSE_ONE = "choose_one"
    CHOOSE_MANY = "choose_many"
    CERTIFICATE = "certificate"
    INSTALLED_CERTIFICATE = "installed_certificate"
    LABEL = "label"
    HIDDEN = "hidden"
    TERMS = "terms"


@dataclass(frozen=True, slots=True)
class Field:
    """One field a connector asks for: of an instance (settings) or of an account at checkout (service details).

    ``additional`` fields (stage 2) open after the first successful save. ``show_if`` maps another field's id to the
    value that makes this one appear. ``live_check`` names a check verb (``check_domain``) run while typing. ``role``
    tells the platform what a setting is, so that no two instances share what must be single: ``client`` (the id the
    vendor gave us for one country), ``certificate`` (kind INSTALLED_CERTIFICATE, the value is the thumbprint of one of
    the organization's certificates), ``country`` (ISO 3166-1 alpha-2), ``language`` (locale such as ``el-GR``).
    """

    id: str
    name: str
    kind: FieldKind = FieldKind.TEXT
    description: str = ""
    required: bool = False
    max_length: int = 255
    choices: Sequence[tuple[str, str]] = ()
    additional: bool = False
    initial: str | bool | int | Sequence[str] | None = None
    pattern: str = ""
    pattern_message: str = ""
    suffix: str = ""
    show_if: Mapping[str, str] = field(default_factory=dict)
    live_check: str = ""
    group: str = ""
    role: str = ""
