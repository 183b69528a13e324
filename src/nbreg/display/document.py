"""A document of sections, tables and facts, as an HTML page or as Markdown; all is escaped here.

No script, no outside asset, light and dark, fit to be printed. Only addresses of the web become links:
anything else that is called a link is shown as text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from nbreg.display.text import NOTHING, brief, escaped

LONGEST: Final = 4000
"""Characters of one text."""

_MARKDOWN: Final = re.compile(r"([\\`*_\[\]|~<>&$])")
_NUMBERED: Final = re.compile(r"^(\d+)([.)])(?=\s)")


class Target(NamedTuple):
    """Text that leads somewhere, if where is an address of the web."""

    text: str
    url: str


class Facts(NamedTuple):
    """Names and values."""

    rows: Sequence[tuple[str, str | Target]]


class Grid(NamedTuple):
    """A table."""

    titles: Sequence[str]
    rows: Sequence[Sequence[str | Target]]


class Text(NamedTuple):
    """A paragraph."""

    text: str


class Points(NamedTuple):
    """A list."""

    items: Sequence[str]


Block = Facts | Grid | Text | Points


class Section(NamedTuple):
    """A heading, at level 2 or 3, and what stands under it."""

    title: str
    blocks: Sequence[Block]
    level: int = 2


def web_address(url: str) -> str:
    """The URL if a browser may be led there: http and https with a host, and nothing else."""
    try:
        split = urlsplit(url)
        is_web = split.scheme in ("http", "https") and bool(split.hostname)
    except ValueError:
        return ""
    return url if is_web and url.isprintable() and not any(each in url for each in " \"'<>`\\") else ""


# HTML

_STYLE: Final = """
:root { color-scheme: light dark; --ink: #1b1f24; --quiet: #59636e; --line: #d0d7de; --soft: #f6f8fa;
  --paper: #fff; --link: #0b61c3; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --quiet: #9198a1; --line: #3d444d;
  --soft: #161b22; --paper: #0d1117; --link: #6cb0ff; } }
body { margin: 0 auto; max-width: 70em; padding: 2em 1.5em 4em; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; overflow-wrap: break-word; }
h1 { font-size: 1.7em; margin: 0 0 .2em; } h2 { font-size: 1.25em; margin: 2em 0 .4em; }
h3 { font-size: 1.05em; margin: 1.6em 0 .3em; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; margin: .4em 0 1em; font-size: .93em;
  font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; padding: .25em 1.1em .25em 0; min-width: 4em;
  border-bottom: 1px solid var(--line); }
th { color: var(--quiet); font-weight: 500; }
.facts th { white-space: nowrap; } .facts th, .facts td { border: 0; }
p, li { max-width: 46em; } a { color: var(--link); } .quiet { color: var(--quiet); }
@media print { body { max-width: none; padding: 0; font-size: 10pt; } h2, h3 { break-after: avoid; }
  tr { break-inside: avoid; } .wide { overflow: visible; } }
"""
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"


def as_html(title: str, sub: str, sections: Iterable[Section]) -> str:
    """A whole page."""
    body = "".join(map(_section, sections))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escaped(title)}</title><style>{_STYLE}</style></head>"
        f'<body><h1>{escaped(title)}</h1><p class="quiet">{escaped(sub, LONGEST)}</p>{body}</body></html>\n'
    )


def _section(section: Section) -> str:
    blocks = "\n".join(map(_block, section.blocks))
    return f"\n<h{section.level}>{escaped(section.title)}</h{section.level}>\n{blocks}"


def _block(block: Block) -> str:
    if isinstance(block, Text):
        return f"<p>{escaped(block.text, LONGEST)}</p>"
    if isinstance(block, Points):
        return f"<ul>{''.join(f'<li>{escaped(each, LONGEST)}</li>' for each in block.items)}</ul>"
    if isinstance(block, Facts):
        rows = "".join(
            f"<tr><th>{escaped(name)}</th><td>{_cell(text)}</td></tr>" for name, text in block.rows
        )
        return f'<div class="wide"><table class="facts"><tbody>{rows}</tbody></table></div>'
    head = "".join(f"<th>{escaped(each)}</th>" for each in block.titles)
    rows = "".join(f"<tr>{''.join(f'<td>{_cell(each)}</td>' for each in row)}</tr>" for row in block.rows)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'


def _cell(cell: str | Target) -> str:
    if isinstance(cell, str):
        return escaped(cell, LONGEST) if cell else NOTHING
    address = web_address(cell.url)
    told = escaped(cell.text, LONGEST)
    if not address:
        return told if cell.text == cell.url else f"{told} ({escaped(cell.url, LONGEST)})"
    return f'<a href="{escaped(address, LONGEST)}" rel="noreferrer noopener">{told}</a>'


# Markdown


def as_markdown(title: str, sub: str, sections: Iterable[Section]) -> str:
    """The same, for a repository or a wiki."""
    parts = [f"# {_plain(title)}", _paragraph(sub)]
    for section in sections:
        parts += [f"{'#' * section.level} {_plain(section.title)}", *map(_markdown, section.blocks)]
    return "\n\n".join(parts) + "\n"


def _markdown(block: Block) -> str:
    if isinstance(block, Text):
        return _paragraph(block.text)
    if isinstance(block, Points):
        return "\n".join(f"- {_paragraph(each)}" for each in block.items)
    titles = ("", "") if isinstance(block, Facts) else block.titles
    head = [_line(map(_plain, titles)), _line("---" for _ in titles)]
    return "\n".join([*head, *(_line(map(_in_markdown, row)) for row in block.rows)])


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _in_markdown(cell: str | Target) -> str:
    if isinstance(cell, str):
        return _plain(cell) if cell else NOTHING
    address = web_address(cell.url)
    if address and not any(each in address for each in "()[]|"):
        return f"[{_plain(cell.text)}](<{address}>)"
    return _plain(cell.text if cell.text == cell.url else f"{cell.text} ({cell.url})")


def _plain(text: str) -> str:
    """Text that no reader of Markdown takes for anything else, within a line."""
    return _MARKDOWN.sub(r"\\\1", brief(text, LONGEST))


def _paragraph(text: str) -> str:
    """The same at the beginning of a line, where it could begin a list or a heading."""
    told = _plain(text)
    return f"\\{told}" if told[:1] in ("-", "+", "#", "=") else _NUMBERED.sub(r"\1\\\2", told)
