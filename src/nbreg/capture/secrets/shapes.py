"""What secrets look like wherever they stand: one row a shape, read for text and for bytes.

To add a shape, add a row: `hints` are the literals of which every match holds at least one (they
are looked for first, at memory speed), `(?P<secret>…)` is the part to withhold where that is not
all of it, and `precise` shapes are also looked for in the bytes of artifacts, where a false alarm
stops a registration.
"""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Callable
from functools import cached_property
from typing import Final

_PLACEHOLDER = re.compile(
    r"""(?x)
    (?: (?i:bearer|basic|token) \s+ )?
    (?: %[\w(].* | \$.* | <.* | (?:\{[^{}]*\})+ | \[.* | \*+ | \.+ | [xX]+ | -+ | …
      | (?i: none | null | true | false | str | string | optional.* | user:pass(?:word)? | pass(?:word)?
           | pwd | secret | token | example | changeme
           | (?: your | my )[-_ ].* | os\..* | self\..* | env\..* )
    )""",
)


def is_placeholder(value: str) -> bool:
    """Whether a value stands for a secret without being one: `{password}`, `$TOKEN`, `<key>`, `***`."""
    return len(value) < 200 and _PLACEHOLDER.fullmatch(value) is not None


def looks_random(value: str) -> bool:
    """Whether a value is no plain word: it has a digit, a symbol, or capitals inside."""
    return not value.isalpha() or not (value.islower() or value.isupper() or value.istitle())


def is_unmistakable(text: str) -> bool:
    """Whether a short text is no label that code may use for something else: `q7x!pK`."""
    return any(map(str.isdigit, text)) and any(map(str.isalpha, text)) and not text.islower()


def _random_bearer(value: str) -> bool:
    return len(value) >= 32 or (looks_random(value) and any(map(str.isdigit, value)))


def _basic_credentials(value: str) -> bool:
    try:
        return b":" in b64decode(value + "=" * (-len(value) % 4), validate=True)
    except (Base64Error, ValueError):
        return False


def _real_password(value: str) -> bool:
    return not is_placeholder(value)


class Shape:
    """One form that secrets have, as patterns for text and for bytes."""

    def __init__(
        self,
        kind: str,
        hints: tuple[str, ...],
        pattern: str,
        *,
        check: Callable[[str], bool] | None = None,
        precise: bool = True,
        ignore_case: bool = False,
        before: int = 0,
    ) -> None:
        self.before = before  # how far before its hint a match may begin
        self.kind = kind
        self.hints = hints
        self.precise = precise
        self._check = check
        self._pattern = pattern
        self._flags = re.ASCII | (re.IGNORECASE if ignore_case else 0)

    @cached_property
    def in_text(self) -> re.Pattern[str]:
        return re.compile(self._pattern, self._flags)

    @cached_property
    def in_bytes(self) -> re.Pattern[bytes]:
        return re.compile(self._pattern.encode("ascii"), self._flags)

    @cached_property
    def byte_hints(self) -> tuple[bytes, ...]:
        return tuple(hint.encode() for hint in self.hints)

    @cached_property
    def group(self) -> str | int:
        """The part of a match that is the secret."""
        return "secret" if "(?P<secret>" in self._pattern else 0

    def accepts(self, found: str) -> bool:
        """Whether what the pattern found is a secret, and no example or word."""
        return self._check is None or self._check(found)


_BODY = r"[A-Za-z0-9_-]"
_START = r"(?<![A-Za-z0-9])"

SHAPES: Final[tuple[Shape, ...]] = (
    Shape(
        "private-key",
        ("PRIVATE KEY",),
        r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
        r"(?:[^-]{40,32768}(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----)?)",
        before=52,
    ),
    Shape("age-key", ("AGE-SECRET-KEY-1",), r"AGE-SECRET-KEY-1[0-9A-Z]{40,}"),
    Shape(
        "aws-key",
        ("AKIA", "ASIA", "AROA", "AIDA", "ABIA", "ACCA"),
        r"(?<![A-Za-z0-9/+])(?:AKIA|ASIA|AROA|AIDA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9/+=])",
    ),
    Shape(
        "github-token", ("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), _START + r"gh[pousr]_[A-Za-z0-9]{20,255}"
    ),
    Shape("github-token", ("github_pat_",), r"github_pat_[A-Za-z0-9_]{20,255}"),
    Shape(
        "gitlab-token",
        ("glpat-", "gldt-", "glrt-", "glptt-", "glsoat-", "glft-", "glimt-", "glcbt-", "glagent-"),
        _START + rf"gl(?:pat|dt|rt|ptt|soat|ft|imt|cbt|agent)-{_BODY}{{16,}}",
    ),
    Shape("slack-token", ("xox", "xapp-"), _START + r"(?:xox[abceoprs]|xapp)-[A-Za-z0-9-]{10,}"),
    Shape(
        "slack-webhook",
        ("hooks.slack.com",),
        r"hooks\.slack\.com/(?:services|workflows)/(?P<secret>[\w/]{20,})",
    ),
    Shape(
        "discord-webhook",
        ("/api/webhooks/",),
        rf"/api/webhooks/\d{{15,22}}/(?P<secret>{_BODY}{{40,100}})",
    ),
    Shape(
        "discord-token",
        ("iscord", "ISCORD", "bot."),  # of the token itself nothing is always the same
        _START + rf"[MNO]{_BODY}{{23,27}}\.{_BODY}{{6}}\.{_BODY}{{27,40}}(?!{_BODY})",
        precise=False,
    ),
    Shape(
        "teams-webhook",
        ("/IncomingWebhook/",),
        r"/IncomingWebhook/(?P<secret>[0-9A-Za-z]{20,}(?:/[\w-]{1,60}){0,2})",
    ),
    Shape(
        "openai-key",
        ("sk-",),
        # CSS classes of scikit-learn's HTML begin with sk- too; capitals and digits, or hex, tell them apart.
        _START + rf"sk-(?:(?={_BODY}{{0,200}}[0-9])(?={_BODY}{{0,200}}[A-Z]){_BODY}{{20,255}}"
        r"|(?:or-v1-)?[0-9a-f]{32,})",
    ),
    Shape("huggingface-token", ("hf_", "api_org_"), _START + r"(?:hf_|api_org_)[A-Za-z0-9]{30,}"),
    Shape("google-key", ("AIza",), _START + rf"AIza{_BODY}{{35}}(?!{_BODY})"),
    Shape("google-token", ("ya29.", "GOCSPX-"), _START + rf"(?:ya29\.|GOCSPX-){_BODY}{{20,}}"),
    Shape("stripe-key", ("k_live_", "k_test_"), _START + r"[spr]k_(?:live|test)_[A-Za-z0-9]{10,}", before=1),
    Shape("webhook-secret", ("whsec_",), _START + r"whsec_[A-Za-z0-9+/=]{20,}"),
    Shape("pypi-token", ("pypi-AgE",), rf"pypi-AgE{_BODY}{{30,}}"),
    Shape("npm-token", ("npm_",), _START + r"npm_[A-Za-z0-9]{36}(?![A-Za-z0-9])"),
    Shape("sendgrid-key", ("SG.",), _START + rf"SG\.{_BODY}{{16,}}\.{_BODY}{{16,}}"),
    Shape("databricks-token", ("dapi",), _START + r"dapi[0-9a-f]{32}(?:-\d)?(?![0-9A-Za-z])"),
    Shape("digitalocean-token", ("dop_v1_", "doo_v1_", "dor_v1_"), r"do[opr]_v1_[0-9a-f]{64}"),
    Shape("shopify-token", ("shpat_", "shpca_", "shppa_", "shpss_"), r"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}"),
    Shape("groq-key", ("gsk_",), _START + r"gsk_[A-Za-z0-9]{20,}"),
    Shape("replicate-token", ("r8_",), _START + r"r8_[A-Za-z0-9]{30,}"),
    Shape("nvidia-key", ("nvapi-",), _START + rf"nvapi-{_BODY}{{20,}}"),
    Shape("perplexity-key", ("pplx-",), _START + r"pplx-[A-Za-z0-9]{32,}"),
    Shape("vault-token", ("hvs.", "hvb."), _START + rf"hv[sb]\.{_BODY}{{20,}}"),
    Shape("telegram-token", (":AA",), r"(?<!\d)\d{8,10}:AA[A-Za-z0-9_-]{33}(?![A-Za-z0-9_-])", before=10),
    Shape(
        "azure-key",
        ("AccountKey=", "AccessKey="),
        r"(?:Account|SharedAccess)Key=(?P<secret>[A-Za-z0-9+/=]{30,})",
        before=6,
    ),
    Shape("jwt", ("eyJ",), _START + rf"eyJ{_BODY}{{8,}}\.{_BODY}{{8,}}\.{_BODY}{{8,}}"),
    Shape(
        "url-password",
        ("://",),
        r"[A-Za-z][A-Za-z0-9+.-]{0,30}://[^\s/:@'\"`<>{}\\]{0,200}:(?P<secret>[^\s/'\"`\\]{1,300})@(?=[\w\[{])",
        check=_real_password,
        before=31,
    ),
    Shape(
        "url-token",
        ("://",),
        r"https?://(?P<secret>[^\s/:@'\"`<>{}\\]{8,300})@(?=[\w\[])",
        check=_real_password,
        precise=False,
    ),
    Shape(
        "url-parameter",
        ("token=", "key=", "password=", "passwd=", "secret=", "auth="),
        r"[?&](?:[a-z]+[_-])?(?:token|api[_-]?key|password|passwd|secret|auth)=(?P<secret>[^\s&#'\"<>{}]{4,})",
        check=_real_password,
        ignore_case=True,
        precise=False,
    ),
    Shape(
        "url-signature",
        ("sig=", "ignature=", "X-Amz-"),
        r"[?&](?:sig|signature|X-Amz-Signature|X-Amz-Credential|X-Amz-Security-Token|X-Goog-Signature)"
        r"=(?P<secret>[A-Za-z0-9%+/=_.-]{16,})",
        ignore_case=True,
        precise=False,
    ),
    Shape(
        "bearer",
        ("earer ", "EARER "),
        r"(?<![A-Za-z0-9_])bearer[ \t]{1,4}(?P<secret>[A-Za-z0-9._~+/=-]{8,})",
        check=_random_bearer,
        ignore_case=True,
        precise=False,
    ),
    Shape(
        "basic-auth",
        ("asic ", "ASIC "),
        r"(?<![A-Za-z0-9_])basic[ \t]{1,4}(?P<secret>[A-Za-z0-9+/]{8,}={0,2})",
        check=_basic_credentials,
        ignore_case=True,
        precise=False,
    ),
)

HINTS: Final = tuple((hint, shape) for shape in SHAPES for hint in shape.hints)
"""Which literal calls for which shape, in one flat list because every captured text goes through it."""
