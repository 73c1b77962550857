"""Workbooks of long lists: their making, and the files."""

from ui.pages import ExportFile, ExportPage
from users.permissions import Perm


class ExportDetail(ExportPage):
    """Progress, cancel and download of the employee's own spreadsheet."""

    perm = Perm.BSS_VIEW
    file_view = "bss:export_file"


class ExportDownload(ExportFile):
    """The employee's own spreadsheet."""

    perm = Perm.BSS_VIEW
