"""The models of ``core``; each lives beside the functions that use it."""

from core.audit import AuditEntry
from core.clock import ClockOffset
from core.events import Event
from core.job_files import JobFile, JobFilePiece
from core.jobs import Job, JobLogLine

__all__ = ["AuditEntry", "ClockOffset", "Event", "Job", "JobFile", "JobFilePiece", "JobLogLine"]
