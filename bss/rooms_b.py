"""Rooms of the BSS, part b: operations, setup, jobs, catalogue, price lists, mail."""

from django.urls import URLPattern, path

from bss.views import jobs

urlpatterns: list[URLPattern] = [
    path("jobs/", jobs.JobList.as_view(), name="job_list"),
    path("jobs/<uuid:public_id>/", jobs.JobDetail.as_view(), name="job_detail"),
]
