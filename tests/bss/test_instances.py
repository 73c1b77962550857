"""Applications Setup: instances, their settings and the consent round trip."""

import uuid
from urllib.parse import parse_qs, urlsplit

import pytest
from django.urls import reverse

from core import crypto
from core.jobs import Job
from tests import factories
from tests.bss.staff import actions_of, count_queries, rows_of, staff_client
from users.permissions import StaffRole
from vendors.models import ConsentState, Instance, InstanceState

pytestmark = pytest.mark.django_db
LIST = reverse("bss:instance_list")
KEY = "not-for-anybody's-eyes"


def connection(**values):
    """Answers of stage 1."""
    return {
        "system_name": "Partner Center Europe",
        "environment": "primary",
        "cloud": "global",
        "partner_type": "direct",
        "partner_tenant": "contoso.example",
        "application_id": str(uuid.uuid4()),
        "application_key": KEY,
    } | values


@pytest.fixture
def here():
    return factories.organization()


@pytest.fixture
def instance(here) -> Instance:
    return factories.instance(here, settings=connection())


def page(name: str, row: Instance) -> str:
    return reverse(f"bss:instance_{name}", args=[row.public_id])


def create_url(instance: Instance) -> str:
    return reverse("bss:instance_create", args=[instance.application.code])


def test_list_shows_own_instances(here, instance):
    factories.instance(factories.organization())
    client = staff_client(here)
    assert rows_of(client.get(LIST)) == [instance]
    assert staff_client(here, StaffRole.SALES).get(LIST).status_code == 403


def test_list_needs_as_many_queries_for_three_rows(here, instance):
    client = staff_client(here)
    few = count_queries(client, LIST)
    factories.instance(here)
    factories.instance(here)
    assert count_queries(client, LIST) == few


def test_detail_shows_settings_without_secrets(here, instance):
    response = staff_client(here).get(page("detail", instance))
    settings = dict(response.context["settings"])
    assert settings["Partner type"] == "Direct CSP"
    assert settings["Application key"] == "Stored"
    assert KEY not in response.content.decode()
    assert list(actions_of(response)) == [
        "Edit settings",
        "Test connection",
        "Consent",
        "Get services definition",
        "Deactivate",
    ]


def test_detail_of_another_organization_is_not_there(instance):
    stranger = staff_client(factories.organization())
    for name in ("detail", "edit", "test", "definition", "activate", "deactivate", "delete", "consent"):
        assert stranger.get(page(name, instance)).status_code == 404
    assert stranger.post(page("deactivate", instance)).status_code == 404
    instance.refresh_from_db()
    assert instance.state == InstanceState.ACTIVE


def test_create_stores_a_draft_and_leads_to_stage_two(here, instance):
    client = staff_client(here)
    form = client.get(create_url(instance)).context["form"]
    assert form.fields["markets"].disabled
    assert form.fields["markets"].help_text == "Save the instance first; then Markets can be chosen."
    early = client.post(create_url(instance), connection(markets="DE"))
    assert dict(early.context["form"].errors) == {"markets": ["Save the instance first; then Markets can be chosen."]}
    response = client.post(create_url(instance), connection())
    made = Instance.objects.get(system_name="Partner Center Europe", organization=here)
    assert response["Location"] == page("edit", made)
    assert made.state == InstanceState.DRAFT
    assert made.read_settings()["application_key"] == KEY
    assert not client.get(page("edit", made)).context["form"].fields["markets"].disabled


def test_create_shows_errors_at_their_fields(here, instance):
    client = staff_client(here)
    wrong = client.post(create_url(instance), connection(application_id="x", application_key=""))
    assert list(wrong.context["form"].errors) == ["application_id"]
    nothing = client.post(create_url(instance), connection(application_key=""))
    assert dict(nothing.context["form"].errors) == {"application_key": ["Give a key or a certificate, not both."]}
    assert Instance.objects.filter(organization=here).count() == 1


def test_edit_keeps_empty_secrets_and_completes_the_instance(here, instance):
    Instance.objects.filter(pk=instance.pk).update(state=InstanceState.DRAFT)
    client = staff_client(here)
    shown = client.get(page("edit", instance))
    assert KEY not in shown.content.decode()
    stage_two = {
        "markets": ["DE"],
        "currencies": ["EUR"],
        "language": "en-US",
        "segments": ["commercial"],
        "families": ["microsoft_365"],
    }
    answer = client.post(page("edit", instance), connection(application_key="") | stage_two)
    assert answer["Location"] == page("detail", instance)
    instance.refresh_from_db()
    assert instance.state == InstanceState.READY
    values = instance.read_settings()
    assert (values["application_key"], values["markets"]) == (KEY, ["DE"])


def test_edit_can_remove_a_secret_only_for_another(here, instance):
    client = staff_client(here)
    data = connection(application_key="", application_key__clear="on")
    assert client.post(page("edit", instance), data).status_code == 400
    instance.refresh_from_db()
    assert instance.read_settings()["application_key"] == KEY


def test_states_are_changed_once_and_told_why_not(here, instance):
    client = staff_client(here)
    assert client.post(page("activate", instance)).status_code == 400
    assert client.post(page("deactivate", instance)).status_code == 302
    instance.refresh_from_db()
    assert instance.state == InstanceState.INACTIVE
    assert actions_of(client.get(page("detail", instance)))["Get services definition"] == "Activate the instance first."
    assert client.post(page("delete", instance))["Location"] == LIST
    instance.refresh_from_db()
    assert instance.state == InstanceState.DELETED
    assert client.get(page("detail", instance)).status_code == 404


def test_test_and_definition_start_one_job_each(here, instance):
    client = staff_client(here)
    tested = client.post(page("test", instance))
    job = Job.objects.get(kind="provisioning.test_connection")
    assert tested["Location"] == reverse("bss:job_detail", args=[job.public_id])
    assert client.post(page("definition", instance), {"accept_loss": "on"}).status_code == 302
    run = Job.objects.get(kind="provisioning.pull_definition")
    assert run.params == {"instance": str(instance.public_id), "accept_loss": True, "full": True}
    again = client.post(page("definition", instance))
    assert again.status_code == 400
    assert "A run is already in progress." in again.content.decode()
    assert Job.objects.count() == 2


def begin(client, instance) -> dict[str, str]:
    """Start the consent; returns what the vendor was told."""
    response = client.get(page("consent", instance))
    query = parse_qs(urlsplit(response.context["address"]).query)
    return {name: values[0] for name, values in query.items()}


def back(instance: Instance) -> str:
    return reverse("bss:consent_return", args=[instance.public_id])


def test_consent_leads_to_the_vendor_and_back(here, instance):
    client = staff_client(here)
    told = begin(client, instance)
    assert told["redirect_uri"] == f"http://{factories.site_of(here).host}{back(instance)}"
    answer = {"code": "the-code", "id_token": "the-token", "state": told["state"], "strange": "x"}
    assert client.post(back(instance), answer).status_code == 200
    job = Job.objects.get(kind="provisioning.finish_consent")
    assert job.params["redirect_uri"] == told["redirect_uri"]
    assert "the-code" not in str(job.params)
    sent = crypto.decrypt_json(job.params["form"])
    assert sent == {"code": "the-code", "id_token": "the-token", "state": told["state"]}
    again = client.post(back(instance), answer)
    assert again.status_code == 400
    assert "This consent was not started here." in again.content.decode()
    assert Job.objects.count() == 1


@pytest.mark.parametrize("state", ["", "wrong"])
def test_consent_with_another_state_is_refused(here, instance, state):
    client = staff_client(here)
    begin(client, instance)
    assert client.post(back(instance), {"code": "the-code", "state": state}).status_code == 400
    assert Job.objects.count() == 0
    instance.refresh_from_db()
    assert instance.consent == ConsentState.GIVEN


def test_consent_of_one_person_does_not_count_for_another(here, instance):
    told = begin(staff_client(here), instance)
    other = staff_client(here)
    begin(other, instance)
    assert other.post(back(instance), {"code": "the-code", "state": told["state"]}).status_code == 400
    assert Job.objects.count() == 0


def test_consent_answer_across_sites_is_posted_once_more(here, instance, client):
    host = {"host": factories.site_of(here).host}
    response = client.post(back(instance), {"code": "the-code", "state": "s", "evil": "x"}, headers=host)
    assert response.status_code == 200
    assert response.context["answer"] == {"code": "the-code", "state": "s"}
    relayed = client.post(back(instance), {"code": "the-code", "state": "s", "relayed": "1"}, headers=host)
    assert relayed.status_code == 302
    assert relayed["Location"].startswith(reverse("account_login"))
    assert Job.objects.count() == 0
