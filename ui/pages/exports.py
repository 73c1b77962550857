"""The page of a workbook in the making, and the workbook itself; both are the person's who asked, and nobody else's."""

from typing import Any, ClassVar

from django.http import Http404, HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext_lazy

from core.job_files import JobFile, own_file, read_file
from core.jobs import Job, own_job
from ui.pages.base import Page
from ui.pages.export import EXPORT_LIST
from ui.pages.job import JobPage


class _OwnExport(Page):
    """Finds the export of the address, if it is the actor's own and he may still open its list."""

    def own(self, public_id: object) -> Job:
        """The job; foreign, a colleague's and missing are the same 404."""
        job = own_job(self.actor, public_id, EXPORT_LIST)
        if job is None:
            raise Http404
        self.actor.require(job.params["perm"])
        return job


class ExportPage(_OwnExport, JobPage):
    """Progress, cancel and, in the end, the download. A door names its ``file_view``, the address of the file."""

    file_view: ClassVar[str] = ""
    result_label = gettext_lazy("Download")
    result_icon = "download"

    def load(self, public_id: str) -> Job:
        """The person's own export."""
        return self.own(public_id)

    def may_cancel(self) -> bool:
        """Who started it may stop it."""
        return True

    def crumbs(self) -> list[tuple[str, str]]:
        """Back to the list as it was."""
        params = self.object.params
        try:
            url = reverse(params["view"], kwargs=params["kwargs"])
        except NoReverseMatch:
            return []
        query = f"?{params['query']}" if params["query"] else ""
        return [(params["title"], url + query)]

    def file(self) -> JobFile | None:
        """The file, while it is kept."""
        return own_file(self.actor, self.object)

    def result_url(self) -> str:
        """The file's address."""
        return reverse(self.file_view, args=[self.object.public_id]) if self.file() else ""

    def context(self) -> dict[str, Any]:
        """How long the file is kept, or that it is not any more."""
        file = self.file()
        gone = not file and self.object.state == "done"
        return {"kept_until": file.expires_at if file else None, "size": file.size if file else 0, "is_gone": gone}


class ExportFile(_OwnExport):
    """The finished workbook."""

    def get(self, request: HttpRequest, public_id: str) -> HttpResponseBase:
        """Send it, piece by piece."""
        file = own_file(self.actor, self.own(public_id))
        if file is None:
            raise Http404
        headers = {
            "Content-Disposition": f'attachment; filename="{file.name}"',
            "Content-Length": str(file.size),
            "Cache-Control": "private, no-store",
        }
        return StreamingHttpResponse(read_file(file), content_type=file.content_type, headers=headers)
