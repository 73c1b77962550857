"""Workbooks of long lists: their making, and the files."""

from ui.pages import ExportFile, ExportPage
from users.permissions import Perm


class ExportDetail(ExportPage):
    """Progress, cancel and download of the person's own spreadsheet."""

    perm = Perm.SHOP_VIEW
    layout = "base_storefront.html"
    file_view = "storefront:export_file"


class ExportDownload(ExportFile):
    """The person's own spreadsheet."""

    perm = Perm.SHOP_VIEW
