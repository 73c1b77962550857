"""Microsoft ESD in the demo: an instance for each country of the CIS twin, with certificate, name and catalogue."""

from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings

from catalog.models import Product
from catalog.services.products import publish_products
from cloudbss.demo.certificates import make_certificate
from cloudbss.demo.twins import call_twins
from core import jobs
from core.tenancy import Actor
from provisioning.services.setup import activate, register_applications, save_settings, start_definition, start_test
from vendors.models import Application, Certificate, Instance, InstanceState
from vendors.services.certificates import check_dns, upload_certificate

CODE = "microsoft_esd"
TARGET = "eu.platform.example"
COUNTRIES = {"DE": ("de-DE", "EUR"), "GR": ("el-GR", "EUR"), "US": ("en-US", "USD")}


def install_certificate(operator: Actor, client: Mapping[str, Any], *, host: str, currency: str) -> Certificate:
    """Make a certificate, tell the twin and its name server of it, install it here, and look at its name."""
    made = make_certificate(host)
    call_twins("POST", "/_twin/cis/certificates", body={"client_id": client["client_id"], "pem": made.pem})
    call_twins("POST", "/_twin/names", body={"name": host, "type": "CNAME", "values": [TARGET]})
    row = upload_certificate(
        operator, label=host, content=made.pfx, passphrase=made.code, host_name=host, currency=currency
    )
    return check_dns(operator, certificate=row)


def connection(cis: Mapping[str, Any], client: Mapping[str, Any]) -> dict[str, Any]:
    """The setting fields of stage 1 for the twin."""
    return {
        "resource_api": cis["resource"],
        "service_url": f"{settings.SANDBOX_URL}{cis['service_path']}",
        "tenant": cis["tenant_id"],
        "channel_id": client["channel_id"],
        "client_id": client["client_id"],
    }


def open_instance(operator: Actor, *, country: str, language: str, currency: str) -> Instance:
    """An instance that sells in one country, from certificate to Active; a second call changes its addresses only."""
    register_applications()
    application = Application.objects.get(code=CODE)
    cis = call_twins("GET", "/_twin/credentials")["cis"]
    client = next(row for row in cis["clients"] if row["country"] == country)
    name = f"ESD {country} {currency}"
    rows = Instance.objects.filter(organization_id=operator.tenant_id, application=application)
    found = rows.exclude(state=InstanceState.DELETED).filter(system_name=name).first()
    given, authority = connection(cis, client), {"authority": f"{settings.SANDBOX_URL}/login"}
    if found is not None:
        given |= authority
    row = save_settings(operator, application=application, instance=found, system_name=name, given=given)
    if row.state != InstanceState.DRAFT:
        return row
    host = f"esd-{country}-{currency}.aster.example".lower()
    certificate = Certificate.objects.filter(organization_id=operator.tenant_id, host_name=host).first()
    certificate = certificate or install_certificate(operator, client, host=host, currency=currency)
    market = authority | {"thumbprint": certificate.thumbprint, "country": country, "language": language}
    row = save_settings(operator, application=application, instance=row, system_name=name, given=market)
    run_now(start_test(operator, instance=row))
    row.refresh_from_db()
    return activate(operator, instance=row)


def run_now(job: jobs.Job) -> jobs.Job:
    """Run a background job here and now; raises RuntimeError if it fails."""
    jobs.run_job(job.pk)
    job.refresh_from_db()
    if job.state != jobs.JobState.DONE:
        raise RuntimeError(f"{job.title} ended as {job.state}: {job.error}")
    return job


def build_esd(operator: Actor, say: Callable[[str], None]) -> list[Instance]:
    """The demo's instances, each with its published catalogue."""
    instances = []
    for country, (language, currency) in COUNTRIES.items():
        instance = open_instance(operator, country=country, language=language, currency=currency)
        instances.append(instance)
        mine = Product.objects.filter(product_type__instance=instance)
        if mine.exists():
            continue
        run_now(start_definition(operator, instance=instance))
        done, _refused = publish_products(operator, product_ids=list(mine.values_list("public_id", flat=True)))
        say(f"{done} ESD products for {country}")
    return instances
