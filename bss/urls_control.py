"""Rooms of control: the audit log, and which role may do what."""

from django.urls import URLPattern, path

from bss.views import audit, roles

urlpatterns: list[URLPattern] = [
    path("audit/", audit.AuditList.as_view(), name="audit_list"),
    path("audit/<uuid:public_id>/", audit.AuditDetail.as_view(), name="audit_detail"),
    path("setup/roles/", roles.RoleMatrix.as_view(), name="role_matrix"),
]
