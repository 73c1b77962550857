"""Rooms of the BSS, part b: operations, setup, jobs, catalogue, price lists, mail."""

from django.urls import URLPattern, path

from bss.views import jobs, operations

_OPERATION = "operations/<uuid:public_id>/"

urlpatterns: list[URLPattern] = [
    path("operations/", operations.OperationList.as_view(), name="operation_list"),
    path(_OPERATION, operations.OperationDetail.as_view(), name="operation_detail"),
    path(f"{_OPERATION}retry/", operations.OperationRetry.as_view(), name="operation_retry"),
    path(f"{_OPERATION}check/", operations.OperationCheck.as_view(), name="operation_check"),
    path(f"{_OPERATION}done/", operations.OperationMarkDone.as_view(), name="operation_mark_done"),
    path(f"{_OPERATION}give-up/", operations.OperationGiveUp.as_view(), name="operation_give_up"),
    path("jobs/", jobs.JobList.as_view(), name="job_list"),
    path("jobs/<uuid:public_id>/", jobs.JobDetail.as_view(), name="job_detail"),
]
