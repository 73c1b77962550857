"""What import-linter cannot see, as functions from a source text to findings; tests/test_architecture.py applies them.

A finding is ``line: what``. Every rule takes text, so that the test can also show it a bad sample.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

BASE = Path(__file__).resolve().parents[2]
PACKAGES = (
    "core",
    "users",
    "resellers",
    "clients",
    "vendors",
    "catalog",
    "subscriptions",
    "billing",
    "orders",
    "provisioning",
    "notifications",
    "sso",
    "tenants",
    "office365",
    "microsoft_esd",
    "ui",
    "storefront",
    "bss",
    "api",
    "cloudbss",
)
DOORS = ("storefront", "bss", "api")
MODULE_LINES = 500
FUNCTION_LINES = 50
TASK_LINES = 15
WRITES = {"create", "update", "delete", "bulk_create", "bulk_update", "get_or_create", "update_or_create"}
CLOCKS = {("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"), ("timezone", "now"), ("date", "today")}
HTTP_LIBRARIES = {"requests", "msal", "urllib3", "httpx", "aiohttp"}
Function = ast.FunctionDef | ast.AsyncFunctionDef


def python_files(*packages: str) -> list[Path]:
    """Python files of packages, without migrations."""
    found = (path for package in packages for path in sorted((BASE / package).rglob("*.py")))
    return [path for path in found if "migrations" not in path.parts and "__pycache__" not in path.parts]


def relative(path: Path) -> str:
    return str(path.relative_to(BASE))


def _functions(tree: ast.AST) -> Iterator[Function]:
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def _span(node: Function) -> int:
    """Lines of the body and one for the head: parameters, each on a line of its own, are read like a table."""
    first = node.body[0].lineno
    return (node.end_lineno or first) - first + 2


def _chain(node: ast.expr) -> list[str]:
    """``Order.objects.filter(...).update`` as its names, from left to right."""
    names: list[str] = []
    while True:
        if isinstance(node, ast.Call | ast.Subscript):
            node = node.func if isinstance(node, ast.Call) else node.value
        elif isinstance(node, ast.Attribute):
            names.append(node.attr)
            node = node.value
        else:
            return [*([node.id] if isinstance(node, ast.Name) else []), *reversed(names)]


def long_modules(source: str) -> list[str]:
    lines = len(source.splitlines())
    return [f"{lines}: more than {MODULE_LINES} lines"] if lines > MODULE_LINES else []


def long_functions(source: str) -> list[str]:
    tree = ast.parse(source)
    return [
        f"{node.lineno}: {node.name} has {_span(node)} lines"
        for node in _functions(tree)
        if _span(node) > FUNCTION_LINES
    ]


def unexplained_imports(source: str) -> list[str]:
    """Imports inside functions without a comment on the line or on the one above."""
    lines = source.splitlines()
    found = []
    for function in _functions(ast.parse(source)):
        for node in ast.walk(function):
            if isinstance(node, ast.Import | ast.ImportFrom):
                near = lines[max(node.lineno - 2, 0) : node.end_lineno]
                if not any(re.search(r"#\s*(?!noqa|type:)\w", line) for line in near):
                    found.append(f"{node.lineno}: import inside {function.name} without a reason")
    return found


def wildcard_imports(source: str) -> list[str]:
    nodes = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ImportFrom))
    return [f"{node.lineno}: wildcard import" for node in nodes if any(name.name == "*" for name in node.names)]


def managers(source: str) -> list[str]:
    """Uses of ``.objects`` except for ``.objects.none()``."""
    tree = ast.parse(source)
    harmless = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr == "none" and isinstance(node.value, ast.Attribute)
    }
    return [
        f"{node.lineno}: .objects"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr == "objects" and id(node) not in harmless
    ]


def writes(source: str) -> list[str]:
    """Statements that write rows: ``x.save()``, ``x.delete()`` and writing calls on a manager."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        name, chain = node.func.attr, _chain(node.func)
        on_manager = name in WRITES and ("objects" in chain or "_base_manager" in chain)
        on_row = name == "save" or (name == "delete" and not node.args)
        if on_manager or on_row:
            found.append(f"{node.lineno}: {'.'.join(chain)}()")
    return found


def fat_tasks(source: str) -> list[str]:
    """Celery tasks without a name, or longer than an envelope."""
    found = []
    for node in _functions(ast.parse(source)):
        for decorator in node.decorator_list:
            chain = _chain(decorator)
            if chain[-1:] not in (["shared_task"], ["task"]):
                continue
            named = isinstance(decorator, ast.Call) and any(word.arg == "name" for word in decorator.keywords)
            if not named:
                found.append(f"{node.lineno}: task {node.name} has no name")
            if _span(node) > TASK_LINES:
                found.append(f"{node.lineno}: task {node.name} has {_span(node)} lines")
    return found


def clocks(source: str) -> list[str]:
    nodes = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    return [
        f"{node.lineno}: {'.'.join(_chain(node.func))}()" for node in nodes if tuple(_chain(node.func)[-2:]) in CLOCKS
    ]


def http_imports(source: str) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(source)):
        names = [item.name for item in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
        found += [f"{node.lineno}: imports {name}" for name in names if name.split(".")[0] in HTTP_LIBRARIES]
    return found


def signals(source: str) -> list[str]:
    """Model signals, which hide who calls whom."""
    nodes = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ImportFrom))
    return [f"{node.lineno}: imports model signals" for node in nodes if node.module == "django.db.models.signals"]


def actorless_services(source: str) -> list[str]:
    """Public functions of a services module whose first parameter is not ``actor``."""
    return [
        node.name
        for node in ast.parse(source).body
        if isinstance(node, Function)
        and not node.name.startswith("_")
        and [item.arg for item in node.args.posonlyargs + node.args.args][:1] != ["actor"]
    ]


def one_way_migrations(source: str) -> list[str]:
    """``RunPython`` and ``RunSQL`` without a way back."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and _chain(node.func)[-1:] in (["RunPython"], ["RunSQL"]):
            words = {word.arg for word in node.keywords}
            if len(node.args) < 2 and not words & {"reverse_code", "reverse_sql"}:
                found.append(f"{node.lineno}: {_chain(node.func)[-1]} cannot be undone")
    return found


INLINE = (
    (re.compile(r"<script(?![^>]*\bsrc=)[^>]*>", re.IGNORECASE), "inline script"),
    (re.compile(r"<style\b", re.IGNORECASE), "inline style element"),
    (re.compile(r"<[a-z][^>]*\sstyle\s*=", re.IGNORECASE), "style attribute"),
    (re.compile(r"<[a-z][^>]*\son[a-z]+\s*=\s*[\"']", re.IGNORECASE), "event handler attribute"),
    (re.compile(r"(?:href|src)\s*=\s*[\"']javascript:", re.IGNORECASE), "javascript address"),
)


def inline_code(source: str) -> list[str]:
    """Scripts and styles inside a template, which the Content-Security-Policy would refuse."""
    without_comments = re.sub(r"\{#.*?#\}|\{% comment %\}.*?\{% endcomment %\}", "", source, flags=re.DOTALL)
    return [f"{what}: {match[0][:60]}" for pattern, what in INLINE for match in pattern.finditer(without_comments)]
