"""Secrets that only their name gives away, in code, magics, shell lines, flags and settings.

A small scanner reads text as Python roughly spells it (strings, comments, words, brackets), so
that it never takes a closing quote for an opening one; what is inside strings, comments and
shell lines is read by one looser pattern. Both only say *where* a secret stands: the quotes
around it stay, so that redacted code still parses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from nbreg.capture.secrets.formats import HINT_WORDS, placed_secrets
from nbreg.capture.secrets.names import secret_kind, word_set
from nbreg.capture.secrets.shapes import is_placeholder, is_unmistakable, looks_random

MARK: Final = "‹redacted: "

_WORDS = (
    *("pass", "pwd", "pw", "secret", "token", "key", "cred", "auth", "cookie", "session", "jwt"),
    *("bearer", "login", "curl", "pat", "phrase", "kennwort", *HINT_WORDS),
)
_LEXEMES = re.compile(
    r'''(?xs)
    [rbfuRBFU]{0,2}(?: """(?P<a>(?:[^\\]|\\.)*?)""" | \'\'\'(?P<b>(?:[^\\]|\\.)*?)\'\'\'
                     | "(?P<c>(?:[^"\\\n]|\\.)*)" | '(?P<d>(?:[^'\\\n]|\\.)*)' )
    | (?P<comment>\#[^\n]*) | (?P<word>[^\W\d]\w*) | (?P<number>\d[\w.]*)
    | (?P<op>\\\n|==|!=|:=|=>|->|[\n=:,()\[\]{}+.]) | (?P<other>\S)
    ''',
)
_LOOSE = re.compile(
    r"""(?x)
    (?P<name>[A-Za-z_][\w.-]{1,60})
    (?: (?P<key>\\?["']\s{0,3}:\s{0,3}) | \s{0,3}(?P<sep>=>|[:=])\s{0,3} )
    (?P<quote>\\?["'])?
    (?=(?P<value>[^\s"'\\,;&{}()<>|\x60‹]{3,}))
    """,
)
_FLAG = re.compile(
    r"""(?x) (?<![\w-]) --?(?P<name>[A-Za-z][\w-]{1,60}) (?:=|[ \t]+) (?P<quote>["']?) (?!‹)
    (?P<value>(?<=")[^"\n]+ | (?<=')[^'\n]+ | [^\s"'-][^\s"']*)""",
)
_ENV = re.compile(r"(?m)^[ \t]*%(?:set_)?env[ \t]+(?P<name>\w+)(?:[ \t]*=[ \t]*|[ \t]+)(?P<value>\S[^\n]*)")
_USER = re.compile(
    r"""(?x) \bcurl\b[^\n]*? [ \t](?:-u|--user)[ \t]*["']?[^\s:"']+:(?!‹)(?P<value>[^\s"']+)"""
)
_SHELL_LINE = re.compile(
    r"(?m)^[ \t]*(?:[%!]|export[ \t]|setx?[ \t]|ENV[ \t]|curl[ \t]|[A-Za-z_]\w*[ \t]*=[ \t]*!)[^\n]*"
)
_SETTING_LINE = re.compile(r"(?m)^[ \t]*(?:-[ \t]+)?(?:[A-Z][A-Z0-9_]*=|[\w.-]+:[ \t]+)[^\s\n]+[ \t]*$")
_SHELL_CELL = re.compile(r"\s*%%(?:bash|sh|script|cmd|system|!|writefile|file|perl|ruby)\b")
_TYPES = re.compile(
    r"(?:[A-Za-z_]+\.)?(?:u?int|float|bfloat|complex|str|bytes)\d*|[A-Za-z_][A-Za-z_.]*(?:\[.*\])?"
)
_FILES = (".json", ".yaml", ".yml", ".toml", ".ini", ".cfg", ".pem", ".key", ".txt", ".env", ".csv", ".pkl")

_LONGEST_WORD = 12

_LOGINS = word_set(
    "login HTTPBasicAuth HTTPDigestAuth BasicAuth AzureKeyCredential set_password set_token set_api_key "
    "set_secret set_access_token authenticate"
)
_PAIRS = word_set("setenv putenv setattr setdefault getenv add_header putheader set_header update_secret get")
_WRAPPERS = word_set("SecretStr SecretBytes Secret str bytes quote quote_plus b64encode Template")


_GIVES = frozenset(("=", ":", "==", "!=", ":=", "=>"))
_ORDERS = frozenset(("pair", "PAIR", "tuple"))
"""What is noted of a bracket in which a name comes before its value; not the kind of a secret."""


class Span(NamedTuple):
    """A piece of text to withhold, and as what."""

    start: int
    end: int
    kind: str
    in_bytes: bool = False
    """In a bytes literal, where only ASCII may stand."""


def _worth_a_look(text: str) -> bool:
    return _is_worth_a_look(text.lower())


def _is_worth_a_look(lower: str) -> bool:
    for word in _WORDS:  # noqa: SIM110 - a generator takes twice as long, and every captured text comes by here
        if word in lower:
            return True
    return False


def named_secrets(text: str, *, is_value: bool = False) -> list[Span]:
    """Where values stand whose names say that they are secrets; spans are in order and apart.

    The text of a value is read like a string in code: `host=db password=…` needs no quotes there.
    """
    lower = text.lower()
    if not _is_worth_a_look(lower):
        return []
    spans = [*(Span(*each) for each in placed_secrets(text, lower)), *_Scanner(text).spans(), *_shell(text)]
    if is_value:
        spans += [*_loose(text, 0), *_flags(text, 0)]
    return _apart(spans)


def _apart(spans: list[Span]) -> list[Span]:
    """In order, and where two overlap, the first and longest."""
    spans.sort(key=lambda span: (span.start, -span.end))
    apart: list[Span] = []
    for span in spans:
        if not apart or span.start >= apart[-1].end:
            apart.append(span)
    return apart


def named_secret_arguments(arguments: list[str]) -> list[Span]:
    """The same for command-line arguments: `start` is the argument's index, `end` where its secret begins."""
    spans = []
    for index, argument in enumerate(arguments):
        name, equals, value = argument.partition("=")
        kind = secret_kind(name.lstrip("-")) if name[:1] == "-" or equals else ""
        if kind and equals and value:
            spans.append(Span(index, len(name) + 1, kind))
        elif kind and not equals and index + 1 < len(arguments) and arguments[index + 1][:1] != "-":
            spans.append(Span(index + 1, 0, kind))
    return spans


class _Scanner:
    """Reads code once, remembering the name that the next value belongs to."""

    def __init__(self, text: str, offset: int = 0) -> None:
        self.text = text
        self.offset = offset
        self.name = ""  # the last word or string that could be a name
        self.expects = ""  # kind of secret that the next string would be
        self.doubt = False  # whether it must also look drawn, or be no flag
        self.annotated = ""  # kind of the name whose annotation is being read: password: str = …
        self.assigned = ("", 0)  # kind being assigned and how deep: password = read() or …
        self.continues = ""  # kind of the string just withheld: "a" "b", "a" + "b"
        self.word = ""  # the word right before, which may be a function
        self.brackets: list[tuple[str, str]] = []  # kind that all strings inside are, "pair", or nothing

    def spans(self) -> Iterator[Span]:
        for match in _LEXEMES.finditer(self.text):
            group = match.lastgroup  # what is commonest is asked for first
            if group == "word":
                self._word(match.group())
            elif group == "op":
                self._operator(match.group())
            elif group in ("a", "b", "c", "d"):
                yield from self._string(match, group)
            elif group == "comment":
                if _worth_a_look(comment := match.group()):
                    yield from _loose(comment, match.start(), strict=True)
            elif group == "number":
                yield from self._number(match)
            else:
                self.name = self.expects = self.continues = self.word = ""

    def _string(self, match: re.Match[str], group: str) -> Iterator[Span]:
        body, start = match[group], match.start(group)
        kind = self.expects or self.continues or (self.brackets[-1][1] if self.brackets else "")
        is_key = bool(self.brackets) and self.brackets[-1][0] == "{" and self._is_key(match.end())
        self.word = self.expects = self.continues = ""
        if self.doubt and (body.startswith("-") or not is_unmistakable(body) or len(body) < 8):
            kind = ""
        self.doubt = False
        if kind and kind not in _ORDERS and not is_key:
            self.name, self.continues = "", kind
            if is_secret_value(body, kind):
                prefix = match.group()[:2].lower().rstrip("'\"")
                yield Span(start, match.end(group), kind, in_bytes="b" in prefix)
            return
        self.name = body if len(body) <= 80 else ""
        if len(body) > 5 and _worth_a_look(body):
            yield from _loose(body, start)
            yield from _flags(body, start)

    def _is_key(self, end: int) -> bool:
        return self.text[end : end + 20].lstrip()[:1] == ":"

    def _number(self, match: re.Match[str]) -> Iterator[Span]:
        if self.expects and len(match.group()) >= 6 and match.group().isdigit():
            yield Span(match.start(), match.end(), self.expects)
        self.name = self.expects = self.continues = self.word = ""

    def _word(self, word: str) -> None:
        kind, depth = self.assigned
        if word in ("or", "else") and depth == len(self.brackets):
            self.expects = kind
        elif word not in _WRAPPERS:
            self.expects, self.doubt = "", False
        self.continues = ""
        self.name = self.word = word

    def _operator(self, op: str) -> None:
        if op in _GIVES:
            self._gives(op)
        elif op in ("(", "[", "{"):
            self.brackets.append((op, self._inside(op)))
            self.expects = ""
        elif op in (")", "]", "}"):
            if self.brackets:
                self.brackets.pop()
            self.expects = ""
        elif op == ",":
            self.expects = self._after_comma()
            self.annotated = ""
        elif op == "\n" and not self.brackets:
            self.expects = self.annotated = ""
            self.assigned = ("", 0)
        self._forget(op)

    def _gives(self, op: str) -> None:
        named = secret_kind(self.name) if self.name else ""
        self.expects = named or (self.annotated if op == "=" else "")
        self.annotated = named if op == ":" else ""
        self.assigned = (self.expects, len(self.brackets))

    def _after_comma(self) -> str:
        if not self.brackets:
            return self.continues  # a, password = "bob", "…"
        pair = self.brackets[-1][1]
        if len(self.brackets) == self.assigned[1]:
            self.assigned = ("", 0)
        is_flag = self.brackets[-1][0] == "[" and self.name.startswith("--")
        self.doubt = bool(self.name) and (is_flag or pair == "tuple")
        is_named = self.doubt or pair == "pair" or (pair == "PAIR" and self.name.isupper())
        return secret_kind(self.name) if is_named and self.name else ""

    def _forget(self, op: str) -> None:
        if op not in ("+", "\\\n") and not (op == "\n" and self.brackets):
            self.continues = ""
        if op not in ("]", ".", "\\\n"):  # environ["API_TOKEN"] = …
            self.name = "" if op not in ("\n",) or not self.brackets else self.name
        self.word = ""

    def _inside(self, op: str) -> str:
        if self.expects:
            return self.expects
        if op == "(" and self.word in _LOGINS:
            return "login"
        if op == "(" and self.word in _PAIRS:
            return "PAIR" if self.word == "get" else "pair"
        inherited = self.brackets[-1][1] if self.brackets and not self.word else ""
        if inherited in _ORDERS or not inherited:
            return "tuple" if op == "(" and not self.word else ""
        return inherited


def is_secret_value(value: str, kind: str) -> bool:
    """Whether a value under a secret's name is one: no placeholder, no empty text, no file of keys."""
    if not value.strip() or (value.startswith(MARK) and value.endswith("›")) or is_placeholder(value):
        return False
    if kind == "token" and value.isalpha() and value.islower() and len(value) <= _LONGEST_WORD:
        return False  # {"token": "word"}: a piece of text
    return kind == "password" or not (value.endswith(_FILES) and " " not in value)


def _loose(text: str, offset: int, *, strict: bool = False, settings: bool = False) -> Iterator[Span]:
    """Secrets as `name=value`, `name: value` and `"name": "value"` inside text that is no code."""
    for match in _LOOSE.finditer(text):
        kind = secret_kind(match["name"])
        value = match["value"]
        if not kind or not is_secret_value(value, kind):
            continue
        sure = match["quote"] or settings or (match["sep"] == "=" and not strict)
        if sure or (len(value) >= 6 and looks_random(value.strip(".:!?")) and not _TYPES.fullmatch(value)):
            yield Span(offset + match.start("value"), offset + match.end("value"), kind)


def _flags(text: str, offset: int) -> Iterator[Span]:
    for match in _FLAG.finditer(text):
        kind = secret_kind(match["name"])
        if kind and is_secret_value(match["value"], kind):
            yield Span(offset + match.start("value"), offset + match.end("value"), kind)
    for match in _USER.finditer(text):
        if not is_placeholder(match["value"]):
            yield Span(offset + match.start("value"), offset + match.end("value"), "password")


def _shell(text: str) -> Iterator[Span]:
    """Secrets on the lines that are not Python: magics, shell, dotenv and YAML settings."""
    for match in _ENV.finditer(text):
        kind = secret_kind(match["name"])
        value = match["value"].rstrip()
        if kind and is_secret_value(value.strip("\"'"), kind):
            yield Span(match.start("value"), match.start("value") + len(value), kind)
    if _SHELL_CELL.match(text):
        yield from _loose(text, 0, settings=True)
        yield from _flags(text, 0)
        return
    for match in _SHELL_LINE.finditer(text):
        yield from _loose(match.group(), match.start(), settings=True)
        yield from _flags(match.group(), match.start())
    for match in _SETTING_LINE.finditer(text):
        yield from _loose(match.group(), match.start(), strict=True)
