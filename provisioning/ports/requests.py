"""What a mutating verb is given: the whole desired state of an account, a service or an asset."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Address:
    """A postal address; ``country`` is ISO 3166-1 alpha-2."""

    line1: str = ""
    line2: str = ""
    city: str = ""
    state: str = ""
    postal_code: str = ""
    country: str = ""


@dataclass(frozen=True, slots=True)
class AgreementAcceptance:
    """Who accepted the vendor's customer agreement, and when (``office365.md`` 5)."""

    first_name: str
    last_name: str
    email: str
    date_agreed: dt.date
    phone: str = ""


@dataclass(frozen=True, slots=True)
class AccountData:
    """The customer a service is for. ``external_id`` is empty until the vendor knows him.

    ``options`` are the values of :meth:`Connector.account_options`. ``reseller_tenant_id`` and ``mpn_id`` are given for
    an end customer of a reseller only; for personal use, affiliates and direct customers both are empty and no request
    may carry them.
    """

    id: str
    name: str
    external_id: str = ""
    email: str = ""
    phone: str = ""
    website: str = ""
    tax_id: str = ""
    language: str = "en"
    first_name: str = ""
    last_name: str = ""
    address: Address = field(default_factory=Address)
    purchase_mode: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    agreement: AgreementAcceptance | None = None
    mpn_id: str = ""
    reseller_tenant_id: str = ""


@dataclass(frozen=True, slots=True)
class AddOnLine:
    """An add-on in the desired state of a service; ``id`` is ours, ``external_id`` the vendor's once known."""

    id: str
    product_code: str
    name: str
    quantity: int
    external_id: str = ""
    term: str = ""
    billing_cycle: str = ""


@dataclass(frozen=True, slots=True)
class Schedule:
    """What holds from the next renewal on, in absolute values: product, quantity, term and cycle."""

    product_code: str
    quantity: int
    term: str
    billing_cycle: str


@dataclass(frozen=True, slots=True)
class UpgradeOrder:
    """To which product, and how many of a service's licences, an upgrade goes; all of them, or a part."""

    product_code: str
    quantity: int
    term: str
    billing_cycle: str


@dataclass(frozen=True, slots=True)
class UpgradeOption:
    """A product the vendor would upgrade a service to; ``reason`` says why not, if it is not ``eligible`` now."""

    product_code: str
    name: str
    eligible: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ServiceRequest:
    """The whole desired state of one service, as every mutating call carries it.

    ``product_code`` is ``{productId}:{skuId}`` or a legacy offer id. ``confirmed_quantity`` is what the vendor last
    confirmed (0 for a create). ``created_at`` is when the operation was written: lookups search from there.
    ``schedule`` is what is to be scheduled for the renewal; None removes what is. ``upgrade`` is set for the verb
    ``upgrade`` only; ``partner_id`` for the verb ``stamp``: the reseller's MPN ID it is to carry, empty for none.
    """

    subscription_id: str
    account: AccountData
    product_code: str
    product_name: str
    quantity: int
    term: str
    billing_cycle: str
    currency: str
    created_at: dt.datetime
    external_id: str = ""
    external_order_id: str = ""
    segment: str = "commercial"
    confirmed_quantity: int = 0
    auto_renew: bool = True
    is_trial: bool = False
    addons: Sequence[AddOnLine] = ()
    parent_external_id: str = ""
    schedule: Schedule | None = None
    upgrade: UpgradeOrder | None = None
    partner_id: str = ""


@dataclass(frozen=True, slots=True)
class AssetRequest:
    """An asset, bought once and for ever: what is ordered, looked at or given back (``esd.md`` 7, 10, 11).

    ``account`` is whose it is; ``quantity`` licences are bought and given back as a whole. ``attributes`` are those of
    its :class:`ProductDef`. ``currency`` is that of the order line, ``created_at`` when the operation was written,
    ``purchased_at`` when the asset was ordered. ``origin_id`` is the id of the operation that provisioned the asset
    (equal to the present one while that runs), ``transaction_id`` the vendor's own id of that purchase; ``external_id``
    the vendor's id of the licence, empty until known. ``reason`` and ``comment`` go with a return:
    ``customer_request``, ``order_error`` or ``other``.
    """

    asset_id: str
    product_code: str
    product_name: str
    currency: str
    created_at: dt.datetime
    purchased_at: dt.datetime
    account: AccountData
    quantity: int = 1
    segment: str = "commercial"
    order_number: str = ""
    attributes: Mapping[str, Any] = field(default_factory=dict)
    origin_id: str = ""
    external_id: str = ""
    transaction_id: str = ""
    reason: str = "customer_request"
    comment: str = ""


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """The certificate an instance proves itself with; ``thumbprint`` is the SHA-1 of its DER form in capital hex.

    ``key_pem`` is the private key in clear: it stays in memory, in no log and no file.
    """

    thumbprint: str
    certificate_pem: str
    key_pem: str
    currency: str
    expires_at: dt.datetime
