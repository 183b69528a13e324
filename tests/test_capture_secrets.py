"""Secrets are withheld from every captured text, and harmless look-alikes stay readable."""

from __future__ import annotations

import os
from base64 import b64encode
from urllib.parse import quote

import pytest

from nbreg.capture.secrets import Redactor, find, looks_secret_name, redact, without_credentials

S = "s3cr3t-Xy7"  # planted wherever only the name, or the place, gives it away
AB = "a1B2c3D4e5F6g7H8i9J0"  # the random part of tokens; put together so that no scanner of this file cries wolf

NAMED = [
    f'password = "{S}"',
    f"os.environ['API_TOKEN'] = '{S}'",
    f"%env API_TOKEN={S}",
    f"%env API_TOKEN {S}",
    f"%set_env API_TOKEN={S}",
    f"!export DB_PASSWORD={S} && run",
    f'conn = connect(host="h", password="{S}", user="u")',
    f'wandb.login(key="{S}")',
    f'login("{S}")',
    f'requests.get(url, auth=("bob", "{S}"))',
    f'{{"password": "{S}"}}',
    f'cfg = \'{{"password": "{S}"}}\'',
    f'cfg = "{{\\"password\\": \\"{S}\\"}}"',
    f'password: str = "{S}"',
    f'def f(a: int, api_key: str | None = "{S}"): pass',
    f'password = ("abc"\n "{S}")',
    f'password = "abc" + "{S}"',
    f'password = \\\n  "{S}"',
    f'user, password = "bob", "{S}"',
    f'api_key = os.environ.get("K") or "{S}"',
    f'api_key = "a" if x else "{S}"',
    f"# password: {S}",
    f'config = """\napi_key: {S}\n"""',
    f"%%bash\ncurl -u bob:{S} http://x\n",
    f"!curl -u bob:{S} http://x",
    f"!mytool --password {S}",
    f"!mytool --token={S}",
    f'dsn = "host=x password={S} dbname=y"',
    f"API_KEY={S}",
    f"%%writefile .env\nAPI_KEY={S}\n",
    f'if password == "{S}": pass',
    f'monkeypatch.setenv("API_TOKEN", "{S}")',
    f'os.environ.setdefault("API_TOKEN", "{S}")',
    f'os.getenv("API_TOKEN", "{S}")',
    f'api_key = SecretStr("{S}")',
    f'api_keys = ["a", "{S}"]',
    f'credentials = {{"user": "x", "extra": "{S}"}}',
    f'secret = b"{S}"',
    f'openai.api_key = "{S}"',
    f'self.password = "{S}"',
    f'HTTPBasicAuth("u", "{S}")',
    f'url = "postgresql://bob:{S}@db.host:5432/x"',
    f'f"https://u:{S}@{{host}}/x"',
    f"%sql postgresql://bob:{S}@h/x",
    f"!pip install --index-url https://u:{S}@pypi.host/simple x",
    f'"https://{S}@github.com/o/r"',
    f'url = "https://h/?access_token={S}"',
    f'db_pass="{S}"',
    f'dbPassword = "{S}"',
    f'getpass("Password: "); password="{S}"',
]
SHAPED = [
    "AKIA" + "IOSFODNN7EXAMPLE",
    "ghp" + "_" + AB + AB[:16],
    "github" + "_pat_" + AB + AB,
    "glpat" + "-" + AB,
    "xox" + "b-1234567890-" + AB,
    "sk" + "-proj-" + AB + AB,
    "sk" + "-ant-api03-" + AB + AB,
    "hf" + "_" + AB + AB[:14],
    "AIza" + "Sy" + AB + AB[:13],
    "ya29" + "." + AB,
    "sk" + "_live_" + AB,
    "npm" + "_" + AB + AB[:16],
    "pypi-" + "AgEIcHlwaS5vcmc" + AB + AB,
    "SG" + "." + AB + "." + AB,
    "dapi" + "0123456789abcdef" * 2,
    "gsk" + "_" + AB,
    "hvs" + "." + AB,
    "eyJhbGciOiJIUzI1NiJ9" + ".eyJzdWIiOiIxMjM0NTY3ODkwIn0." + AB,
    f"Authorization: Bearer {AB}",
    "Authorization: Basic " + b64encode(b"bob:hunter2").decode(),
    "-----BEGIN RSA PRIVATE" + " KEY-----\n" + (AB * 3 + "\n") * 4 + "-----END RSA PRIVATE" + " KEY-----",
    "DefaultEndpointsProtocol=https;AccountKey=" + AB * 4 + "==",
    "https://hooks.slack" + ".com/services/T00000000/B00000000/" + AB,
]
HARMLESS = [
    "token_count = 5",
    'df.sort_values("token_count")',
    "max_tokens=100",
    'tokenizer="bert"',
    "sorted(x, key=lambda r: r[0])",
    'key="age"',
    'sha = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"',
    'id="123e4567-e89b-12d3-a456-426614174000"',
    'commit = "a94a8fe5ccb19ba61c4c0873d391e987982fbbd3"',
    'pad_token="[PAD]"',
    'tokenizer.pad_token = "<pad>"',
    'tokens = ["a","b"]',
    'print("token:", "hello")',
    'password = getpass("Password: ")',
    'api_key = os.environ["API_KEY"]',
    'api_key = os.getenv("API_KEY")',
    'token = userdata.get("HF_TOKEN")',
    'class Token:\n    """A token of text."""\n    text: str = "x"',
    'if not token:\n    raise ValueError("no token given")',
    'for token in tokens: print("x")',
    'columns = ["password_length", "email"]',
    "# key: description of the key",
    'url = "https://example.com:8080/path@2x.png"',
    "git@github.com:org/repo.git",
    '"ssh://git@github.com/org/repo"',
    'f"postgresql://{user}:{password}@host/db"',
    'headers={"Authorization": f"Bearer {token}"}',
    "Basic understanding of bearer authentication",
    '"sk-estimator-doc-link-and-more-stuff fitted"',
    'df["token"].str.len()',
    'primary_key="id"',
    'cache_key = "x"',
    "password: str",
    "api_key: Optional[str] = None",
    "token: np.int64",
    'secret_santa = "bob"',
    "use_auth_token=True",
    '"https://$USER:$PASSWORD@host"',
    "postgresql://user:password@localhost/db",
    'passenger_class="first"',
    'token_type = "bearer"',
    'encoder.get("token", "default")',
    "%timeit tokenize(x)",
    '%register_model cancer clf --metrics accuracy --message "first cut"',
    "",
]


@pytest.mark.parametrize("text", NAMED)
def test_a_secret_that_its_name_gives_away_is_withheld(text: str) -> None:
    """The manifest is shared with the team; a password in a cell must not be."""
    clean, counts = redact(text)

    assert S not in clean
    assert sum(counts.values()) >= 1
    assert "redacted: " in clean


@pytest.mark.parametrize("text", SHAPED)
def test_a_secret_that_its_shape_gives_away_is_withheld_from_text_and_found_in_bytes(text: str) -> None:
    """A pasted token has no name beside it, neither in a cell nor inside a pickled model."""
    secret = text.split()[-1] if " KEY" not in text else AB * 3
    clean, counts = redact(f'x = f("{text}")')

    assert secret not in clean
    assert sum(counts.values()) >= 1
    if not text.startswith("Authorization"):  # too common a word for a scan that stops a registration
        assert sum(find(os.urandom(1000) + b" " + text.encode() + b"\x00" + os.urandom(1000)).values()) == 1


@pytest.mark.parametrize("text", HARMLESS)
def test_harmless_look_alikes_stay_as_they_are(text: str) -> None:
    """A recipe full of holes reproduces nothing."""
    assert redact(text) == (text, {})
    assert find(text.encode()) == {}


@pytest.mark.parametrize("text", [*NAMED, *SHAPED])
def test_redacting_twice_changes_nothing_more(text: str) -> None:
    """Captured text is redacted where it is taken and again where it is shown."""
    once, _ = redact(text)

    assert redact(once) == (once, {})


@pytest.mark.parametrize(
    "text", [each for each in NAMED if each[0] not in "%!#" and not each.startswith("API_KEY=")]
)
def test_redacted_code_still_parses(text: str) -> None:
    """A recipe goes back into a notebook; only the secret is for the reader to fill in."""
    try:
        compile(text, "cell", "exec")
    except SyntaxError:
        pytest.skip("a setting, not code")

    compile(redact(text)[0], "cell", "exec")


def test_the_value_of_a_secret_environment_variable_is_withheld_in_every_spelling(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A password printed, quoted into a URL or encoded is still the password."""
    monkeypatch.setenv("REPORT_DB_PASSWORD", "p@ss/wörd 12")
    spelled = [
        "p@ss/wörd 12",
        quote("p@ss/wörd 12", safe=""),
        b64encode("p@ss/wörd 12".encode()).decode().rstrip("="),
    ]

    for each in spelled:
        clean, counts = redact(f"x = '{each}'")
        assert each not in clean
        assert counts == {"known-value": 1}


def test_values_of_secret_names_in_the_notebook_are_withheld_where_they_went() -> None:
    """The password that was put into another variable is the same password."""
    redactor = Redactor.of_process({"db_password": "hunter2-hunter2", "token": "something"})

    assert redactor.text('dsn = "bob/hunter2-hunter2@db"') == 'dsn = "bob/‹redacted: known-value›@db"'
    assert redactor.text("something = 1") == "something = 1", "a word under the name `token` is a word"


def test_arguments_of_a_script_lose_their_secrets() -> None:
    """`train.py --password x` is how jobs are started."""
    redactor = Redactor()
    arguments = [
        "train.py",
        "--password",
        S,
        f"--api-key={S}",
        "--max-tokens",
        "100",
        f"DB_PASSWORD={S}",
        "--token",
        "-v",
    ]

    assert redactor.arguments(arguments) == [
        "train.py",
        "--password",
        "‹redacted: password›",
        "--api-key=‹redacted: key›",
        "--max-tokens",
        "100",
        "DB_PASSWORD=‹redacted: password›",
        "--token",
        "-v",
    ]


@pytest.mark.parametrize(
    ("url", "bare"),
    [
        ("https://bob:pw@host/x.git", "https://host/x.git"),
        ("https://ghs_tok@host/x.git", "https://host/x.git"),
        ("ssh://git@host/x.git", "ssh://git@host/x.git"),
        ("ssh://bob:pw@host/x.git", "ssh://bob@host/x.git"),
        ("git@github.com:o/r.git", "git@github.com:o/r.git"),
        ("https://conda.anaconda.org/t/to-12345/main", "https://conda.anaconda.org/main"),
        ("https://host/a?access_token=abcdef123", "https://host/a?access_token=‹redacted: url-parameter›"),
        ("file:///srv/wheels/x.whl", "file:///srv/wheels/x.whl"),
        ("https://bob:p/w?d#1@host/x.git", "https://host/x.git"),
        ("//bob:pw@host/share", "//host/share"),
        ("see //bob:p/w@host/share", "see //host/share"),
        ("https://host:8080/model@3", "https://host:8080/model@3"),
        ("https://[::1]:8080/model@3", "https://[::1]:8080/model@3"),
        ("s3://bucket//model@3/x", "s3://bucket//model@3/x"),
        ("https://host/a@b:c@d", "https://host/a@b:c@d"),
    ],
)
def test_urls_are_kept_without_credentials(url: str, bare: str) -> None:
    """Where a package or a repository came from is a fact; who could fetch it is a secret."""
    assert without_credentials(url) == bare


@pytest.mark.parametrize(
    "name", ["password", "dbPassword2", "OPENAI_API_KEY", "hf_token", "client_secret", "api_keys"]
)
def test_names_of_secrets_are_known(name: str) -> None:
    """In variables the name is all there is to go by."""
    assert looks_secret_name(name)


@pytest.mark.parametrize(
    "name", ["token_count", "max_tokens", "key", "sort_key", "author", "n_tokens", "compass", "x"]
)
def test_names_of_other_things_are_not_taken_for_secrets(name: str) -> None:
    """Hyperparameters of a language model are what its version is about."""
    assert not looks_secret_name(name)


@pytest.mark.parametrize(
    "piece",
    [
        *('"""', "'", "a", "token=(", "://", "a:", "token ", "--token ", "sk-", "eyJ", "a.b-", "f'{token}' "),
        *("sshpass -p ", "docker login ", "echo a | password-stdin ", "machine a login b password ", "zip -"),
        *("kind: Secret\ndata:\n  a: b\n", "htpasswd -b ", "mysql a ", "password is ", '["--token", ', "\0"),
    ],
)
def test_no_text_takes_the_patterns_for_ever(piece: str) -> None:
    """A megabyte pasted into a cell must not hold up a registration; the suite's own timeout judges."""
    text = piece * (200_000 // len(piece))

    assert isinstance(redact(text)[0], str)
    assert isinstance(Redactor.of_process({}, [text]).value(text), str)
    assert isinstance(find(text.encode()), dict)


def test_one_line_of_a_megabyte_loses_the_one_secret_in_it() -> None:
    """Pasted JSON has no line breaks, and nothing hides behind its length."""
    text = (
        '{"x": "'
        + "0123456789abcdef" * 30_000
        + f'", "password": "{S}", "y": "'
        + "\x01\xff" * 250_000
        + '"}'
    )

    clean, counts = redact(text)

    assert S not in clean
    assert counts == {"password": 1}
    assert len(clean) > len(text) - 20


def test_no_secret_is_left_in_pieces_by_another() -> None:
    """A secret may be a part of another, or both stand in one URL: what goes first must not save the rest."""
    inner, outer = "hunter2-hunter2", "hunter2-hunter2-and-more-9Q"
    redactor = Redactor([inner, outer])
    url = f"https://{SHAPED[1]}:{inner}@host/x?token={AB}&sig={AB}{AB}"

    for text in (
        f"x = '{outer}'",
        f"x = '{inner}{outer}'",
        f'password = "{outer} {SHAPED[1]}"',
        f"u = '{url}'",
    ):
        clean = redactor.text(text)
        assert "hunter2" not in clean
        assert "and-more" not in clean
        assert AB not in clean
        assert redactor.text(clean) == clean


def test_text_that_is_not_unicode_becomes_text_that_can_be_written() -> None:
    """A file name from another system, or half an emoji, must not cost the version its capture."""
    assert redact("x = '\udcff'")[0].encode() == b"x = '\\udcff'"
