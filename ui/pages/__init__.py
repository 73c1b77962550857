"""Pages as declarations: list, detail, form, action, job (``docs/adding-a-page.md``)."""

from ui.pages.base import Action, Page
from ui.pages.detail import DetailPage, Fact
from ui.pages.exports import ExportFile, ExportPage
from ui.pages.forms import ActionPage, FormPage
from ui.pages.job import JobPage
from ui.pages.lists import BulkAction, ListPage

__all__ = [
    "Action",
    "ActionPage",
    "BulkAction",
    "DetailPage",
    "ExportFile",
    "ExportPage",
    "Fact",
    "FormPage",
    "JobPage",
    "ListPage",
    "Page",
]
