"""The rules of docs/architecture.md that import-linter cannot see; each must also refuse a bad sample."""

import ast
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.db import models
from django.db.migrations.loader import MigrationLoader

from core.tenancy import TenantOwned
from tests.house import rules
from tests.house.rules import BASE, DOORS, PACKAGES, python_files, relative

Rule = Callable[[str], list[str]]
OURS = (*PACKAGES, "sandbox")
DOOR_FILES = [path for path in python_files(*DOORS) if path.name != "apps.py"]

# Modules outside services that write rows, and why each may.
MAY_WRITE = {
    "core/audit.py": "the audit trail",
    "core/clock.py": "the one row of the clock",
    "core/crypto.py": "rotation of keys",
    "core/events.py": "emit() is the service of events",
    "core/job_files.py": "the file a job leaves",
    "core/jobs.py": "the life of a job",
    "core/outbox.py": "claim, release and sweep",
    "core/pictures.py": "a picture into memory, not a row",
    "core/states.py": "the compare-and-set of every life cycle",
    "users/models.py": "Django's user manager",
    "provisioning/context.py": "steps are committed at once, for connectors",
    "cloudbss/demo/build.py": "the first organization and its users have nobody who could make them",
    "cloudbss/demo/api_clients.py": "the demo tells its secrets again, so they must follow from something",
    "cloudbss/demo/plans.py": "the demo's shop gets its words once, when nobody has written any",
    "cloudbss/demo/licences.py": "an order of the demo has a key of its own, so that it is placed once",
    "cloudbss/demo/usages.py": "the older kind of Azure is sold nowhere any more, so no catalogue brings it",
}
# Names a door may call without an actor, and why.
WITHOUT_ACTOR = {
    "choose_language": "keeps what the person himself chose",
    "absolute": "makes an address",
    "account_fields": "describes a form",
    "new_customer_fields": "describes a form",
    "asked_of_account": "describes a form",
    "asking_instances": "reads rows the caller already holds",
    "draft_lines": "reads a row the caller already holds",
    "kept_answers": "reads a row the caller already holds",
    "status_word": "reads a row the caller already holds",
    "accepted_addresses": "reads the settings of the installation",
    "cname_target": "reads the settings of the installation",
    "image_of": "reads a picture of a site, which everybody may see",
    "may_have_certificate": "answers our own reverse proxy",
    "previewed_site": "reads what a signed token of the site allows",
    "checklist": "reads a row the caller already holds",
    "claim_reply": "belongs to the API client that calls",
    "is_window_closed": "reads a row the caller already holds",
    "window_words": "reads a row the caller already holds",
    "is_set_by_hand": "reads a row the caller already holds",
    "kept_body": "belongs to the API client that calls",
    "keep_reply": "belongs to the API client that calls",
    "note_use": "belongs to the API client that calls",
    "release_reply": "belongs to the API client that calls",
    "token_by_credentials": "makes somebody an actor",
    "token_by_password": "makes somebody an actor",
    "dns_advice": "describes a row the caller already holds",
    "wait_words": "describes a form",
    "expected_targets": "reads the settings of the installation",
    "billing_address": "reads a row the caller already holds",
    "fields_of": "describes a form",
    "own_certificate": "reads a row the caller already holds",
    "standard_text": "describes a form",
    "what_stops": "reads rows the caller already holds",
    "cost_today": "reckons with a row the caller already holds",
    "decided_words": "reads a row the caller already holds",
    "credit_of": "reads the ledger of an account the caller already holds",
    "detail_fields": "describes a form",
    "detail_state": "reads a basket the caller already holds",
    "is_stale": "reads a row the caller already holds",
    "next_period_price": "reckons with a row the caller already holds",
    "preview_schedule": "reckons with a row the caller already holds",
    "price_of_next_period": "reckons with a row the caller already holds",
    "renews_at": "reckons with a row the caller already holds",
    "taxed": "reckons with a row the caller already holds",
    "window_of": "reckons with a row the caller already holds",
}
# Models that belong to no organization, and why.
GLOBAL_MODELS = {
    "core.ClockOffset": "the clock of the installation",
    "users.User": "belongs to a realm, which may be an organization or a reseller's site",
    "resellers.Organization": "is the tenant",
    "vendors.Application": "registered once per installation",
}
# Modules that speak HTTP to the outside.
MAY_SPEAK_HTTP = ("core/http.py", "sso/", "notifications/delivery")


def findings(rule: Rule, paths: Iterable[Path]) -> dict[str, list[str]]:
    """File to findings, only files that have some."""
    found = {relative(path): rule(path.read_text()) for path in paths}
    return {name: items for name, items in found.items() if items}


def is_service(path: Path) -> bool:
    return path.parts[-1] == "services.py" or "services" in path.relative_to(BASE).parts[1:-1]


def test_modules_are_short():
    assert findings(rules.long_modules, [*python_files(*OURS, "tests"), BASE / "manage.py"]) == {}


def test_functions_are_short():
    assert findings(rules.long_functions, python_files(*OURS)) == {}


def test_imports_inside_functions_have_a_reason():
    assert findings(rules.unexplained_imports, python_files(*OURS, "tests")) == {}


def test_no_wildcard_imports():
    # The settings of an environment are base.py with a few changes; Django knows no other way.
    paths = [path for path in python_files(*OURS, "tests") if "settings" not in path.parts]
    assert findings(rules.wildcard_imports, paths) == {}


def test_doors_read_through_selectors():
    assert findings(rules.managers, DOOR_FILES) == {}


def test_only_services_write():
    paths = [path for path in python_files(*PACKAGES) if not is_service(path) and relative(path) not in MAY_WRITE]
    assert findings(rules.writes, paths) == {}


def test_exceptions_are_still_needed():
    unneeded = [name for name in MAY_WRITE if not rules.writes((BASE / name).read_text())]
    assert unneeded == []


def test_tasks_are_named_envelopes():
    assert findings(rules.fat_tasks, python_files(*PACKAGES)) == {}


def test_one_clock():
    paths = [path for path in python_files(*PACKAGES) if relative(path) != "core/clock.py"]
    assert findings(rules.clocks, paths) == {}


def test_http_is_spoken_in_one_place_per_vendor():
    paths = [
        path
        for path in python_files(*PACKAGES)
        if not relative(path).startswith(MAY_SPEAK_HTTP) and "client" not in {*path.parts, path.stem}
    ]
    assert findings(rules.http_imports, paths) == {}


def test_no_model_signals():
    assert findings(rules.signals, python_files(*PACKAGES)) == {}


def test_migrations_can_be_undone():
    assert findings(rules.one_way_migrations, BASE.glob("*/migrations/*.py")) == {}


def test_templates_hold_no_code():
    paths = [path for path in (BASE / "templates").rglob("*.html") if "mail" not in path.relative_to(BASE).parts]
    assert findings(rules.inline_code, paths) == {}


def test_mails_hold_no_scripts():
    # Mail programs know no style sheets, so a mail carries its styles in attributes; nothing else is allowed inline.
    found = findings(rules.inline_code, (BASE / "templates" / "mail").rglob("*.html"))
    assert {name: items for name, items in found.items() if any("style attribute" not in item for item in items)} == {}


def services_called(door: str) -> list[tuple[str, str]]:
    """(module, name) of the services a door's module imports."""
    nodes = (node for node in ast.walk(ast.parse(door)) if isinstance(node, ast.ImportFrom) and node.module)
    return [(node.module, item.name) for node in nodes if ".services" in (node.module or "") for item in node.names]  # type: ignore[misc]


def test_services_called_by_doors_take_the_actor_first():
    called = {pair for path in DOOR_FILES for pair in services_called(path.read_text())}
    missing = []
    for module, name in sorted(called):
        file = BASE / (module.replace(".", "/") + ".py")
        if file.exists() and name in rules.actorless_services(file.read_text()) and name not in WITHOUT_ACTOR:
            missing.append(f"{module}.{name}")
    assert missing == []


def own_models() -> list[type[models.Model]]:
    return [model for model in apps.get_models() if model.__module__.split(".")[0] in settings.LOCAL_APPS]


def test_every_model_has_a_tenant():
    assert {model._meta.label for model in own_models() if not issubclass(model, TenantOwned)} == set(GLOBAL_MODELS)


def test_no_model_overrides_save_or_counts_in_floats():
    assert [model for model in own_models() if "save" in vars(model) or "delete" in vars(model)] == []
    fields = [field for model in own_models() for field in model._meta.get_fields()]
    assert [field for field in fields if isinstance(field, models.FloatField)] == []


def test_every_model_has_an_order():
    # One row needs none.
    assert {model._meta.label for model in own_models() if not model._meta.ordering} == {"core.ClockOffset"}


def test_every_app_is_under_contract():
    contracts = (BASE / ".importlinter").read_text()
    assert [name for name in settings.LOCAL_APPS if f"\n    {name}\n" not in contracts] == []
    assert set(settings.LOCAL_APPS) == set(PACKAGES)


def test_migrations_have_one_end_per_app():
    assert MigrationLoader(None).detect_conflicts() == {}


LONG = "def long():\n" + "    pass\n" * 50
TASK = "@shared_task(name='x')\ndef work():\n" + "    pass\n" * 15


@pytest.mark.parametrize(
    ("rule", "sample"),
    [
        (rules.long_modules, "x = 1\n" * 501),
        (rules.long_functions, LONG),
        (rules.unexplained_imports, "def work():\n    import os\n"),
        (rules.unexplained_imports, "def work():\n    import os  # noqa: E402\n"),
        (rules.wildcard_imports, "from os import *\n"),
        (rules.managers, "rows = Order.objects.filter(pk=1)\n"),
        (rules.writes, "row.save()\n"),
        (rules.writes, "row.delete()\n"),
        (rules.writes, "Order.objects.create(number=1)\n"),
        (rules.writes, "Order.objects.filter(pk=1).update(number=1)\n"),
        (rules.fat_tasks, TASK),
        (rules.fat_tasks, "@shared_task\ndef work():\n    pass\n"),
        (rules.clocks, "import datetime as dt\nnow = dt.datetime.now(dt.UTC)\n"),
        (rules.clocks, "now = timezone.now()\n"),
        (rules.http_imports, "import requests\n"),
        (rules.http_imports, "from urllib3.util import Retry\n"),
        (rules.signals, "from django.db.models.signals import post_save\n"),
        (rules.actorless_services, "def place(order):\n    pass\n"),
        (rules.one_way_migrations, "operations = [migrations.RunSQL('SELECT 1')]\n"),
        (rules.inline_code, "<script>alert(1)</script>"),
        (rules.inline_code, "<style>p {}</style>"),
        (rules.inline_code, '<p style="color: red">'),
        (rules.inline_code, '<button onclick="go()">'),
        (rules.inline_code, '<a href="javascript:go()">'),
    ],
)
def test_rule_refuses_a_bad_sample(rule: Rule, sample: str):
    assert len(rule(sample)) == 1


@pytest.mark.parametrize(
    ("rule", "sample"),
    [
        (rules.unexplained_imports, "def work():\n    import os  # Heavy, and seldom needed.\n"),
        (rules.unexplained_imports, "def work():\n    # Heavy, and seldom needed.\n    import os\n"),
        (rules.managers, "rows = Order.objects.none()\n"),
        (rules.writes, "cache.delete('key')\nclient.create(order)\n"),
        (rules.clocks, "now = clock.now()\n"),
        (rules.http_imports, "from core.http import http_client\n"),
        (rules.actorless_services, "def place(actor, *, basket):\n    pass\n\n\ndef _helper(row):\n    pass\n"),
        (rules.one_way_migrations, "operations = [migrations.RunSQL('SELECT 1', reverse_sql='SELECT 2')]\n"),
        (rules.inline_code, '<script src="/static/ui/page.js" defer></script>{# <style> #}'),
    ],
)
def test_rule_accepts_a_good_sample(rule: Rule, sample: str):
    assert rule(sample) == []
