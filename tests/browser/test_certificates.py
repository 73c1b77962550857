"""From a PFX file to an active instance in a real browser."""

from pathlib import Path
from typing import Any

import pytest

from core.jobs import Job
from core.tasks import run_job
from tests import esd
from tests.browser.test_viewing import shop
from tests.browser.test_walk import Walk, email_of
from tests.certificates import HOST, PASSPHRASE, installed, make_pfx
from tests.names import name_server
from vendors.models import Certificate, Instance

__all__ = ["shop"]  # The fixture of that walk, for this module too.
pytestmark = pytest.mark.django_db(transaction=True)


def run_jobs() -> None:
    """Do what was put into the queue."""
    for job in Job.objects.filter(state="queued"):
        run_job(job.pk)


def upload(walk: Walk, folder: Path) -> None:
    """Fill the form and send it."""
    page = walk.page
    file = folder / "esd.pfx"
    file.write_bytes(make_pfx("*.example.com", days=20, issuer="An authority"))
    page.fill("input[name=label]", "Greece EUR")
    page.set_input_files("input[name=file]", file)
    page.fill("input[name=passphrase]", "wrong")
    page.fill("input[name=host_name]", HOST)
    page.click("main form.card button[type=submit]")
    page.wait_for_selector("text=The passphrase does not open this file.")
    walk.shot("certificate_upload")
    page.fill("input[name=passphrase]", PASSPHRASE)
    page.set_input_files("input[name=file]", file)
    page.click("main form.card button[type=submit]")
    page.wait_for_selector("text=Public part")


def set_up(walk: Walk) -> Instance:
    """Stage 1, stage 2, and the connection test."""
    page = walk.page
    walk.go(f"/bss/setup/instances/new/{esd.application().code}/")
    page.fill("input[name=system_name]", "ESD Greece")
    page.fill("input[name=client_id]", esd.CLIENT)
    assert page.is_disabled("select[name=thumbprint]")
    walk.shot("instance_first_stage")
    page.click("main form.card button[type=submit]")
    page.select_option("select[name=thumbprint]", index=1)
    page.fill("input[name=country]", "GR")
    page.fill("input[name=language]", "el-GR")
    walk.shot("instance_second_stage")
    page.click("main form.card button[type=submit]")
    page.wait_for_selector("text=Before it can be opened")
    walk.shot("instance_checklist")
    return Instance.objects.get(system_name="ESD Greece")


def test_pfx_to_active_instance(browser: Any, live_server: Any, shop: Any, settings: Any, tmp_path: Path):
    settings.CONNECTORS = settings.CONNECTORS | {esd.CODE: esd.PATH}
    settings.CERTIFICATE_CNAME_TARGETS = ["eu.platform.example", "us.platform.example"]
    installed(shop.staff, "Greece USD", currency="USD")
    walk = Walk(browser, live_server.url)
    page = walk.page
    walk.sign_in(email_of(None))
    walk.go("/bss/setup/certificates/upload/")
    upload(walk, tmp_path)
    walk.shot("certificate_detail")
    row = set_up(walk)
    with name_server() as names:
        settings.DNS_RESOLVERS = [names.address]
        names.records[HOST, "CNAME"] = ["eu.platform.example."]
        page.click(".facts >> text=Greece EUR")
        page.click(".actions >> text=Check DNS")
        page.click("main form button[type=submit]")
        page.wait_for_url("**/jobs/**")
        run_jobs()
    walk.go(f"/bss/setup/instances/{row.public_id}/test/")
    page.click("main form button[type=submit]")
    page.wait_for_url("**/jobs/**")
    run_jobs()
    walk.go(f"/bss/setup/instances/{row.public_id}/activate/")
    page.click("main form button[type=submit]")
    page.wait_for_selector("text=Active: its published products can be ordered.")
    walk.shot("instance_active")
    walk.go(f"/bss/setup/certificates/{Certificate.objects.get(label='Greece EUR').public_id}/replace/")
    walk.shot("certificate_replace")
    for address, name in (
        ("setup/certificates", "certificate_list"),
        ("setup/instances", "instance_list"),
        ("", "home"),
    ):
        walk.go(f"/bss/{address}/".replace("//", "/"))
        walk.shot(name)
    page.set_viewport_size({"width": 400, "height": 850})
    walk.go("/bss/setup/certificates/")
    walk.shot("certificate_list_narrow")
    assert walk.problems == ["Failed to load resource: the server responded with a status of 400 (Bad Request)"]
