"""Secrets whose place gives them away: command lines, files of logins, Kubernetes manifests, sentences.

To add a place, add a row: the `hints`, of which the text holds at least one in lower case, and
the pattern whose group `secret` is to be withheld. A group `name` has to announce a secret.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from nbreg.capture.secrets.names import secret_kind
from nbreg.capture.secrets.shapes import is_placeholder, looks_random

_WORD = r"""(?:"(?P<secret>[^"\n]+)"|'(?P<quoted>[^'\n]+)'|(?P<bare>[^\s"'|;&<>()‹,\\]+))"""
_REST = r"[^\n|;]{0,120}?"


class Place(NamedTuple):
    """A place that secrets stand in."""

    hints: tuple[str, ...]
    pattern: re.Pattern[str]
    drawn: bool = False
    """Whether what stands there must also look drawn: the place alone is as likely prose."""


def _place(hints: str, pattern: str, *, drawn: bool = False, flags: int = 0) -> Place:
    return Place(
        tuple(hint.replace("*", " ") for hint in hints.split()),
        re.compile(pattern.replace("WORD", _WORD).replace("REST", _REST), flags),
        drawn,
    )


_PLACES: Final = (
    _place("sshpass", r"\bsshpass\s+-p\s*WORD"),
    _place("mysql mariadb", r"\b(?:mysql|mariadb)\w*\s(?:REST\s)?-p(?=[^\s])WORD"),
    _place("redis-cli", r"\bredis-cli\s(?:REST\s)?(?:-a|--pass)\s+WORD"),
    _place(
        "login",
        r"\b(?:docker|podman|helm|oras|skopeo|crane|oc|az|nerdctl)\s(?:REST\s)?login\s(?:REST\s)?-p[ =]+WORD",
    ),
    _place(
        "password-stdin sudo", r"\becho\s+(?:-\w+\s+)?WORD\s*\|[^\n]{0,200}?(?:password-stdin|\bsudo\s+-S)"
    ),
    _place("config*set configure*set", r"\b(?:configure|config)\s+set\s+(?:\S+\.)?(?P<name>[\w-]+)[ =]+WORD"),
    _place("passin passout pass:", r"\s-(?:passin|passout|pass|k)\s+[\"']?pass:WORD"),
    _place("ldap", r"\bldap\w+\s(?:REST\s)?-w\s+WORD"),
    _place("htpasswd", r"\bhtpasswd\s(?:REST\s)?-\w*b\w*\s+\S+\s+\S+\s+WORD"),
    _place("zip", r"\b(?:un)?zip\s(?:REST\s)?-P\s+WORD"),
    _place("machine", r"\bmachine\s+\S+\s+login\s+\S+\s+password\s+WORD"),
    _place(
        "pgpass :5432: :5433:",
        r"(?<![\w./:-])(?:\*|[A-Za-z][\w.-]{1,100}):(?:\*|\d{4,5}):[\w*-]{1,60}:[\w*.-]{1,60}:(?P<secret>[^\s:\"'\\]{6,200})(?=[\s\"']|$)",
        drawn=True,
    ),
    _place(
        "word*is word*was phrase*is phrase*was pwd*is code*is key*is key*was token*is wort*ist",
        r"\b(?:password|passphrase|passwort|kennwort|passcode|pwd|api[ _-]?(?:key|token)|secret[ _-]key)"
        r"\s+(?:is|was|ist)\s*[:=]?\s*WORD",
        drawn=True,
        flags=re.IGNORECASE,
    ),
)
_HINTS: Final = tuple((hint, place) for place in _PLACES for hint in place.hints)

HINT_WORDS: Final = ("mysql", "maria", "redis-cli", "ldap", "zip -", ":543")
"""What of the hints holds none of the words that a secret is called by."""

_SECRET_MANIFEST = re.compile(r"""(?m)(?:^|[\n{,])\s*["']?kind["']?\s*:\s*["']?Secret\b""")
_BLOCK = re.compile(
    r"""(?m)^(?P<indent>[ \t]*)["']?(?:data|stringData)["']?:[ \t]*\n"""
    r"""(?P<body>(?:(?P=indent)[ \t]+\S[^\n]*(?:\n|$))+)"""
)
_ENTRY = re.compile(r"""(?m)^[ \t]+["']?[\w.-]+["']?:[ \t]+["']?(?P<secret>[^\s"'‹#|>][^\n"']*)""")
_OBJECT = re.compile(r"""\\?["'](?:data|stringData)\\?["']\s*:\s*\{(?P<body>[^{}]*)\}""")
_MEMBER = re.compile(r""":\s*\\?["'](?P<secret>[^"'\\‹]+)""")


class Placed(NamedTuple):
    """Where a secret stands, and as what."""

    start: int
    end: int
    kind: str


def placed_secrets(text: str, lower: str) -> Iterator[Placed]:
    """The secrets that their place in the text gives away; `lower` is the text in lower case."""
    for place in dict.fromkeys([place for hint, place in _HINTS if hint in lower]):
        yield from _in_place(text, place)
    if "secret" in lower and _SECRET_MANIFEST.search(text):
        yield from _in_manifest(text)


def _in_place(text: str, place: Place) -> Iterator[Placed]:
    for match in place.pattern.finditer(text):
        group = next(name for name in ("secret", "quoted", "bare") if match.groupdict().get(name))
        secret, name = match[group], match.groupdict().get("name")
        kind = secret_kind(name) if name else "password"
        if not kind or is_placeholder(secret) or (place.drawn and not _is_drawn(secret)):
            continue
        end = (
            match.end(group) - (len(secret) - len(secret.rstrip(".,!?"))) if place.drawn else match.end(group)
        )
        yield Placed(match.start(group), end, kind)


def _is_drawn(word: str) -> bool:
    return len(word) >= 6 and looks_random(word.strip(".,:!?")) and any(map(str.isdigit, word))


def _in_manifest(text: str) -> Iterator[Placed]:
    """All values of a Kubernetes secret, which are base64 of anything, under names that say nothing."""
    for outer, inner in ((_BLOCK, _ENTRY), (_OBJECT, _MEMBER)):
        for block in outer.finditer(text):
            for match in inner.finditer(block["body"]):
                if not is_placeholder(match["secret"]):
                    start = block.start("body") + match.start("secret")
                    yield Placed(start, start + len(match["secret"].rstrip()), "secret")
