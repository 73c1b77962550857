"""The market of an instance: its two stages, what must be single, and what a replaced certificate sets going again."""

import pytest

from core import clock
from core.audit import AuditEntry
from core.errors import BusinessError, Conflict, PermissionRefused
from core.jobs import Job, JobState
from core.tasks import run_job
from provisioning.services import certificates as binding
from provisioning.services import setup
from provisioning.services.market import checklist
from subscriptions.enums import OperationState
from subscriptions.models import Operation
from tests import esd, factories
from tests.certificates import installed
from tests.shop import fill_basket, make_shop, place
from users.permissions import StaffRole
from vendors.models import AccountLink, Certificate, DnsState, Instance, InstanceState

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def small_esd(settings, monkeypatch):
    settings.CONNECTORS = settings.CONNECTORS | {esd.CODE: esd.PATH}
    monkeypatch.setitem(esd.ANSWER, "refuses", False)


@pytest.fixture
def here():
    return factories.organization()


@pytest.fixture
def staff(here):
    return factories.actor(here)


def save(actor, instance=None, name="", **given) -> Instance:
    return setup.save_settings(
        actor,
        application=esd.application(),
        instance=instance,
        system_name=name or (instance.system_name if instance else "ESD"),
        given=given,
    )


def draft(actor, name="ESD", client=esd.CLIENT) -> Instance:
    return save(actor, None, name, client_id=client)


def refused(actor, instance=None, **given) -> tuple[str, dict[str, str]]:
    """The code and the fields of a refusal."""
    with pytest.raises(BusinessError) as caught:
        save(actor, instance, "Another" if instance is None else "", **given)
    return caught.value.code, caught.value.context["fields"]


def after_test(actor, instance: Instance) -> Instance:
    """The instance after a connection test."""
    run_job(setup.start_test(actor, instance=instance).pk)
    return Instance.objects.get(pk=instance.pk)


def opened(actor, certificate: Certificate, name="ESD", client=esd.CLIENT, **values) -> Instance:
    """An Active instance."""
    Certificate.objects.filter(pk=certificate.pk).update(dns_state=DnsState.OK)
    row = draft(actor, name, client)
    save(actor, row, **esd.stage_two(certificate, **values))
    return setup.activate(actor, instance=after_test(actor, row))


def test_stage_two_is_refused_before_the_first_save(staff):
    code, fields = refused(staff, client_id=esd.CLIENT, thumbprint="A" * 40, country="GR")
    assert code == "additional_field_before_save"
    assert fields == {
        "thumbprint": "Save the instance first; then Certificate Thumbprint can be chosen.",
        "country": "Save the instance first; then Country can be chosen.",
    }
    assert not Instance.objects.exists()


def test_missing_field_is_named_and_keeps_the_state(staff):
    assert refused(staff, client_id="") == ("settings_invalid", {"client_id": "This field is required."})
    row = draft(staff)
    certificate = installed(staff)
    required = {"language": "This field is required."}
    assert refused(staff, row, **esd.stage_two(certificate, language="")) == ("settings_invalid", required)
    save(staff, row, thumbprint=certificate.thumbprint, country="GR")
    row = after_test(staff, row)
    assert row.state == InstanceState.DRAFT
    save(staff, row, language="el-GR")
    ready = after_test(staff, row)
    assert refused(staff, ready, language="")[1] == required
    ready.refresh_from_db()
    assert (ready.state, ready.language) == (InstanceState.READY, "el-GR")


def test_roles_become_columns_and_the_currency_is_the_certificates(staff):
    row = draft(staff, client=esd.CLIENT.upper())
    certificate = installed(staff, currency="USD")
    save(staff, row, **esd.stage_two(certificate, country="gr"))
    row.refresh_from_db()
    assert (row.client_key, row.certificate, row.country, row.language, row.currency) == (
        esd.CLIENT,
        certificate,
        "GR",
        "el-GR",
        "USD",
    )


def test_ready_once_a_token_was_fetched(staff, monkeypatch):
    row = draft(staff)
    save(staff, row, **esd.stage_two(installed(staff)))
    row.refresh_from_db()
    assert row.state == InstanceState.DRAFT
    monkeypatch.setitem(esd.ANSWER, "refuses", True)
    assert after_test(staff, row).state == InstanceState.DRAFT
    assert Job.objects.get().state == JobState.FAILED
    monkeypatch.setitem(esd.ANSWER, "refuses", False)
    ready = after_test(staff, row)
    assert ready.state == InstanceState.READY
    save(staff, ready, language="en-GR")
    ready.refresh_from_db()
    assert (ready.state, ready.language) == (InstanceState.READY, "en-GR")


def test_token_alone_makes_it_ready(staff, monkeypatch):
    row = draft(staff)
    save(staff, row, **esd.stage_two(installed(staff)))
    monkeypatch.setitem(esd.ANSWER, "reads", False)
    assert after_test(staff, row).state == InstanceState.READY
    assert Job.objects.get().error == "The catalogue could not be read."


def test_settings_changed_during_the_test_are_not_taken_for_tested(staff):
    row = draft(staff)
    save(staff, row, **esd.stage_two(installed(staff)))
    row.refresh_from_db()
    setup.settle_test(staff, row, version=row.settings_version - 1)
    row.refresh_from_db()
    assert row.state == InstanceState.DRAFT


def test_certificate_must_be_an_installed_one_of_the_house(staff):
    row = draft(staff)
    foreign = installed(factories.actor(factories.organization()))
    offered = ("settings_invalid", {"thumbprint": "Choose one of the offered values."})
    assert refused(staff, row, thumbprint=foreign.thumbprint) == offered
    assert refused(staff, row, thumbprint="F" * 40) == offered
    row.refresh_from_db()
    assert row.certificate is None


def test_certificate_serves_one_instance(staff):
    certificate = installed(staff)
    first = draft(staff, "ESD Greece")
    save(staff, first, thumbprint=certificate.thumbprint)
    second = draft(staff, "ESD Cyprus", client="another")
    _code, fields = refused(staff, second, thumbprint=certificate.thumbprint)
    assert fields == {"thumbprint": "This certificate is used by ESD Greece."}
    setup.delete(staff, instance=first)
    assert save(staff, second, thumbprint=certificate.thumbprint).certificate == certificate


def test_client_id_serves_one_country(staff):
    first, second = draft(staff, "One"), draft(staff, "Two")
    save(staff, first, country="GR")
    _code, fields = refused(staff, second, country="CY")
    assert fields == {"client_id": "This Client ID already serves GR; Microsoft issues one per country."}
    assert save(staff, second, country="GR").country == "GR"
    other = draft(factories.actor(factories.organization()), "Elsewhere")
    assert save(factories.actor(other.organization), other, country="CY").country == "CY"


def test_market_is_served_by_one_active_instance(staff):
    opened(staff, installed(staff, "EUR 1"), "One")
    second = draft(staff, "Two")
    certificate = installed(staff, "EUR 2")
    Certificate.objects.filter(pk=certificate.pk).update(dns_state=DnsState.OK)
    save(staff, second, **esd.stage_two(certificate))
    ready = after_test(staff, second)
    words = "An instance for GR/el-GR/EUR exists."
    with pytest.raises(BusinessError) as caught:
        setup.activate(staff, instance=ready)
    assert caught.value.message == words
    assert setup.obstacles(staff, ready)["activate"] == words
    save(staff, ready, language="en-GB")
    active = setup.activate(staff, instance=ready)
    assert refused(staff, active, language="el-GR") == ("settings_invalid", {"country": words})


def test_two_currencies_in_one_country_are_two_instances(staff):
    one = opened(staff, installed(staff, "EUR"), "One")
    two = opened(staff, installed(staff, "USD", currency="USD"), "Two")
    assert [(row.state, row.currency) for row in (one, two)] == [("active", "EUR"), ("active", "USD")]


def test_dns_blocks_activation_and_not_saving(staff, settings):
    settings.CERTIFICATE_CNAME_TARGETS = ["eu.platform.example"]
    row = draft(staff)
    certificate = installed(staff)
    save(staff, row, **esd.stage_two(certificate))
    ready = after_test(staff, row)
    with pytest.raises(BusinessError, match=r"^Set a CNAME from esd.example.com to eu.platform.example, then check"):
        setup.activate(staff, instance=ready)
    Certificate.objects.filter(pk=certificate.pk).update(dns_state=DnsState.OTHER, dns_target="parking.example.net")
    with pytest.raises(BusinessError, match=r"^esd.example.com points to parking.example.net."):
        setup.activate(staff, instance=ready)
    Certificate.objects.filter(pk=certificate.pk).update(dns_state=DnsState.OK)
    assert setup.activate(staff, instance=ready).state == InstanceState.ACTIVE


def test_expired_certificate_blocks_activation(staff):
    certificate = installed(staff)
    row = setup.deactivate(staff, instance=opened(staff, certificate))
    Certificate.objects.filter(pk=certificate.pk).update(valid_to=clock.now())
    with pytest.raises(BusinessError, match=r"^The certificate expired on"):
        setup.activate(staff, instance=row)


def test_country_and_client_lock_once_something_was_sold(staff, monkeypatch):
    row = opened(staff, installed(staff))
    monkeypatch.setattr("provisioning.services.market.services_of", lambda _instance: 1)
    words = "Create a new instance for another country."
    assert refused(staff, row, country="CY", client_id="x")[1] == {"country": words, "client_id": words}
    assert refused(staff, row, thumbprint=installed(staff, "USD", currency="USD").thumbprint)[1] == {
        "thumbprint": "Choose a certificate in EUR."
    }
    assert save(staff, row, language="en-GB").language == "en-GB"


def test_replacing_takes_another_of_the_currency_and_changes_nothing_else(staff):
    old, new = installed(staff, "Old"), installed(staff, "New")
    row = opened(staff, old)
    before = row.read_settings()
    changed = binding.replace_certificate(staff, instance=row, certificate=new)
    assert (changed.certificate, changed.state) == (new, InstanceState.ACTIVE)
    assert changed.read_settings() == before | {"thumbprint": new.thumbprint}
    entry = AuditEntry.objects.get(action="certificate.bound")
    assert (entry.before, entry.after) == ({"thumbprint": old.thumbprint}, {"thumbprint": new.thumbprint})
    with pytest.raises(BusinessError, match=r"^Choose a certificate in EUR.$"):
        binding.replace_certificate(staff, instance=row, certificate=installed(staff, "USD", currency="USD"))
    Certificate.objects.filter(pk=old.pk).update(valid_to=clock.now())
    with pytest.raises(BusinessError, match=r"^The certificate expired on"):
        binding.replace_certificate(staff, instance=row, certificate=old)
    with pytest.raises(PermissionRefused):
        sales = factories.actor(row.organization, roles=[StaffRole.SALES.value])
        binding.replace_certificate(sales, instance=row, certificate=old)


def test_replacing_sends_what_waited_again(here, staff):
    old, new = installed(staff, "Old"), installed(staff, "New")
    row = opened(staff, old)
    link = AccountLink.objects.create(organization=here, account=factories.account(here), instance=row)
    waits = Operation.objects.create(
        organization=here,
        instance=row,
        account=link.account,
        account_link=link,
        verb="account_sync",
        state=OperationState.ATTENTION,
        code="misconfigured",
        reason_kind="misconfigured",
        not_before=clock.now(),
    )
    other = draft(staff, "Another", client="another")
    save(staff, other, country="CY")
    waits.refresh_from_db()
    assert waits.state == OperationState.ATTENTION
    binding.replace_certificate(staff, instance=row, certificate=new)
    before = waits.public_id
    waits.refresh_from_db()
    assert (waits.state, waits.public_id) == (OperationState.QUEUED, before)
    assert AuditEntry.objects.filter(action="operation.retried", object_id=before).count() == 1


def test_replacing_needs_an_instance_with_a_certificate(here, staff):
    with pytest.raises(Conflict):
        binding.replace_certificate(staff, instance=factories.instance(here), certificate=installed(staff))


def test_changed_settings_wake_operations_that_waited_for_them():
    shop = make_shop()
    place(shop.customer_admin, fill_basket(shop, shop.customer_admin))
    row = Operation.objects.get(verb="create")
    staff = shop.staff
    waiting = {"state": OperationState.ATTENTION, "code": "misconfigured", "reason_kind": "misconfigured"}
    Operation.objects.filter(pk=row.pk).update(**waiting, depends_on=None)
    setup.wake_misconfigured(factories.actor(factories.organization()), factories.instance(factories.organization()))
    row.refresh_from_db()
    assert row.state == OperationState.ATTENTION
    assert setup.wake_misconfigured(staff, shop.instance) == 1
    row.refresh_from_db()
    assert (row.state, row.reason_kind) == (OperationState.QUEUED, "")
    Operation.objects.filter(pk=row.pk).update(state=OperationState.ATTENTION, code="contract")
    assert setup.wake_misconfigured(staff, shop.instance) == 0


def test_checklist_says_what_to_do(here, staff, settings):
    settings.CERTIFICATE_CNAME_TARGETS = ["eu.platform.example"]
    row = draft(staff)
    assert [point.is_done for point in checklist(row)] == [False] * 5
    save(staff, row, **esd.stage_two(installed(staff)))
    row.refresh_from_db()
    assert [point.is_done for point in checklist(row)] == [True, True, False, False, False]
    Certificate.objects.update(dns_state=DnsState.OK)
    row = after_test(staff, row)
    row.last_definition_at = clock.now()
    assert [point.is_done for point in checklist(row)] == [True] * 5
    assert checklist(factories.instance(here)) == []
