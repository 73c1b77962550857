"""Accounts: make, change by JSON Patch, what a vendor asks about them, and setting them up there (``api.md`` 10.4)."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse
from rest_framework.request import Request

from api.bodies import Body, Faults
from api.errors import JSON, ApiError, invalid_body
from api.listing import not_found
from api.resources import accounts
from api.resources.account_new import POINTERS, NewAccount, read_new
from api.resources.account_patch import differing, read_patch, typed
from api.resources.custom_values import read_change
from api.views.neighbours import ACCOUNTS, WRITE_ACCOUNTS, AccountDetail, AccountList, OfAccount, missing_account
from core.tenancy import Actor
from orders.targets import hold_of
from provisioning.services.links import (
    asked_of_account,
    instances_asking,
    keep_answers,
    status_word,
    synchronize_account,
)
from resellers.enums import AccountKind, AccountStatus, Edition
from resellers.models import Account
from resellers.selectors import accounts_for, own_account
from resellers.services.accounts import create_account, lock_account, set_credit, set_status, update_account
from resellers.services.custom_fields import set_custom_values
from vendors.models import Instance

JSON_PATCH = "application/json-patch+json"
CREDIT = ("credit_limit", "is_taxable", "note_type")
WHY = "Changed by a program"
NEW_BY_STAFF = (
    "Without isAffiliate and resellingEnabled it is a direct customer. `billingToId`, taken from the distributor's "
    "programs alone, is the id of the reseller the account is billed to: it makes an end customer or, with "
    "isAffiliate, an affiliate account. separateInvoices, autoInvoiceNotification, isBillingFrequencyEnabled and "
    "billingFrequencyMarkup are the same for every account; other values are refused."
)


def hand_on(actor: Actor, row: Account, changes: Mapping[str, Any]) -> None:
    """Give what changes about an account to the services, each of which asks for its own right."""
    company = {name: value for name, value in changes.items() if name not in (*CREDIT, "may_order")}
    if company:
        update_account(actor, account=row, values=company)
    credit = {name: value for name, value in changes.items() if name in CREDIT}
    if credit:
        if credit.get("is_taxable") is False:
            credit["tax_exempt_reason"] = row.tax_exempt_reason or WHY
        set_credit(actor, account=row, values=credit)
    if "may_order" in changes:
        status = AccountStatus.ACTIVE if changes["may_order"] else AccountStatus.SUSPENDED
        set_status(actor, account=row, status=status, reason=WHY)


class AccountCollection(AccountList):
    """``GET, POST /api/accounts``."""

    rights = {"GET": ACCOUNTS, "POST": WRITE_ACCOUNTS}
    refusal_type = "AccountNotCreatedError"
    pointers = POINTERS
    staff_remarks = {"POST": NEW_BY_STAFF}

    def post(self, request: Request) -> HttpResponse:
        """Make a reseller's customer, unless he is on hold, or any account of the organization."""
        payer = own_account(self.caller.actor)
        held = hold_of(payer, None) if payer is not None else None
        if held is not None:
            raise held
        return self.once(lambda: self._create(payer))

    def _create(self, own: Account | None) -> HttpResponse:
        actor, staff = self.caller.actor, not self.caller.is_reseller
        with Faults() as faults:
            new = read_new(self.body(), staff=staff, faults=faults)
            custom: dict[str, Any] = {}
            with faults.part():
                custom = self._custom(new)
            payer = own
            if new.bill_to_id is not None and new.kind != AccountKind.RESELLER:
                payer = self._payer(new.bill_to_id)
        made = create_account(
            actor, kind=new.kind, values=new.values, bill_to=payer, organization=self.caller.client.organization
        )
        hand_on(actor, made, differing(made, new.terms))
        if custom:
            set_custom_values(actor, made, custom)
        row = accounts.read(accounts.account_rows(actor, staff=staff).filter(pk=made.pk), slice(1))[0]
        location = self.raw.build_absolute_uri(f"{self.raw.path.rstrip('/')}/{made.pk}")
        return self.answer(accounts.account(row, staff=staff), status=201, location=location, schema="AccountDto")

    def _custom(self, new: NewAccount) -> dict[str, Any]:
        """The custom fields by their codes; which there are depends on what the account will be."""
        if new.custom_fields is None:
            return {}
        edition = Edition.BASIC if new.kind == AccountKind.RESELLER else ""
        country, organization = new.values.get("country", ""), self.caller.client.organization
        account = Account(organization=organization, kind=new.kind, edition=edition, country=country)
        return read_change(self.caller.actor, account, new.custom_fields, "/customFields")

    def _payer(self, key: int) -> Account:
        found = accounts_for(self.caller.actor).filter(pk=key).first()
        if found is None:
            raise invalid_body("/billingToId", "There is no account with this id.", "account_not_found")
        return found

    def _as_error(self, exc: Exception) -> ApiError:
        found = super()._as_error(exc)
        return typed(found, self.refusal_type) if self.raw.method == "POST" else found


class AccountRow(OfAccount):
    """A call that changes an account."""

    def row(self, account_id: str) -> Account:
        """The account, or 404."""
        key = self.number("accountId", account_id)
        found = accounts_for(self.caller.actor).select_related("bill_to", "organization").filter(pk=key).first()
        if found is None:
            raise missing_account(account_id)
        return found

    def instance(self, system_id: str) -> Instance:
        """The vendor instance by its number, or 404."""
        key = self.number("systemId", system_id)
        found = next((row for row in instances_asking(self.caller.actor) if row.pk == key), None)
        if found is None:
            raise not_found("NotFoundError", "external_system_not_found", "No such external system.")
        return found


class AccountChange(AccountRow, AccountDetail):
    """``GET, PATCH /api/accounts/{accountId}``."""

    rights = {"GET": ACCOUNTS, "PATCH": WRITE_ACCOUNTS}
    refusal_type = "AccountNotUpdatedError"
    body_types = (JSON, JSON_PATCH)

    def patch(self, request: Request, account_id: str) -> HttpResponse:
        """Change the members that the operations name, all or none."""
        row = self.row(account_id)
        return self.once(lambda: self._patch(row))

    def _patch(self, row: Account) -> HttpResponse:
        actor, staff = self.caller.actor, not self.caller.is_reseller
        row = lock_account(actor, row)
        changes, self.pointers = read_patch(row, self.body(), staff=staff)
        hand_on(actor, row, changes)
        found = accounts.read(accounts.account_rows(actor, staff=staff).filter(pk=row.pk), slice(1))[0]
        return self.answer(accounts.account(found, staff=staff))

    def _as_error(self, exc: Exception) -> ApiError:
        found = super()._as_error(exc)
        return typed(found, self.refusal_type) if self.raw.method == "PATCH" else found


class AccountSynchronization(AccountRow):
    """``POST /api/accounts/{accountId}/synchronizations/{systemId}``."""

    rights = {"POST": WRITE_ACCOUNTS}
    refusal_type = "AccountNotUpdatedError"
    answers = "SynchronizeAccountResponseDto"

    def post(self, request: Request, account_id: str, system_id: str) -> HttpResponse:
        """Have the vendor told of the account; known already, or on its way, nothing is done."""
        row, instance = self.row(account_id), self.instance(system_id)
        return self.once(lambda: self._start(row, instance))

    def _start(self, row: Account, instance: Instance) -> HttpResponse:
        link = synchronize_account(self.caller.actor, account=row, instance=instance)
        return self.answer({"success": True, "syncStatus": status_word(link), "error": None})


class AccountSyncOptions(AccountRow):
    """``GET, POST /api/accounts/{accountId}/syncoptions/{systemId}``."""

    rights = {"GET": ACCOUNTS, "POST": WRITE_ACCOUNTS}
    refusal_type = "AccountNotUpdatedError"

    def get(self, request: Request, account_id: str, system_id: str) -> HttpResponse:
        """What the vendor asks about the account, with the answers so far."""
        row, instance = self.row(account_id), self.instance(system_id)
        return self.answer({"systems": [self._system(row, instance)]}, schema="AccountSyncOptionsDto")

    def post(self, request: Request, account_id: str, system_id: str) -> HttpResponse:
        """Keep answers by alias; those that are not sent stay."""
        row, instance = self.row(account_id), self.instance(system_id)
        return self.once(lambda: self._keep(row, instance))

    def _keep(self, row: Account, instance: Instance) -> HttpResponse:
        entries = self.body()
        if not isinstance(entries, list) or len(entries) > 200:
            raise ApiError(400, "invalid_body", "Send an array of at most 200 options.", type=self.refusal_type)
        known = {field.id.lower(): field.id for field, _value in asked_of_account(row, instance)}
        values: dict[str, Any] = {}
        with Faults() as faults:
            for number, entry in enumerate(entries):
                part = Body(entry, taken=("value", "alias"), pointer=f"/{number}", faults=faults)
                alias, value = part.text("alias", required=True), part.text("value", longest=4000)
                if alias.lower() in known:
                    values[known[alias.lower()]] = value
                elif alias:
                    part.fault("alias", "The vendor does not ask this.", "unknown_option")
        keep_answers(self.caller.actor, account=row, instance=instance, values=values)
        location = self.raw.build_absolute_uri(self.raw.path)
        return self.answer(self._system(row, instance), status=201, location=location, schema="AccountSystemDto")

    @staticmethod
    def _system(row: Account, instance: Instance) -> dict[str, Any]:
        options = [
            {"value": value, "alias": field.id, "name": str(field.name), "isMandatory": field.required}
            for field, value in asked_of_account(row, instance)
        ]
        return {"id": instance.pk, "name": str(instance), "code": instance.application.code, "options": options}

    def _as_error(self, exc: Exception) -> ApiError:
        return typed(super()._as_error(exc), self.refusal_type)
