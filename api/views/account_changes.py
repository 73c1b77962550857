"""Accounts: make, change by JSON Patch, what a vendor asks about them, and setting them up there (``api.md`` 10.4)."""

from typing import Any

from django.http import HttpResponse
from rest_framework.request import Request

from api.bodies import Body
from api.errors import JSON, ApiError
from api.listing import not_found
from api.resources import accounts
from api.resources.account_patch import read_patch, typed
from api.views.neighbours import ACCOUNTS, WRITE_ACCOUNTS, AccountDetail, AccountList, OfAccount, missing_account
from orders.targets import hold_of
from provisioning.services.links import (
    asked_of_account,
    instances_asking,
    keep_answers,
    status_word,
    synchronize_account,
)
from resellers.enums import AccountStatus
from resellers.models import Account
from resellers.selectors import accounts_for, own_account
from resellers.services.accounts import lock_account, set_credit, set_status, update_account
from vendors.models import Instance

JSON_PATCH = "application/json-patch+json"
CREDIT = ("credit_limit", "is_taxable")
WHY = "Changed by a program"


class AccountCollection(AccountList):
    """``GET, POST /api/accounts``."""

    def post(self, request: Request) -> HttpResponse:
        """As before, unless the reseller is on hold."""
        payer = own_account(self.caller.actor)
        held = hold_of(payer, None) if payer is not None else None
        if held is not None:
            raise held
        return super().post(request)

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
        changes = read_patch(row, self.body(), staff=staff)
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
        found = accounts.read(accounts_for(actor).select_related(None).filter(pk=row.pk), slice(1))[0]
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
        for number, entry in enumerate(entries):
            part = Body(entry, taken=("value", "alias"), pointer=f"/{number}")
            name = known.get(part.text("alias", required=True).lower())
            if name is None:
                raise part.wrong("alias", "The vendor does not ask this.", "unknown_option")
            values[name] = part.text("value", longest=4000)
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
