"""A list as a file: CSV as it is read, a workbook at once while it is small, and as a job when it is not."""

import csv
from collections.abc import Iterator
from tempfile import TemporaryFile
from typing import IO, ClassVar

from django.contrib import messages
from django.http import FileResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from core import clock
from core.errors import Conflict
from core.jobs import RUN_BULK_TASK, Job, start_job
from core.selectors import open_job
from ui.pages.rows import Rows
from ui.spreadsheet import XLSX, Progress, sheet_columns, write_xlsx
from ui.tables import capped_count, ordered

EXPORT_LIST = "ui.export_list"
# A workbook of so many rows takes about two seconds; a longer list is a job.
DIRECT_ROWS = 20_000
READ_ROWS = 2000


class _Echo:
    """A file that gives back what is written to it, for streaming."""

    def write(self, text: str) -> str:
        return text


class Export(Rows):
    """The half of a list page that makes files of it: the filtered rows, in the order of the page."""

    export_template: ClassVar[str] = "ui/export_page.html"

    def file_name(self, ending: str) -> str:
        """What a file of this list is called: its address and the day."""
        return f"{self.request.path.strip('/').replace('/', '-')}-{clock.now():%Y-%m-%d}.{ending}"

    def filter_words(self) -> str:
        """What is set, in words."""
        return "; ".join(words for _name, words in self.filter_form.chips())

    def export(self, kind: str) -> HttpResponseBase:
        """The list as ``csv`` or ``xlsx``; one too long for an answer asks first, and is a job then."""
        if kind == "csv":
            return self._csv()
        if capped_count(self.filtered(), DIRECT_ROWS)[1]:
            self.template_name = self.export_template  # type: ignore[misc]
            rest = {"format": None, "after": None, "before": None}
            return self.show(
                limit=DIRECT_ROWS,
                words=self.filter_words(),
                list_url=self.request.path + self.query_with(**rest),
                csv_url=self.request.path + self.query_with(**rest | {"format": "csv"}),
            )
        # The file has no name, so it is gone as soon as the answer is sent and closes it.
        target = TemporaryFile()  # noqa: SIM115
        self.write_workbook(target)
        return FileResponse(target, as_attachment=True, filename=self.file_name("xlsx"), content_type=XLSX)

    def write_workbook(self, target: IO[bytes], progress: Progress | None = None) -> int:
        """Write the list as a workbook; returns the number of rows."""
        return write_xlsx(
            target,
            title=self.page_title(),
            columns=sheet_columns(self.shown_columns()),
            rows=ordered(self.filtered(), self.chosen_sort).iterator(chunk_size=READ_ROWS),
            about=self.filter_words(),
            progress=progress,
        )

    def start_export(self) -> HttpResponseBase:
        """Start the job that writes the workbook, one at a time for each person, and go where it shows itself."""
        match = self.request.resolver_match
        if match is None:
            raise LookupError("an export needs the address of its list")
        key = f"{EXPORT_LIST}:{self.actor.user_id}"
        try:
            job: Job | None = start_job(
                self.actor,
                EXPORT_LIST,
                title=_("Spreadsheet: %(title)s") % {"title": self.page_title()},
                params={
                    "title": self.page_title(),
                    "view": match.view_name,
                    "kwargs": {name: str(value) for name, value in match.kwargs.items()},
                    "query": self.request.GET.urlencode(),
                    "perm": str(self.perm),
                    "site": self.actor.site_id,
                    "language": get_language(),
                    "zone": timezone.get_current_timezone_name(),
                    "file": self.file_name("xlsx"),
                },
                unique_key=key,
                queue_task=RUN_BULK_TASK,
            )
        except Conflict:
            messages.warning(self.request, _("Your last spreadsheet is still being made; wait for it or cancel it."))
            job = open_job(self.actor, key)
        if job is None:
            return redirect(self.request.get_full_path())
        return redirect(reverse(f"{match.namespace}:export_detail", args=[job.public_id]))

    def _csv(self) -> HttpResponseBase:
        columns = sheet_columns(self.shown_columns())
        rows = ordered(self.filtered(), self.chosen_sort)
        writer = csv.writer(_Echo())

        def lines() -> Iterator[str]:
            yield "\ufeff" + str(writer.writerow([column.label for column in columns]))
            for row in rows.iterator(chunk_size=READ_ROWS):
                yield str(writer.writerow([column.text(row) for column in columns]))

        headers = {"Content-Disposition": f'attachment; filename="{self.file_name("csv")}"'}
        return StreamingHttpResponse(lines(), content_type="text/csv; charset=utf-8", headers=headers)
