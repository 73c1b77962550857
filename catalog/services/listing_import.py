"""Many listings at once from a table: names, shelves, order, price rules, and what stands in the shop.

The dry run does all of it and takes it back, so that it cannot promise anything else than what happens. One bad row
refuses the whole table. A column that the table does not have stays as it is; an empty cell takes away what was there.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from catalog import sheet
from catalog.desk import Desk, desk_of, desk_products, own_listing
from catalog.effects import Effect, EffectLine, summed
from catalog.models import Category, Listing, ListingState, Product, SellingKind, SellingPolicy, SellingRule
from catalog.selling import warnings_of
from catalog.services.listings import list_products, require_shop, unlist_products
from catalog.services.selling import RuleDraft, check_rule, price_warning
from catalog.shop import SellingBook
from core import audit, clock
from core.bulk import upsert
from core.errors import BusinessError, Conflict
from core.tenancy import Actor
from resellers.models import Account

MAX_POSITION = 32767
USUAL_POSITION = 100
MAX_NAME = 255
BATCH = 1000


class Row(Protocol):
    """One line of the table: its number in the file, and its cells as text by their heads."""

    @property
    def number(self) -> int:
        """Counted from 1, the head included."""

    @property
    def cells(self) -> Mapping[str, str]:
        """By heads in lower case."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a row cannot be taken."""

    number: int
    message: str


@dataclass(frozen=True, slots=True)
class RowChange:
    """What a row changes of one product: each thing with its text before and after."""

    number: int
    product: Product
    parts: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Imported:
    """What a table changes or changed. ``digest`` stands for all of it; ``effect`` is about prices of changed rules."""

    rows: int
    changes: tuple[RowChange, ...]
    problems: tuple[Problem, ...]
    effect: Effect
    listed: int
    unlisted: int

    @property
    def digest(self) -> str:
        """The same for the same changes, so that nobody confirms what he did not see."""
        told = [(change.number, change.product.pk, change.parts) for change in self.changes]
        return hashlib.sha256(repr((told, self.effect)).encode()).hexdigest()


@dataclass(slots=True)
class _Wanted:
    """What a row asks for one product."""

    number: int
    product: Product
    listed: bool | None = None
    values: dict[str, Any] = field(default_factory=dict)
    rules: list[RuleDraft] | None = None


@transaction.atomic
def preview_import(actor: Actor, *, reseller: Account, rows: Sequence[Row]) -> Imported:
    """What the table would change, and every row that cannot be taken; changes nothing."""
    require_shop(actor, reseller)
    found = _Import(actor, reseller).run(rows)
    transaction.set_rollback(True)
    return found


@transaction.atomic
def run_import(
    actor: Actor, *, reseller: Account, rows: Sequence[Row], seen: str, accepted: Collection[str] = ()
) -> Imported:
    """Take the table over, all or nothing. ``seen`` is the digest of the preview that was confirmed.

    Raises BusinessError ``import_refused`` if a row cannot be taken, ``price_warning`` unless every warning's code is
    in ``accepted``, and Conflict ``changed_meanwhile`` if the table would change something else by now. The audit log
    keeps numbers and percentages, no amounts.
    """
    require_shop(actor, reseller)
    found = _Import(actor, reseller).run(rows)
    if found.problems:
        raise BusinessError("import_refused", _("Nothing was changed: some rows cannot be taken."))
    if found.digest != seen:
        raise Conflict("changed_meanwhile", _("Something changed meanwhile. Look at the changes again."))
    open_warnings = [warn for warn in found.effect.warnings if warn.code not in accepted]
    if open_warnings:
        raise price_warning(open_warnings)
    after: dict[str, Any] = {"number": len(found.changes), "listed": found.listed, "unlisted": found.unlisted}
    if found.effect.warnings:
        after["warnings"] = " ".join(warn.message for warn in found.effect.warnings)
    audit.record(actor, "listing.imported", reseller, after=after, account=reseller)
    return found


class _Import:
    """One run over a table, within the caller's transaction."""

    def __init__(self, actor: Actor, reseller: Account) -> None:
        self.actor, self.reseller = actor, reseller
        self.desk: Desk = desk_of(reseller)
        self.problems: list[Problem] = []
        self.known: Mapping[int, list[SellingRule]] = {}
        rows = Category.objects.filter(organization_id=reseller.organization_id)
        self.shelves = {row.name.casefold(): row for row in rows.order_by("-position", "-id")}

    def run(self, rows: Sequence[Row]) -> Imported:
        """Write what the rows ask for, and say what changed; one import of a shop at a time."""
        start = {"organization_id": self.reseller.organization_id}
        SellingPolicy.objects.get_or_create(account=self.reseller, defaults=start)
        SellingPolicy.objects.select_for_update(of=("self",)).get(account=self.reseller)
        wanted = self._wanted(rows)
        parts: dict[int, list[tuple[str, str, str]]] = {row.product.pk: [] for row in wanted}
        self._save_values(wanted, parts)
        lines = self._save_rules(wanted, parts)
        listed, unlisted = self._move(wanted, parts)
        changes = tuple(
            RowChange(row.number, row.product, tuple(parts[row.product.pk])) for row in wanted if parts[row.product.pk]
        )
        problems = tuple(sorted(self.problems, key=lambda problem: problem.number))
        return Imported(len(rows), changes, problems, summed(lines), listed, unlisted)

    def _refuse(self, number: int, message: str) -> None:
        self.problems.append(Problem(number, message))

    def _wanted(self, rows: Sequence[Row]) -> list[_Wanted]:
        """The rows whose cells make sense, each with its product; a product stands in one row alone."""
        by_code, by_id = self._products(rows)
        found: dict[int, _Wanted] = {}
        for row in rows:
            code, key = row.cells.get(sheet.CODE, ""), row.cells.get(sheet.PRODUCT_ID, "").lower()
            fitting = [by_id[key]] if key in by_id else [] if key else by_code.get(code, [])
            if len(fitting) != 1:
                self._refuse(row.number, self._unknown(code, key, many=bool(fitting)))
                continue
            product = fitting[0]
            if product.pk in found:
                words = _("%(product)s stands in row %(number)s already.")
                self._refuse(row.number, words % {"product": product, "number": found[product.pk].number})
                continue
            try:
                found[product.pk] = self._read(row, product)
            except BusinessError as error:
                self._refuse(row.number, error.message)
        return list(found.values())

    def _unknown(self, code: str, key: str, *, many: bool) -> str:
        if not code and not key:
            return _("There is no product code.")
        if many:
            return _("Several products have the code %(code)s: add the column “product id”.") % {"code": code}
        return _("No product you may sell has the code %(code)s.") % {"code": code or key}

    def _products(self, rows: Sequence[Row]) -> tuple[dict[str, list[Product]], dict[str, Product]]:
        codes = {row.cells.get(sheet.CODE, "") for row in rows}
        keys = {key for row in rows if (key := _uuid(row.cells.get(sheet.PRODUCT_ID, "")))}
        products = list(desk_products(self.actor, self.desk).filter(Q(code__in=codes) | Q(public_id__in=keys)))
        self.known = sheet.own_rules(self.reseller, [row.pk for row in products] if len(products) <= BATCH else None)
        by_code: dict[str, list[Product]] = {}
        for product in products:
            by_code.setdefault(product.code, []).append(product)
        return by_code, {str(product.public_id): product for product in products}

    def _read(self, row: Row, product: Product) -> _Wanted:
        cells, found, listing = row.cells, _Wanted(row.number, product), own_listing(product)
        if sheet.LISTED in cells:
            found.listed = _yes_no(cells[sheet.LISTED])
        if sheet.NAME in cells:
            name = cells[sheet.NAME]
            if len(name) > MAX_NAME:
                raise BusinessError("name_too_long", _("The name is longer than 255 characters."))
            if name != (listing.name if listing else ""):
                found.values["name"] = "" if name == product.name else name
        if sheet.ORDER in cells:
            found.values["position"] = _position(cells[sheet.ORDER])
        shelf = (listing.category if listing else None) or product.category
        if sheet.CATEGORY in cells and cells[sheet.CATEGORY] != (shelf.name if shelf else ""):
            found.values["category"] = self._shelf(cells[sheet.CATEGORY], product)
        if sheet.RULE in cells:
            found.rules = self._drafts(cells[sheet.RULE], product)
        return found

    def _shelf(self, name: str, product: Product) -> Category | None:
        shelf = self.shelves.get(name.casefold())
        if name and shelf is None:
            raise BusinessError("category_missing", _("There is no category %(name)s.") % {"name": name})
        return None if shelf is None or shelf.pk == product.category_id else shelf

    def _drafts(self, text: str, product: Product) -> list[RuleDraft]:
        if text and self.desk.price_list is None:
            raise BusinessError("price_list_missing", _("You have no price list at the moment. Ask your distributor."))
        drafts = []
        for written in sheet.read_rules(text, self.desk.currency):
            draft = RuleDraft(written.kind, written.value, product=product)
            if written.kind == SellingKind.FIXED:
                draft = RuleDraft(written.kind, written.value, plan=self._plan(written.plan, product))
            check_rule(self.reseller, draft)
            drafts.append(draft)
        if len({draft.plan.pk if draft.plan else None for draft in drafts}) != len(drafts):
            raise BusinessError("rule_twice", _("Write one rule for the product, and one fixed price for each plan."))
        return drafts

    def _plan(self, code: str, product: Product) -> Any:
        plans = {sheet.plan_code(item.plan): item.plan for item in self.desk.prices(product)}
        # A rule may be about a plan that cannot be bought at the moment; as it is, it stays.
        ruled = [row.plan for row in self.known.get(product.pk, ()) if row.plan]
        wanted = next(iter(plans)) if not code and len(plans) == 1 else code
        known = {sheet.plan_code(plan).lower(): plan for plan in (*ruled, *plans.values())}
        if wanted.lower() not in known:
            words = _("Say which plan the fixed price is of: %(plans)s.")
            raise BusinessError("plan_missing", words % {"plans": ", ".join(sorted(plans)) or "—"})
        found = known[wanted.lower()]
        found.product = product
        return found

    def _save_values(self, wanted: Iterable[_Wanted], parts: Mapping[int, list[tuple[str, str, str]]]) -> None:
        """Names, order and shelves that differ; a product that never was in the shop gets its row."""
        changed: list[Listing] = []
        for row in wanted:
            listing = own_listing(row.product) or _blank(self.reseller, row.product)
            for name, value in row.values.items():
                before = getattr(listing, name)
                if before != value:
                    setattr(listing, name, value)
                    parts[row.product.pk].append((str(_LABELS[name]), _said(before), _said(value)))
            listing.sort_name = listing.name or row.product.name
            if parts[row.product.pk]:
                changed.append(listing)
        if changed:
            rows = ([getattr(listing, name) for name in _COLUMNS] for listing in changed)
            upsert(Listing, rows, fields=_COLUMNS, key=("account", "product"), update=_SAVED)

    def _save_rules(
        self, wanted: Iterable[_Wanted], parts: Mapping[int, list[tuple[str, str, str]]]
    ) -> list[EffectLine]:
        """Rules that differ, from today on; what they do to the prices of their products."""
        asked = [(row.product, row.rules) for row in wanted if row.rules is not None]
        gone: list[SellingRule] = []
        fresh: list[SellingRule] = []
        touched: list[Product] = []
        for product, drafts in asked:
            before = {(row.product_id, row.plan_id): row for row in self.known.get(product.pk, [])}
            rules = [self._row(draft) for draft in drafts or ()]
            new = [row for row in rules if not _same(row, before.get((row.product_id, row.plan_id)))]
            scopes = {(row.product_id, row.plan_id) for row in rules}
            old = [row for scope, row in before.items() if scope not in scopes]
            if new or old:
                touched.append(product)
                fresh += new
                gone += [*old, *(before[key] for row in new if (key := (row.product_id, row.plan_id)) in before)]
                told = (_("Price rule"), sheet.write_rules(before.values()), sheet.write_rules(rules))
                parts[product.pk].append(told)
        self._replace(gone, fresh)
        return self._lines(touched, {row.pk for row in fresh})

    def _row(self, draft: RuleDraft) -> SellingRule:
        cost = None
        if draft.plan is not None:
            prices = self.desk.prices(draft.plan.product)
            cost = next((item.cost for item in prices if draft.plan.pk == item.plan.pk), None) or None
        rule = draft.rule(self.desk.currency, cost)
        return SellingRule(
            organization_id=self.reseller.organization_id,
            account=self.reseller,
            product=draft.product if rule.product_id else None,
            plan=draft.plan,
            kind=rule.kind,
            value=rule.value,
            currency=rule.currency,
            cost_seen=rule.cost_seen,
            valid_from=clock.now().date(),
        )

    def _replace(self, gone: Collection[SellingRule], fresh: Collection[SellingRule]) -> None:
        """Delete what is in effect of the old scopes, older ones too; write the new ones."""
        rows = SellingRule.objects.filter(account=self.reseller, customer=None, category=None)
        rows = rows.filter(valid_from__lte=clock.now().date())
        rows.filter(plan=None, product__in=[row.product_id for row in gone if row.product_id]).delete()
        rows.filter(plan__in=[row.plan_id for row in gone if row.plan_id]).delete()
        try:
            with transaction.atomic():
                SellingRule.objects.bulk_create(fresh, batch_size=BATCH)
        except IntegrityError as error:
            raise Conflict("changed_meanwhile", _("Something changed meanwhile. Look at the changes again.")) from error

    def _lines(self, products: Iterable[Product], fresh: Collection[int]) -> list[EffectLine]:
        prices, before = self.desk.price_list, self.desk.book
        chosen = list(products)
        if prices is None or before is None or not chosen:
            return []
        then = SellingBook.load(self.reseller, None, price_list=prices, policy=before.policy)
        found = []
        for product in chosen:
            for item in self.desk.prices(product):
                old, new = item.sold, then.price(item.plan, item.cost)
                typed = old.amount if old and old.rule.kind == SellingKind.FIXED else None
                told = warnings_of(new, then.policy, before=typed) if new and new.rule.id in fresh else []
                found.append(EffectLine(item.plan, item.cost, old, new, tuple(told)))
        return found

    def _move(self, wanted: Iterable[_Wanted], parts: Mapping[int, list[tuple[str, str, str]]]) -> tuple[int, int]:
        """List and unlist as asked; what cannot be listed is a problem of its row."""
        rising: list[Product] = []
        falling: list[Product] = []
        numbers: dict[int, int] = {}
        for row in wanted:
            listing = own_listing(row.product)
            is_listed = listing is not None and listing.state == ListingState.LISTED
            if row.listed is None or row.listed == is_listed:
                continue
            numbers[row.product.pk] = row.number
            (rising if row.listed else falling).append(row.product)
            words = (_("no"), _("yes"))
            parts[row.product.pk].append((_("Listed"), words[is_listed], words[row.listed]))
        done = list_products(self.actor, reseller=self.reseller, products=rising) if rising else None
        for product, reason in done.refused if done else ():
            self._refuse(numbers[product.pk], reason)
        gone = unlist_products(self.actor, reseller=self.reseller, products=falling) if falling else None
        return (done.done if done else 0), (gone.done if gone else 0)


_SAVED = ("name", "position", "category_id", "sort_name")
_COLUMNS = ("organization_id", "account_id", "product_id", "state", "summary", "description", "picture", *_SAVED)
_LABELS = {
    "name": gettext_lazy("Name"),
    "position": pgettext_lazy("position", "Order"),
    "category": gettext_lazy("Category"),
}


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _said(value: object) -> str:
    return "" if value is None else str(value)


def _blank(reseller: Account, product: Product) -> Listing:
    return Listing(organization_id=reseller.organization_id, account=reseller, product=product)


def _same(row: SellingRule, known: SellingRule | None) -> bool:
    if known is None:
        return False
    return (row.kind, row.value, row.currency) == (known.kind, known.value, known.currency)


def _yes_no(text: str) -> bool | None:
    word = text.casefold()
    if word and word not in sheet.YES | sheet.NO:
        raise BusinessError("listed_unreadable", _("Write yes or no under “listed”, not %(text)s.") % {"text": text})
    return None if not word else word in sheet.YES


def _position(text: str) -> int:
    if not text:
        return USUAL_POSITION
    if not text.isascii() or not text.isdigit() or int(text[:6]) > MAX_POSITION:
        raise BusinessError("position_range", _("Write a whole number from 0 to 32767 under “order”."))
    return int(text)
