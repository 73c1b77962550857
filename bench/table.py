"""The results as a table for the terminal."""

from collections.abc import Sequence
from typing import Any


def _lines(head: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    texts = [[str(item) for item in row] for row in (head, *rows)]
    widths = [max(len(row[number]) for row in texts) for number in range(len(head))]
    made = []
    for row in texts:
        first, *rest = (
            text.ljust(width) if number == 0 else text.rjust(width)
            for number, (text, width) in enumerate(zip(row, widths, strict=True))
        )
        made.append("  ".join([first, *rest]).rstrip())
    return [made[0], "-" * len(made[0]), *made[1:]]


def table(results: dict[str, Any]) -> str:
    """All figures of a run; ratios are what can be compared between runs, absolute figures are not."""
    made: list[str] = []
    pages = results.get("web", {}).get("pages", {})
    if pages:
        head = ("page", "per second", "p99 ms", "of floor", "of plain Django", "statements (aim)")
        rows: list[Sequence[object]] = [
            (
                name,
                row["product"]["per_second"],
                row["product"]["p99_ms"],
                row["ratio_to_floor"],
                row["ratio_to_plain"],
                f"{row['statements']} ({row['statements_aim']})",
            )
            for name, row in pages.items()
        ]
        made += ["", *_lines(head, rows)]
        made += ["", *_lines(("compared", "ratio"), list(results["web"]["compared"].items()))]
    made += _calls(results.get("api", {}))
    for key, part in results.get("lists", {}).items():
        rows = [[name, _short(value)] for name, value in part.items()]
        made += ["", *_lines((f"lists: {key}", "figures"), rows)]
    for key in ("orders", "provisioning", "catalogue", "selling", "usages", "files"):
        if results.get(key):
            rows = [[name, _short(value)] for name, value in results[key].items()]
            made += ["", *_lines((key, "figures"), rows)]
    for key, part in results.get("esd", {}).items():
        rows = [[name, _short(value)] for name, value in part.items()]
        made += ["", *_lines((f"Microsoft ESD: {key}", "figures"), rows)]
    if results.get("peak_kib"):
        rows = [[name, round(value / 1024, 1)] for name, value in results["peak_kib"].items()]
        made += ["", *_lines(("peak memory", "MiB"), rows)]
    return "\n".join(made)


def _calls(part: dict[str, Any]) -> list[str]:
    """The calls of the API, with the aims of those that have any."""
    if not part:
        return []
    head = ("call", "per second", "p50 ms", "p99 ms", "of raw SQL (aim)", "of plain Django (aim)", "statements")
    rows = [
        (
            name,
            row["product"]["per_second"],
            row["product"]["p50_ms"],
            row["product"]["p99_ms"],
            f"{row['ratio_to_floor']} ({row['aims'][0] or '-'})",
            f"{row['ratio_to_plain']} ({row['aims'][1] or '-'})",
            row["statements"],
        )
        for name, row in part["calls"].items()
    ]
    compared = list(part["compared"].items())
    return ["", *_lines(head, rows), "", *_lines(("compared", "ratio"), compared)]


def _short(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_short(item)}" for name, item in value.items())
    return str(value)
