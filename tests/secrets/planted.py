"""Secrets that nobody ever had, made anew each time from parts, and the places that they are planted in.

Nothing in this file looks like a secret to a scanner of repositories: prefixes and bodies meet at
run time only. A value is planted once, so that a search tells which place it came through.
"""

from __future__ import annotations

import json
import random
import string
from base64 import b64encode, urlsafe_b64encode
from typing import NamedTuple

DIGITS = string.digits
HEX = "0123456789abcdef"
WORD = string.ascii_letters + string.digits
UPPER = string.ascii_uppercase + string.digits
BASE64 = WORD + "+/"
_random = random.Random(20260209)


def body(length: int, letters: str = WORD) -> str:
    """Characters of a secret: mixed, so that they look as drawn by a machine."""
    made = "".join(_random.choice(letters) for _ in range(length - 3))
    digit, small, large = "7", "k" if "k" in letters else "3", "Q" if "Q" in letters else "4"
    return made[: length // 2] + digit + small + large + made[length // 2 :]


def password() -> str:
    """One that a person would choose and no shape gives away."""
    nouns = ("Otter", "Birch", "Kettle", "Ferry", "Anvil", "Comet", "Walnut", "Harbor", "Pepper", "Quill")
    return f"{_random.choice(nouns)}{_random.choice('-_.+')}{body(7)}"


def phrase() -> str:
    """Words and spaces, as people are told to choose them; no capital, no digit."""
    words = (
        "correct",
        "battery",
        "violet",
        "meadow",
        "kitten",
        "orbit",
        "saddle",
        "lantern",
        "gravel",
        "plum",
    )
    return " ".join(_random.sample(words, 4))


def base64(text: str) -> str:
    return b64encode(text.encode()).decode()


def jwt() -> str:
    head, claims = ('{"alg":"HS256","typ":"JWT"}', f'{{"sub":"{body(9)}","iat":1516239022}}')
    parts = (urlsafe_b64encode(each.encode()).decode().rstrip("=") for each in (head, claims))
    return ".".join((*parts, body(43)))


def pem(kind: str) -> tuple[str, str]:
    """A private key's text, and the part of it that must not be found."""
    lines = [body(64, BASE64) for _ in range(6)]
    return "\n".join(
        (f"-----BEGIN {kind}" + " KEY-----", *lines, f"-----END {kind}" + " KEY-----", "")
    ), lines[2]


class Planted(NamedTuple):
    """One secret: what it is, its value, and the code that has it."""

    kind: str
    value: str
    code: str


def _with(kind: str, value: str, code: str) -> Planted:
    """`§` in the code stands for the value."""
    return Planted(kind, value, code.replace("§", value))


def cells() -> list[Planted]:
    """Cells that run as they stand, without network and without any library."""
    rsa, rsa_line = pem("RSA PRIVATE")
    ssh, ssh_line = pem("OPENSSH PRIVATE")
    gcp, gcp_line = pem("PRIVATE")
    account = json.dumps({"type": "service_account", "private_key_id": body(40, HEX), "private_key": gcp})
    made = [
        # tokens that their shape gives away, under names that say nothing
        ("aws-key-id", "AKIA" + body(16, UPPER), 'who = "§"'),
        ("github-token", "ghp" + "_" + body(36), 'x1 = "§"'),
        ("github-fine-grained", "github" + "_pat_" + body(22) + "_" + body(59), "x2 = '§'"),
        ("gitlab-token", "glpat" + "-" + body(20), 'x3 = {"h": "§"}'),
        ("slack-token", "xox" + "b-" + body(11, DIGITS) + "-" + body(24), 'x4 = ["§", 1]'),
        (
            "slack-webhook",
            "T" + body(8, UPPER) + "/B" + body(8, UPPER) + "/" + body(24),
            'x5 = "https://hooks.slack.com/services/§"',
        ),
        ("discord-webhook", body(68), 'x6 = "https://discord.com/api/webhooks/123456789012345678/§"'),
        (
            "teams-webhook",
            body(32, HEX),
            'x7 = "https://acme.webhook.office.com/webhookb2/0a1b/IncomingWebhook/§/0a1b"',
        ),
        ("stripe-key", "sk" + "_live_" + body(24), 'x8 = ("§",)'),
        ("huggingface-token", "hf" + "_" + body(34), 'x9 = "use §"'),
        ("openai-key", "sk" + "-proj-" + body(48), 'y1 = "§"'),
        ("anthropic-key", "sk" + "-ant-api03-" + body(80), 'y2 = "§"'),
        ("npm-token", "npm" + "_" + body(36), 'y3 = "//packages.example.org/:_authToken=§"'),
        ("pypi-token", "pypi-" + "AgEIcHlwaS5vcmc" + body(70), 'y4 = "§"'),
        ("jwt", jwt(), 'y5 = "§"'),
        ("sendgrid-key", "SG." + body(22) + "." + body(43), 'y6 = "§"'),
        ("telegram-token", body(9, DIGITS) + ":AA" + body(33), 'y7 = "§"'),
        ("databricks-token", "dapi" + body(32, HEX), 'y8 = "§"'),
        ("google-key", "AIza" + body(35), 'y9 = "https://maps.example.com/api?v=3&q=§"'),
        ("vault-token", "hvs." + body(40), 'z1 = "§"'),
        # keys of many lines
        ("rsa-key", rsa_line, f"z2 = '''{rsa}'''"),
        ("ssh-key", ssh_line, f"z3 = {ssh!r}"),
        ("gcp-service-account", gcp_line, f"z4 = {account!r}"),
        # connection strings and URLs
        (
            "azure-connection",
            body(86, BASE64),
            'blob = "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=§==;EndpointSuffix=core.windows.net"',
        ),
        (
            "azure-sas",
            body(43, BASE64),
            'sas = "https://a.blob.core.windows.net/c?sv=2022-11-02&sp=r&sig=§%3D"',
        ),
        (
            "azure-service-bus",
            body(43, BASE64),
            'bus = "Endpoint=sb://x.servicebus.windows.net/;SharedAccessKeyName=all;SharedAccessKey=§="',
        ),
        ("url-password", password(), 'index = "https://ana:§@pypi.example.com/simple"'),
        ("database-url", password(), 'dsn = "postgresql+psycopg2://ana:§@db.example.com:5432/x"'),
        ("mongo-url", password(), 'mongo = "mongodb+srv://ana:§@cluster0.example.net/?w=majority"'),
        ("redis-url", password(), 'cache = "redis://:§@cache.example.com:6379/0"'),
        ("url-token", body(30), 'clone = "https://§@git.example.com/team/r.git"'),
        ("url-parameter", body(24), 'call = "https://api.example.com/v1?api_key=§&q=1"'),
        ("odbc-string", password(), 'odbc = "Driver={SQL};Server=tcp:x,1433;Uid=ana;Pwd=§;Encrypt=yes"'),
        ("ado-string", password(), 'ado = "Server=x;User Id=ana;Password=§;"'),
        ("libpq-string", password(), 'libpq = "host=db user=ana password=§ dbname=x"'),
        (
            "presigned-url",
            body(64, HEX),
            'presigned = "https://b.s3.amazonaws.com/k?X-Amz-Expires=60&X-Amz-Signature=§"',
        ),
        # headers and cookies
        ("bearer", body(32), 'h1 = {"Authorization": "Bearer §"}'),
        ("basic-header", base64("ana:" + password()), 'h2 = ["Authorization: Basic §"]'),
        ("api-header", body(32), 'h3 = {"X-Api-Key": "§", "Accept": "json"}'),
        ("cookie", body(40), 'h4 = {"Cookie": "sessionid=§; theme=dark"}'),
        ("set-cookie", body(40), 'h5 = "Cookie: session=§; Path=/"'),
        # names that give it away
        ("aws-secret", body(40, BASE64), 'aws_secret_access_key = "§"'),
        ("password", password(), 'db_password = "§"'),
        ("passphrase", phrase(), 'password = "§"'),
        ("passphrase", phrase(), 'passphrase = """§"""'),
        ("fernet-key", body(43) + "=", 'fernet_key = b"§"'),
        ("password-kwarg", password(), 'conn = dict(host="h", user="ana", password="§")'),
        ("password-default", password(), 'def connect(host, password="§"):\n    return host'),
        (
            "password-default",
            phrase(),
            'def connect2(host, *, db_password: str = "§", port=1):\n    return host',
        ),
        ("password-class", password(), 'class Config:\n    host = "h"\n    password: str = "§"'),
        (
            "password-docstring",
            password(),
            'def helper():\n    """Log in as ana, password: §"""\n    return 1',
        ),
        ("password-comment", password(), "n1 = 1  # the password is: §"),
        ("password-comment", password(), "n2 = 1  # password=§ for now"),
        ("password-fstring", password(), 'user = "ana"\nline = f"user={user} password=§ host=h"'),
        ("password-concatenated", body(18), None),
        ("password-lines", phrase(), 'secret = (\n    "§"\n)'),
        ("password-dict", password(), 'cfg = {"db": {"user": "ana", "password": "§"}}'),
        ("password-nested", password(), 'cfg2 = {"services": [{"name": "a", "env": {"DB_PASS": "§"}}]}'),
        ("password-tuple", phrase(), 'auth = ("ana", "§")'),
        (
            "password-dataclass",
            phrase(),
            'from dataclasses import dataclass\n@dataclass\nclass Login:\n    user: str\n    password: str\nlogin = Login("ana", "§")',
        ),
        ("password-dataclass", password(), 'settings = Login(user="ana", password="§")'),
        (
            "password-namespace",
            password(),
            'from types import SimpleNamespace\nspace = SimpleNamespace(user="ana", api_token="§")',
        ),
        ("password-environ", password(), 'import os\nos.environ["SERVICE_PASSWORD"] = "§"'),
        ("password-environ", password(), 'os.environ.update(DB2_PASSWORD="§")'),
        ("password-environ", password(), 'os.environ.update({"DB3_PASSWORD": "§"})'),
        ("password-copied", password(), 'pw = "§"\nlabel = pw\nmessage_text = f"login {pw} ok"'),
        ("password-copied-words", phrase(), 'admin_password = "§"\nnote_text = "it is " + admin_password'),
        ("password-short", "q7" + body(4)[:4], 'db_pass = "§"\nanother = db_pass'),
        ("password-walrus", password(), 'if (token := "§"):\n    n3 = 1'),
        ("password-unpacked", password(), 'login_name, api_secret = "ana", "§"'),
        ("password-attribute", password(), 'space.password = "§"'),
        ("password-setattr", password(), 'setattr(space, "password", "§")'),
        ("password-item", password(), 'table = {}\ntable["client_secret"] = "§"'),
        ("password-compare", password(), 'given = ""\nok = given == "x" or password == "§"'),
        ("password-keyring", password(), 'def set_password(*a): pass\nset_password("service", "ana", "§")'),
        (
            "password-json",
            password(),
            'import json\nparsed = json.loads(\'{"user": "ana", "password": "§"}\')',
        ),
        ("password-yaml", password(), 'yaml_text = """\ndatabase:\n  user: ana\n  password: §\n"""'),
        ("password-toml", password(), "toml_text = '''\n[db]\npassword = \"§\"\n'''"),
        ("password-ini", password(), 'ini_text = """[db]\nuser=ana\npassword=§\n"""'),
        ("netrc", password(), 'netrc_text = "machine api.example.com login ana password §"'),
        ("netrc-lines", password(), 'netrc2 = """machine h\n  login ana\n  password §\n"""'),
        ("pgpass", password(), 'pgpass_text = "db.example.com:5432:x:ana:§"'),
        (
            "kubernetes-secret",
            base64(password()),
            'manifest = """\napiVersion: v1\nkind: Secret\nmetadata:\n  name: db\ndata:\n  username: YW5h\n  password: §\n"""',
        ),
        ("kubernetes-data", base64(password() + "zz"), 'manifest2 = """\nkind: Secret\ndata:\n  dsn: §\n"""'),
        (
            "docker-auth",
            base64("ana:" + password()),
            'docker = \'{"auths": {"r.example.com": {"auth": "§"}}}\'',
        ),
        ("django-key", "django-insecure-" + body(50), 'SECRET_KEY = "§"'),
        ("flask-key", body(32), 'app = {}\napp["SECRET_KEY"] = b"§"'),
        ("twilio-token", body(32, HEX), 'TWILIO_AUTH_TOKEN = "§"'),
        ("oauth-secret", body(28), 'creds = {"client_id": "x.apps", "client_secret": "§"}'),
        ("recovery-phrase", phrase(), 'seed_phrase = "§"'),
        # lines that are not Python
        ("env-magic", password(), "%env MY_API_TOKEN=§"),
        ("env-magic", phrase(), "%env MY_PASSWORD §"),
        ("export", password(), "!export DB_PASSWORD=§"),
        ("export-words", phrase(), '!export DB_PASSWORD="§"'),
        ("shell-variable", password(), "!PGPASSWORD=§ true"),
        ("shell-flag", password(), "!true --password §"),
        ("curl-user", password(), "!true; : curl -u ana:§ http://127.0.0.1:9"),
        ("curl-header", body(32), '!: curl -H "X-Api-Key: §" http://127.0.0.1:9'),
        ("curl-bearer", body(32), "!: curl -H 'Authorization: Bearer §' http://127.0.0.1:9"),
        ("sshpass", password(), "!: sshpass -p §  ssh ana@h"),
        ("mysql-flag", password(), "!: mysql -u ana -p§ x"),
        ("redis-flag", password(), "!: redis-cli -h h -a § ping"),
        ("docker-login", password(), "!: docker login -u ana -p § r.example.com"),
        ("stdin-login", password(), "!: echo § | docker login -u ana --password-stdin r.example.com"),
        ("kubectl-literal", password(), "!: kubectl create secret generic db --from-literal=password=§"),
        ("aws-configure", body(40, BASE64), "!: aws configure set aws_secret_access_key §"),
        ("openssl-pass", password(), "!: openssl rsa -passin pass:§ -in k"),
        ("bash-cell", password(), "%%bash\nexport API_TOKEN=§\ntrue"),
        ("bash-words", phrase(), "%%bash\nexport DB_PASSWORD='§'\ntrue"),
        ("written-file", password(), "%%writefile settings.env\nUSER=ana\nDB_PASSWORD=§\n"),
        ("written-aws", body(40, BASE64), "%%writefile credentials\n[default]\naws_secret_access_key = §\n"),
        ("written-netrc", password(), "%%writefile netrc.txt\nmachine h login ana password §\n"),
        ("written-yaml", phrase(), "%%writefile app.yaml\ndb:\n  password: §\n"),
        # what a cell showed, and what it failed with
        ("output", password(), 'print("password=§")'),
        ("display", password(), '{"password": "§"}'),
        ("exception", password(), 'raise ValueError("password=§ is wrong")'),
        ("assertion", password(), 'assert pw == "§", "password=§"'),
        ("failed-cell", body(36), 'headers = {"Authorization": "Bearer §"}\n1 / 0'),
    ]
    found = [_with(kind, value, code) for kind, value, code in made if code is not None]
    joined = next(value for kind, value, code in made if code is None)
    half = len(joined) // 2
    # Each half is searched for: none of them may stay behind.
    first, second = joined[:half], joined[half:]
    found.append(Planted("password-concatenated", first, f'joined_password = "{first}" + \\\n    "{second}"'))
    found.append(Planted("password-concatenated", second, "n4 = len(joined_password)"))
    return found
