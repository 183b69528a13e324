"""Which names say that their value is a secret: the tables, and the one function that reads them.

A name is cut into words (`dbPassword2` is `db`, `password`), and mostly its last word decides.
What is common in notebooks and harmless stays: `token_count`, `pad_token`, `sort_key`.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


def word_set(words: str) -> frozenset[str]:
    """The words of a line, as the tables here are written."""
    return frozenset(words.split())


QUANTITIES: Final = word_set("avg count has is len max mean min n num number total")
"""As a first word they make a number or an answer of what follows: `max_token`, `has_password`."""

NEUTRAL: Final = word_set(
    "b bytes default dev encoded enc hash here hex live local new old plain prod production raw "
    "staging str string test text tmp val value"
)
"""Last words that leave a secret one: `api_key_prod`, `password_hash`."""

OWNERS: Final = word_set(
    "admin api app azure aws bot client databricks db deploy discord elastic email es ftp gh git github "
    "gitlab google hf http huggingface imap jenkins ldap login mail mongo my mysql openai pg postgres proxy "
    "rabbit redis root service slack smtp ssh sudo telegram user wandb"
)
"""Before a weak word they make it a secret: `db_pass`, `github_pat`, `slack_tokens`."""

BEFORE_KEY: Final = OWNERS - {"my", "user", "http", "db", "login", "es"} | word_set(
    "access account aes anthropic apim auth cohere consumer encryption fernet gcp gemini groq hmac kaggle "
    "license master mistral neptune pinecone private rsa sas secret sendgrid shared signing storage stripe "
    "subscription twilio webhook"
)
"""A `key` is a secret after one of these only: `api_key`, but not `sort_key` or `public_key`."""

BEFORE_TOKEN: Final = word_set(
    "added begin blank bos by class cls current decoder dummy each end eos eot first generated image input "
    "last mask n next num oov output pad per prev previous prompt sep special start stop sub target text "
    "unk unknown vocab word"
)
"""A `token` is a piece of text after one of these: `pad_token`, `next_token`."""

BEFORE_TOKENS: Final = OWNERS | word_set("access auth bearer refresh secret session")

_PASSWORDS = word_set("kennwort passcode passphrase passwd password passwords passwort pwd")
_CREDENTIALS = word_set("cred credential credentials creds")
_JOINED_KEYS = word_set("accesskey apikey apikeys apisecret authkey privatekey secretkey")
_JOINED_TOKENS = word_set(
    "accesstoken apitoken authtoken bearertoken bottoken csrftoken idtoken jwt refreshtoken sastoken "
    "sessiontoken usertoken"
)


@lru_cache(maxsize=8192)
def secret_kind(name: str) -> str:
    """What kind of secret a name announces (`password`, `token` …), or nothing."""
    if len(name) > 200:
        return ""
    words = [word.lower() for word in _WORDS.findall(name)]
    while len(words) > 1 and words[-1] in NEUTRAL:
        words.pop()
    if not words or (len(words) > 1 and words[0] in QUANTITIES):
        return ""
    return _kind(words[-1], words[-2] if len(words) > 1 else "")


def _kind(last: str, before: str) -> str:
    if last in _PASSWORDS or last.endswith(("password", "passwd", "passphrase")):
        return "password"
    if last == "pw" or (last == "pass" and before in OWNERS):
        return "password"
    if last in _CREDENTIALS:
        return "credentials"
    if last in ("secret", "secrets") or last.endswith("secret"):
        return "secret"
    return _token_kind(last, before) or _key_kind(last, before) or _session_kind(last, before)


def _token_kind(last: str, before: str) -> str:
    if last in _JOINED_TOKENS or (last == "token" and before not in BEFORE_TOKEN):
        return "token"
    if (last == "tokens" and before in BEFORE_TOKENS) or (last == "pat" and before in OWNERS):
        return "token"
    return ""


def _key_kind(last: str, before: str) -> str:
    if (
        last in _JOINED_KEYS
        or last.endswith(("apikey", "secretkey"))
        or (last in ("key", "keys") and before in BEFORE_KEY)
    ):
        return "key"
    return "key" if (before, last) in (("seed", "phrase"), ("recovery", "phrase")) else ""


def _session_kind(last: str, before: str) -> str:
    if last in ("cookie", "cookies", "sessionid", "authorization", "bearer"):
        return "session"
    if last == "auth" and before in ("", "basic", "digest", "http", "proxy", "api", "user"):
        return "session"
    return ""


def looks_secret_name(name: str) -> bool:
    """Whether a variable, key, flag or parameter of that name holds a secret."""
    return bool(secret_kind(name))
