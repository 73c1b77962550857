"""The rooms of certificates, and the instance's page with its checklist."""

import datetime as dt

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from bss.widgets import widgets_for
from core import clock, crypto
from core.audit import AuditEntry
from core.events import Event
from core.jobs import Job
from core.tasks import run_job
from notifications.models import OutgoingMail
from notifications.services.events import process_event
from tests import esd, factories
from tests.bss.staff import actions_of, count_queries, customer_client, rows_of, said, staff_client
from tests.certificates import HOST, PASSPHRASE, installed, make_pfx
from tests.names import name_server
from tests.vendors.test_market import draft, opened, save, small_esd  # noqa: F401 - a fixture for all tests here.
from users.permissions import StaffRole
from vendors.models import Certificate, CertificateState, DnsState, InstanceState
from vendors.services.certificates import warn_of_expiry

pytestmark = pytest.mark.django_db
LIST = reverse("bss:certificate_list")
UPLOAD = reverse("bss:certificate_upload")
PAGES = ("detail", "check_dns", "replace", "retire")


@pytest.fixture
def here():
    return factories.organization()


@pytest.fixture
def staff(here):
    return factories.actor(here)


def page(name, row):
    return reverse(f"bss:certificate_{name}", args=[row.public_id])


def upload(client, content=None, **values):
    """The answer to an upload."""
    given = {"label": "ESD EUR", "passphrase": PASSPHRASE, "host_name": HOST, "currency": "EUR"} | values
    return client.post(UPLOAD, given | {"file": SimpleUploadedFile("esd.pfx", content or make_pfx(HOST))})


def test_upload_leads_to_the_certificate_without_its_key(here):
    client = staff_client(here)
    answer = upload(client)
    row = Certificate.objects.get()
    assert answer["Location"] == page("detail", row)
    shown = client.get(answer["Location"])
    assert said(shown) == ["Installed. Now check the DNS, then choose it in the settings of an instance."]
    key = crypto.decrypt(row.key_cipher)
    texts = [client.get(address).content.decode() for address in (LIST, page("detail", row))]
    texts.append(b"".join(client.get(f"{LIST}?format=csv").streaming_content).decode())
    for text in [*texts, str(list(AuditEntry.objects.values()))]:
        assert row.key_cipher not in text
        assert key.splitlines()[1] not in text
        assert PASSPHRASE not in text


def test_upload_shows_what_is_wrong_at_its_field(here):
    client = staff_client(here)
    wrong = upload(client, passphrase="no")
    assert (wrong.status_code, dict(wrong.context["form"].errors)) == (
        400,
        {"passphrase": ["The passphrase does not open this file."]},
    )
    assert "no" not in wrong.context["form"]["passphrase"].as_widget().split("value")
    big = upload(client, b"x" * 300_000)
    assert dict(big.context["form"].errors) == {"file": ["This file is too large for a certificate."]}
    assert not Certificate.objects.exists()


def test_list_filters_sorts_and_exports(here, staff):
    late = installed(staff, "Late", days=300)
    soon = installed(staff, "Soon", days=10, currency="USD")
    installed(factories.actor(factories.organization()), "Foreign")
    client = staff_client(here)
    assert rows_of(client.get(LIST)) == [soon, late]
    assert rows_of(client.get(f"{LIST}?sort=-label")) == [soon, late]
    assert rows_of(client.get(f"{LIST}?state=expiring")) == [soon]
    assert rows_of(client.get(f"{LIST}?currency=EUR")) == [late]
    assert rows_of(client.get(f"{LIST}?used=yes")) == []
    assert rows_of(client.get(f"{LIST}?q={late.thumbprint}")) == [late]


def test_list_needs_as_many_queries_for_three_rows(here, staff):
    installed(staff, "One")
    client = staff_client(here)
    few = count_queries(client, LIST)
    installed(staff, "Two")
    installed(staff, "Three")
    assert count_queries(client, LIST) == few


def test_rooms_are_for_who_may_and_of_ones_own_organization(here, staff):
    row = installed(staff)
    sales = staff_client(here, StaffRole.SALES)
    buyer = customer_client(here, factories.account(here))
    stranger = staff_client(factories.organization())
    for name in PAGES:
        assert [client.get(page(name, row)).status_code for client in (sales, buyer, stranger)] == [403, 403, 404]
        assert sales.post(page(name, row)).status_code in (403, 405)
    assert [client.get(LIST).status_code for client in (sales, buyer)] == [403, 403]
    assert stranger.post(page("retire", row)).status_code == 404
    row.refresh_from_db()
    assert row.state == CertificateState.INSTALLED


def test_check_dns_is_a_job(here, staff, settings):
    row = installed(staff)
    client = staff_client(here)
    with name_server() as names:
        settings.DNS_RESOLVERS = [names.address]
        settings.CERTIFICATE_CNAME_TARGETS = ["eu.platform.example"]
        names.records[HOST, "CNAME"] = ["eu.platform.example."]
        answer = client.post(page("check_dns", row))
        job = Job.objects.get(kind="vendors.check_dns")
        assert answer["Location"] == reverse("bss:job_detail", args=[job.public_id])
        run_job(job.pk)
    job.refresh_from_db()
    row.refresh_from_db()
    assert (job.state, row.dns_state) == ("done", DnsState.OK)
    assert job.result["message"] == "esd.example.com points to eu.platform.example, as it should."
    assert "eu.platform.example" in client.get(page("detail", row)).content.decode()


def test_actions_say_why_not(here, staff):
    free, used = installed(staff, "Free"), installed(staff, "Used")
    opened(staff, used, "ESD Greece")
    client = staff_client(here)
    assert actions_of(client.get(page("detail", free))) == {
        "Check DNS": "",
        "Replace": "No instance uses it.",
        "Retire": "",
    }
    assert actions_of(client.get(page("detail", used)))["Retire"] == "This certificate is used by ESD Greece."
    assert client.post(page("retire", used)).status_code == 400
    assert client.post(page("retire", free)).status_code == 302
    assert actions_of(client.get(page("detail", free)))["Retire"] == "This certificate is retired already."


def test_replace_offers_free_ones_of_the_currency(here, staff):
    old, new = installed(staff, "Old"), installed(staff, "New")
    installed(staff, "USD", currency="USD")
    row = opened(staff, old)
    client = staff_client(here)
    form = client.get(page("replace", old)).context["form"]
    assert [value for value, _words in form.fields["certificate"].choices] == ["", str(new.public_id)]
    assert client.post(page("replace", old), {"certificate": ""}).status_code == 400
    answer = client.post(page("replace", old), {"certificate": str(new.public_id)})
    assert answer["Location"] == reverse("bss:instance_detail", args=[row.public_id])
    row.refresh_from_db()
    assert (row.certificate, row.state) == (new, InstanceState.ACTIVE)


def test_instance_form_offers_certificates_with_currency_and_end(here, staff):
    free, used = installed(staff, "Free"), installed(staff, "Used", currency="USD")
    opened(staff, used, "ESD Greece")
    row = draft(staff, "ESD Cyprus", client="another")
    client = staff_client(here)
    edit = reverse("bss:instance_edit", args=[row.public_id])
    choices = dict(client.get(edit).context["form"].fields["thumbprint"].choices)
    assert choices[free.thumbprint].startswith("Free · EUR · until ")
    assert choices[used.thumbprint].endswith(" · used by ESD Greece")
    answers = {"system_name": "ESD Cyprus", "client_id": "another"}
    taken = client.post(edit, answers | esd.stage_two(used, country="CY"))
    assert dict(taken.context["form"].errors) == {"thumbprint": ["This certificate is used by ESD Greece."]}
    assert client.post(edit, answers | esd.stage_two(free, country="CY")).status_code == 302
    row.refresh_from_db()
    assert (row.certificate, row.country) == (free, "CY")


def test_first_form_shows_stage_two_closed(here):
    client = staff_client(here)
    create = reverse("bss:instance_create", args=[esd.application().code])
    fields = client.get(create).context["form"].fields
    assert [name for name, field in fields.items() if field.disabled] == ["thumbprint", "country", "language"]
    early = client.post(create, {"system_name": "ESD", "client_id": "x", "country": "GR"})
    assert dict(early.context["form"].errors) == {"country": ["Save the instance first; then Country can be chosen."]}


def test_instance_page_shows_checklist_and_target(here, staff, settings):
    settings.CERTIFICATE_CNAME_TARGETS = ["eu.platform.example"]
    row = draft(staff)
    save(staff, row, **esd.stage_two(installed(staff)))
    client = staff_client(here)
    shown = client.get(reverse("bss:instance_detail", args=[row.public_id]))
    text = shown.content.decode()
    assert [point.is_done for point in shown.context["points"]] == [True, True, False, False, False]
    assert "Set a CNAME from esd.example.com to eu.platform.example, then check the DNS." in text
    Certificate.objects.update(valid_to=clock.now())
    text = client.get(reverse("bss:instance_detail", args=[row.public_id])).content.decode()
    assert "The instance takes no orders." in text
    listed = client.get(reverse("bss:instance_list"))
    assert [(line.country, line.language) for line in rows_of(listed)] == [("GR", "el-GR")]


def test_widget_and_mails_tell_of_the_end(here, staff):
    row = installed(staff, "Soon", days=300)
    admin = factories.user(here, language="en")
    factories.user(here, roles=[StaffRole.SALES.value])
    Certificate.objects.filter(pk=row.pk).update(valid_to=clock.now() + dt.timedelta(days=6))
    shown = {item.name: item for item in widgets_for(staff)[0]}["certificates"]
    assert [(line.label, line.state) for line in shown.lines] == [("Soon", "Expiring")]
    assert warn_of_expiry() == 1
    event = Event.objects.get(name="certificate.expiring")
    process_event(event.pk)
    mails = OutgoingMail.objects.filter(template="certificate_expiring")
    assert admin.email in {mail.recipient for mail in mails}
    assert len(mails) == 2  # Two are Administrators; Sales is not told.
    assert mails[0].subject.startswith("Certificate Soon expires on ")
    assert page("detail", row) in mails[0].text
