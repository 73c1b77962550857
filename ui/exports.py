"""The job that writes a long list as a workbook: the list's page once more, for the person who asked.

The job keeps which list, which filters and who; rows, columns and rights are found anew when it runs, so that nobody
gets what he may not see any more.
"""

from collections.abc import Mapping
from tempfile import TemporaryFile
from typing import Any, cast

from django.http import Http404, HttpRequest, QueryDict
from django.urls import resolve, reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.errors import BusinessError, NotVisible
from core.job_files import keep_file
from core.jobs import Job, JobRun, handler
from resellers.middleware import ActorRequest
from resellers.models import Site
from resellers.selectors import actor_of_job
from ui.pages.export import EXPORT_LIST
from ui.pages.lists import ListPage
from ui.spreadsheet import XLSX


@handler(EXPORT_LIST)
def export_list(run: JobRun) -> Mapping[str, Any]:
    """Write the workbook and keep it for a day; returns the number of rows."""
    with translation.override(run.params["language"]), timezone.override(run.params["zone"]):
        page = page_of(run.job)
        total = page.filtered().order_by().count()

        def progress(done: int) -> None:
            words = ngettext("%(n)s row", "%(n)s rows", done) % {"n": done}
            run.report(done, max(total, done), words)

        progress(0)
        with TemporaryFile() as target:
            rows = page.write_workbook(target, progress)
            progress(rows)
            keep_file(run.job, target, name=run.params["file"], content_type=XLSX)
        return {"rows": rows}


def page_of(job: Job) -> ListPage:
    """The list's page as its person would open it now; raises PermissionRefused, or NotVisible if it is gone."""
    params = job.params
    path = reverse(params["view"], kwargs=params["kwargs"])
    match = resolve(path)
    kind = getattr(match.func, "view_class", None)
    if not (isinstance(kind, type) and issubclass(kind, ListPage)):
        raise BusinessError("list_unknown", _("There is no such list."))
    request = cast(ActorRequest, HttpRequest())
    request.method, request.path, request.path_info = "GET", path, path
    request.GET = cast(Any, QueryDict(params["query"]))
    request.resolver_match = match
    site = Site.objects.filter(pk=params["site"], organization_id=job.organization_id).first()
    request.site, request.organization = site, site.organization if site else None
    actor = actor_of_job(job, site)
    if actor is None or job.user is None:
        raise _gone()
    request.user, request.actor = job.user, actor
    page = kind()
    page.setup(request, *match.args, **match.kwargs)
    try:
        page.actor.require(kind.perm)
        page.page_title()
    except Http404 as error:
        raise _gone() from error
    return page


def _gone() -> NotVisible:
    return NotVisible("list_gone", _("This list is not there any more, or it is not yours to see."))
