"""``.env.example`` names every variable that is read, and no other, with one sentence each."""

import ast
import re
from pathlib import Path

BASE = Path(__file__).resolve().parents[2]
EXAMPLE = BASE / ".env.example"
READERS = {"get", "setdefault", "env", "list", "int", "float", "bool", "db", "email", "str", "url", "json"}
OURS = ("env", "environ")
# The machine's own; nobody sets them for us.
NOT_OURS = {"PATH", "HOME", "LC_ALL"}
# Read by docker-compose.yml alone, which tests/house/test_compose.py looks at.
COMPOSE_ONLY = {"POSTGRES_PASSWORD"}
LINE = re.compile(r"^(?:# )?([A-Z][A-Z0-9_]+)=(.*)$")


def variables_in(source: str) -> set[str]:
    """Names of the environment variables a piece of Python reads."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and node.args and _is_reader(node.func):
            found |= _name(node.args[0])
        if isinstance(node, ast.Subscript) and _is_environment(node.value):
            found |= _name(node.slice)
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "PORTS" for t in node.targets):
            found |= {key.value for key in node.value.keys}  # type: ignore[attr-defined]
    return found - NOT_OURS


def _is_reader(function: ast.expr) -> bool:
    if isinstance(function, ast.Name):
        return function.id == "env"
    return isinstance(function, ast.Attribute) and function.attr in READERS and _is_environment(function.value)


def _is_environment(node: ast.expr) -> bool:
    name = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
    return name in OURS


def _name(node: ast.expr) -> set[str]:
    is_name = isinstance(node, ast.Constant) and isinstance(node.value, str)
    return {node.value} if is_name else set()  # type: ignore[attr-defined]


def sources() -> dict[str, str]:
    files = [path for package in ("cloudbss", "sandbox") for path in (BASE / package).rglob("*.py")]
    return {str(path.relative_to(BASE)): path.read_text() for path in files}


def example() -> dict[str, str]:
    """Variable to the comment lines above it."""
    found: dict[str, str] = {}
    comment: list[str] = []
    for line in EXAMPLE.read_text().splitlines():
        match = LINE.match(line)
        if match:
            found[match[1]] = " ".join(comment)
        comment = (
            [*comment, line.removeprefix("# ")] if line.startswith("# ") and not match and "---" not in line else []
        )
    return found


def test_reader_finds_every_way_of_reading():
    sample = (
        'A = env.list("A")\nB = env("B")\nC = os.environ["C"]\nD = os.environ.get("D")\nPORTS = {"E": 1}\nx.get("F")'
    )
    assert variables_in(sample) == {"A", "B", "C", "D", "E"}


def test_example_names_every_variable_that_is_read_and_no_other():
    read = {name for source in sources().values() for name in variables_in(source)} - NOT_OURS
    assert set(example()) == read | COMPOSE_ONLY


def test_every_variable_has_one_sentence():
    bad = {name: text for name, text in example().items() if not (text.endswith(".") and text[:1].isupper())}
    assert bad == {}


def test_example_holds_no_secret():
    for line in EXAMPLE.read_text().splitlines():
        match = LINE.match(line)
        if match and re.search(r"SECRET|KEY|PASSWORD", match[1]):
            assert match[2] == ""
