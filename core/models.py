"""The models of ``core``; each lives beside the functions that use it."""

from core.audit import AuditEntry
from core.clock import ClockOffset
from core.custom_fields import CustomField, CustomValues
from core.events import Event
from core.job_files import JobFile, JobFilePiece
from core.jobs import Job, JobLogLine

__all__ = [
    "AuditEntry",
    "ClockOffset",
    "CustomField",
    "CustomValues",
    "Event",
    "Job",
    "JobFile",
    "JobFilePiece",
    "JobLogLine",
]
