"""Texts people type for their customers, as paragraphs, headings, lists, bold and links; never as HTML of their own.

Every sign is escaped before anything is made of it, so that there is nothing to clean afterwards: ``## Heading``,
``- entry``, ``**bold**``, ``[words](https://address)``. Everything else stays as it was typed.
"""

import re

from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe

from resellers.look import is_safe_link

_BOLD = re.compile(r"\*\*(?=\S)([^*\n]+?)\*\*")
_LINK = re.compile(r"\[([^\[\]\n]{1,200})\]\(([^()\s]{1,300})\)")


def _line(text: str) -> SafeString:
    """One line with its bold words and links."""
    parts: list[str] = []
    rest = 0
    for found in _LINK.finditer(text):
        parts.append(_bold(text[rest : found.start()]))
        words, link = found.groups()
        if is_safe_link(link):
            parts.append(format_html('<a href="{}" rel="noopener">{}</a>', link, words))
        else:
            parts.append(_bold(found.group(0)))
        rest = found.end()
    parts.append(_bold(text[rest:]))
    return mark_safe("".join(parts))  # noqa: S308 - each part is escaped.


def _bold(text: str) -> str:
    return _BOLD.sub(r"<strong>\1</strong>", escape(text))


def prose(text: str) -> SafeString:
    """The text as HTML: blocks are set apart by empty lines."""
    blocks = [block.split("\n") for block in re.split(r"\n\s*\n", str(text).strip()) if block.strip()]
    return mark_safe("\n".join(_block(lines) for lines in blocks))  # noqa: S308 - each block is escaped.


def _block(lines: list[str]) -> str:
    heading = re.fullmatch(r"#{1,4} (.+)", lines[0])
    if heading is not None:
        rest = _block(lines[1:]) if lines[1:] else ""
        return f"<h3>{_line(heading.group(1))}</h3>{rest}"
    if all(line.startswith(("- ", "* ")) for line in lines):
        return "<ul>{}</ul>".format("".join(f"<li>{_line(line[2:])}</li>" for line in lines))
    return "<p>{}</p>".format("<br>".join(_line(line) for line in lines))
