"""A reseller's uploaded table on its way into the shop: kept for an hour, looked at, taken over.

A table of more than :data:`DIRECT_ROWS` rows is looked at and taken over by a worker. What it would change is kept
beside the table and not in the job, for the distributor's people read jobs too, and selling prices are not for them.
"""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.core.cache import cache
from django.utils import translation
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from catalog import sheet
from catalog.selling import Warn
from catalog.services.listing_import import Problem, Row, preview_import, run_import
from core.errors import BusinessError, NotVisible
from core.jobs import RUN_BULK_TASK, Job, JobRun, JobState, handler, start_job
from core.tenancy import Actor
from resellers.models import Account, Site
from resellers.selectors import actor_of_job, own_account

LOOK, TAKE = "catalog.look_at_import", "catalog.take_import"
# So many rows take about a second.
DIRECT_ROWS = 1000
KEPT_SECONDS = 3600
SHOWN = 200
# Refusals after which the changes are shown once more, to be confirmed anew.
ASKED_AGAIN = frozenset({"import_refused", "price_warning", "changed_meanwhile"})


@dataclass(frozen=True, slots=True)
class UploadedTable:
    """What was uploaded: the file's name, the heads in lower case, the rows."""

    name: str
    heads: tuple[str, ...]
    rows: tuple[Row, ...]

    @property
    def is_long(self) -> bool:
        """Whether a worker has to look at it."""
        return len(self.rows) > DIRECT_ROWS


@dataclass(frozen=True, slots=True)
class ShownChange:
    """What a row changes of one product: each thing with its text before and after."""

    number: int
    name: str
    code: str
    parts: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """What a table would change: numbers, and the first :data:`SHOWN` changes and problems.

    ``digest`` is what a confirmation names, ``ignored`` are heads nothing is taken from, ``refusal`` says why the
    changes that were confirmed before were not made.
    """

    file_name: str
    rows: int
    changed: int
    changes: tuple[ShownChange, ...]
    wrong: int
    problems: tuple[Problem, ...]
    listed: int
    unlisted: int
    up: int
    down: int
    warnings: tuple[Warn, ...]
    digest: str
    ignored: tuple[str, ...]
    refusal: str = ""

    @property
    def more_changes(self) -> int:
        """Changes that are not shown."""
        return self.changed - len(self.changes)

    @property
    def more_problems(self) -> int:
        """Problems that are not shown."""
        return self.wrong - len(self.problems)


def _key(actor: Actor) -> str:
    return f"shop-import:{actor.account_id}:{actor.user_id}"


def _kept(key: str, token: str) -> Any:
    kept_token, found = cache.get(key) or ("", None)
    return found if kept_token == token else None


def keep_table(actor: Actor, table: UploadedTable) -> str:
    """Keep a table for an hour for this person alone, instead of his last one; gives back its name."""
    token = uuid.uuid4().hex
    cache.set(_key(actor), (token, table), KEPT_SECONDS)
    return token


def kept_table(actor: Actor, token: str) -> UploadedTable | None:
    """The person's own table of this name, while it is kept."""
    found: UploadedTable | None = _kept(_key(actor), token)
    return found


def kept_preview(actor: Actor, token: str) -> Preview | None:
    """What a worker found that the table would change, as long as the table is kept."""
    found: Preview | None = _kept(f"{_key(actor)}:seen", token)
    return found


def look_at(actor: Actor, *, reseller: Account, table: UploadedTable) -> Preview:
    """What a table would change; changes nothing."""
    found = preview_import(actor, reseller=reseller, rows=table.rows)
    return Preview(
        file_name=table.name,
        rows=found.rows,
        changed=len(found.changes),
        changes=tuple(
            ShownChange(row.number, row.product.name, row.product.code, row.parts) for row in found.changes[:SHOWN]
        ),
        wrong=len(found.problems),
        problems=found.problems[:SHOWN],
        listed=found.listed,
        unlisted=found.unlisted,
        up=found.effect.up,
        down=found.effect.down,
        warnings=found.effect.warnings,
        digest=found.digest,
        ignored=tuple(head for head in table.heads if head not in (*sheet.COLUMNS, sheet.USUAL_NAME)),
    )


def take_over(
    actor: Actor, *, reseller: Account, token: str, table: UploadedTable, seen: str, accepted: Collection[str]
) -> Mapping[str, int]:
    """Do what was confirmed, as :func:`catalog.services.listing_import.run_import`, and forget the table."""
    done = run_import(actor, reseller=reseller, rows=table.rows, seen=seen, accepted=accepted)
    if kept_table(actor, token) is not None:  # Not one that he has uploaded meanwhile.
        cache.delete_many([_key(actor), f"{_key(actor)}:seen"])
    return {"changed": len(done.changes), "listed": done.listed, "unlisted": done.unlisted}


def start_look(actor: Actor, token: str, table: UploadedTable) -> Job:
    """Have a worker look at a long table."""
    return _start(actor, LOOK, _("Look at %(file)s") % {"file": table.name}, token)


def start_take(actor: Actor, token: str, table: UploadedTable, *, seen: str, accepted: Sequence[str]) -> Job:
    """Have a worker take a long table over; one at a time for each shop, else Conflict ``job_running``."""
    title = _("Import %(file)s") % {"file": table.name}
    return _start(actor, TAKE, title, token, key=f"{TAKE}:{actor.account_id}", seen=seen, accepted=list(accepted))


def _start(actor: Actor, kind: str, title: str, token: str, *, key: str = "", **params: Any) -> Job:
    given = {"token": token, "site": actor.site_id, "language": get_language(), **params}
    return start_job(actor, kind, title=title[:200], params=given, unique_key=key, queue_task=RUN_BULK_TASK)


def waits_for_confirmation(actor: Actor, job: Job) -> bool:
    """Whether the changes a job found can be looked at and confirmed."""
    asked = job.state == (JobState.DONE if job.kind == LOOK else JobState.FAILED)
    return asked and kept_preview(actor, str(job.params["token"])) is not None


@handler(LOOK)
def _look(run: JobRun) -> Mapping[str, Any]:
    with translation.override(run.params["language"]):
        actor, reseller, table = _opened(run)
        _keep_preview(actor, run, look_at(actor, reseller=reseller, table=table))
        return {"rows": len(table.rows)}


@handler(TAKE)
def _take(run: JobRun) -> Mapping[str, Any]:
    with translation.override(run.params["language"]):
        actor, reseller, table = _opened(run)
        token, seen, accepted = run.params["token"], run.params["seen"], run.params["accepted"]
        try:
            return take_over(actor, reseller=reseller, token=token, table=table, seen=seen, accepted=accepted)
        except BusinessError as error:
            if error.code in ASKED_AGAIN:
                preview = look_at(actor, reseller=reseller, table=table)
                _keep_preview(actor, run, replace(preview, refusal=str(error.message)))
            # What else the error knows are prices, which are not for everybody who reads jobs.
            raise BusinessError(error.code, error.message) from error


def _opened(run: JobRun) -> tuple[Actor, Account, UploadedTable]:
    """Who started the job, as he may act now, his shop and the table; refused if one is not there any more."""
    job = run.job
    site = Site.objects.filter(pk=run.params["site"], organization_id=job.organization_id).first()
    actor = actor_of_job(job, site)
    reseller = own_account(actor) if actor is not None else None
    if actor is None or reseller is None:
        raise NotVisible("shop_missing", _("This shop does not exist."))
    table = kept_table(actor, str(run.params["token"]))
    if table is None:
        raise BusinessError("table_gone", _("The file was not kept any longer. Upload it again."))
    number = len(table.rows)
    run.report(0, 0, ngettext("%(n)s row", "%(n)s rows", number) % {"n": number})
    return actor, reseller, table


def _keep_preview(actor: Actor, run: JobRun, preview: Preview) -> None:
    cache.set(f"{_key(actor)}:seen", (run.params["token"], preview), KEPT_SECONDS)
