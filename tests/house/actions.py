"""Which actions our code writes to the audit log, read from the code itself."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ACTION = re.compile(r"[a-z_]+\.[a-z_]+")


def recorded(source: str) -> Iterator[str]:
    """Every action given to ``audit.record`` in a module; a name stands for the strings its function can give it.

    An f-string gives its text with ``{}`` for each value; an action that cannot be read gives the code that names it.
    """
    tree = ast.parse(source)
    for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
        for call in (node for node in ast.walk(function) if isinstance(node, ast.Call)):
            if ast.unparse(call.func) in ("audit.record", "record") and len(call.args) > 1:
                yield from _texts(call.args[1], function)


def _texts(node: ast.expr, function: ast.FunctionDef) -> list[str]:
    if isinstance(node, ast.Constant):
        return [str(node.value)]
    if isinstance(node, ast.IfExp):
        return _texts(node.body, function) + _texts(node.orelse, function)
    if isinstance(node, ast.JoinedStr):
        return ["".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)]
    if isinstance(node, ast.Name):
        given = [item for item in ast.walk(function) if isinstance(item, ast.Assign)]
        values = [item.value for item in given if node.id in {ast.unparse(target) for target in item.targets}]
        found = [text for value in values for text in _texts(value, function)]
        return found or [f"{node.id} in {function.name}"]
    return [f"{ast.unparse(node)} in {function.name}"]


def actions_of(paths: list[Path]) -> dict[str, set[str]]:
    """Action to the names of the files that record it."""
    found: dict[str, set[str]] = {}
    for path in paths:
        for action in recorded(path.read_text()):
            found.setdefault(action, set()).add(path.name)
    return found
