"""No planted secret is in any file that a registry writes, whatever way it came; and no digest of one."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import planted
import pytest
from kernels import MODEL, Kernel, running_kernel
from searching import contents, found

from nbreg import Registry

Places = dict[str, str]
"""What was planted, by the place and the kind."""


class Project:
    """A project as people have them: git with a remote, a module, changes, and secrets all over it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.places: Places = {}

    def secret(self, place: str, value: str) -> str:
        """Plant a value: it is what the search looks for."""
        assert place not in self.places
        assert value not in self.places.values()
        self.places[place] = value
        return value

    def password(self, place: str) -> str:
        return self.secret(place, planted.password())

    def token(self, place: str) -> str:
        return self.secret(place, "ghp" + "_" + planted.body(36))

    def git(self, *words: str) -> None:
        subprocess.run(["git", "-C", str(self.folder), *words], check=True, capture_output=True)

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)

    def make(self) -> None:
        """Commit something, then change it."""
        self.folder.mkdir(parents=True)
        self.git("init", "-q", "-b", f"wip-{self.token('git branch')}")
        self.git(
            "remote", "add", "origin", f"https://ana:{self.password('git remote')}@git.example.com/r.git"
        )
        self.git("remote", "add", "other", f"https://{self.token('git remote token')}@git.example.com/r.git")
        self.write(
            "helpers.py", f'PASSWORD = "{self.password("committed module")}"\ndef double(x): return 2 * x\n'
        )
        self.write("settings.ini", "[db]\nuser=ana\n")
        self.write("run.sh", "true\n")
        self.git("add", ".")
        self.git("commit", "-q", "-m", "first")
        words = self.secret("changed module, words", planted.phrase())
        self.write(
            "helpers.py",
            f'PASSWORD = "{self.password("changed module")}"\n'
            f"# token: {self.token('changed module, comment')}\n"
            f'def double(x, api_key="{words}"):\n'
            f'    """Use password={self.password("changed module, docstring")}"""\n    return 2 * x\n',
        )
        self.write("settings.ini", f"[db]\nuser=ana\npassword = {self.password('uncommitted diff')}\n")
        self.write("run.sh", f"curl -u ana:{self.password('uncommitted script')} http://127.0.0.1:9\n")
        self.write(f"notes {self.token('name of a file')}.txt", "")

    def environment(self) -> dict[str, str]:
        """Variables that the processes are started with."""
        site = self.folder / "site" / "planted-1.0.dist-info"
        site.mkdir(parents=True)
        (site / "METADATA").write_text("Metadata-Version: 2.1\nName: planted\nVersion: 1.0\n")
        url = f"https://{self.token('installed from')}@git.example.com/planted.git"
        (site / "direct_url.json").write_text(
            f'{{"url": "{url}", "vcs_info": {{"vcs": "git", "commit_id": "0"}}}}'
        )
        return {
            "DB_PASSWORD": self.password("environment"),
            "VAULT_PASSPHRASE": self.secret("environment, words", planted.phrase()),
            "OPENAI_API_KEY": self.secret("environment, key", planted.body(40)),
            "PYTHONPATH": str(site.parent),
        }

    def leaks(self, *registries: Path) -> list[str]:
        everything = b"\n".join(contents(each) for each in registries)
        assert b"manifest" in everything or b"artifacts" in everything
        return [place for place, value in self.places.items() if found(value, everything)]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    project = Project(tmp_path / "work")
    project.make()
    for name, value in project.environment().items():
        monkeypatch.setenv(name, value)
    return project


@pytest.fixture
def kernel(project: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kernel]:
    monkeypatch.chdir(project.folder)
    with running_kernel() as kernel:
        kernel.good("%load_ext nbreg")
        kernel.good(MODEL)
        yield kernel


def test_no_secret_of_a_notebook_is_in_the_registry(kernel: Kernel, project: Project, tmp_path: Path) -> None:
    """A registry is shared with the team, backed up and copied; what is in it once is out for good."""
    kernel.good("import helpers; n = helpers.double(2)")
    for index, each in enumerate(planted.cells()):
        project.secret(f"{index}: {each.kind}", each.value)
        kernel.run(each.code)
    _ask(kernel, project)
    _frames(kernel, project)
    _names(kernel, project)
    kernel.good("clf = Mean().fit([1.0, 2.0])")
    _say(kernel, project)

    leaks = project.leaks(project.folder / ".nbreg")
    stored = contents(project.folder / ".nbreg")

    assert not leaks, "\n".join(leaks)
    print(f"\nplanted: {len(project.places)} secrets, found in the registry: {len(leaks)}")  # noqa: T201
    for word in (
        b"helpers.double",
        b"db_password",
        b"postgresql+psycopg2://ana:",
        b"settings.ini",
        b"amount",
    ):
        assert word in stored, f"{word!r} was to be recorded"


def _ask(kernel: Kernel, project: Project) -> None:
    """What a person types when asked is bound to names that say nothing."""
    for code, answer in (
        ("import getpass\nentered = getpass.getpass('?')", project.secret("getpass", planted.phrase())),
        (
            "from getpass import getpass as ask\ntyped = ask()",
            project.secret("getpass, renamed", planted.body(12)),
        ),
        (
            "held = {'who': 'ana', 'what': getpass.getpass()}",
            project.secret("getpass, in a dict", planted.body(12)),
        ),
        ("told = input('Password: ')", project.secret("input of a password", planted.body(12))),
    ):
        message = kernel.begin(code, allow_stdin=True)
        kernel.client.get_stdin_msg(timeout=60)
        kernel.client.input(answer)
        assert kernel.finish(message).ok
    kernel.good("entered_again = f'<{entered}>'; held_again = [held['what']]")


def _frames(kernel: Kernel, project: Project) -> None:
    """A frame's cells, labels, categories and attributes."""
    column, category, label = (
        project.token(f"frame, {each}") for each in ("values", "category", "column name")
    )
    kernel.good(
        "import pandas\n"
        f"frame = pandas.DataFrame({{'amount': [1.0, 2.0], 'password': ['{project.password('frame, named column')}'] * 2,\n"
        f"  'note': ['{column}'] * 2, 'kind': pandas.Categorical(['{category}'] * 2), '{label}': [1, 2]}})\n"
        f"frame.index.name = '{project.token('frame, index name')}'\n"
        f"frame.attrs['password'] = '{project.password('frame, attrs')}'\n"
        f"series = pandas.Series([1.0, 2.0], name='{project.token('series name')}')"
    )


def _names(kernel: Kernel, project: Project) -> None:
    """Where nobody would put one, but somebody did."""
    kernel.good(
        f"v_{project.token('name of a variable')} = 1\n"
        f"def f_{project.token('name of a function')}(): return 1\n"
        f"keyed = {{'{project.token('key of a dict')}': 1}}\n"
        f"listed = [('api_token', '{project.password('pair')}')]\n"
        f"argv = ['train', '--token', '{project.password('argument list')}']\n"
        f"raw = b'{project.token('bytes')}'\n"
        f"as_set = {{'{project.token('set')}'}}\n"
        f"from pathlib import Path\npath = Path('/srv/{project.token('path')}/x')"
    )


def _say(kernel: Kernel, project: Project) -> None:
    """Everything that a person can say on a line or in a call."""
    said = project.password
    kernel.good(
        f"%register_model churn clf --metrics n --params lr=0.1,api_key={said('--params')} --tags base,{project.token('--tags')} "
        f'--description "password={said("--description")}" --message "db password: {said("--message")}" '
        f"--reason {project.token('--reason')} --data frame,series --artifacts n"
    )
    kernel.good(
        "import nbreg\nreg = nbreg.Registry()\n"
        f"v = reg.register('churn', clf, new=True, params={{'db': {{'password': '{said('params')}'}}, 'copied': label, 'sent': entered}},\n"
        f"  content={{'api_token': '{said('content')}', 'list': ['postgresql://u:{said('content, url')}@h/x'], 'again': told}},\n"
        f"  tags=['t-{project.token('tags')}'], message=f'with {{pw}} and {{entered}}', description='token={said('description')}',\n"
        f"  data={{'{project.token('name of data')}': frame, 'text': '{project.token('text as data')}', 'login': entered}})\n"
        f"reg.promote(v, 'staging', reason='{project.token('reason of a promotion')}', message='password={said('message of a promotion')}')\n"
        f"reg.update(v, content={{'again': {{'password': '{said('updated content')}'}}}}, description='pw: {{}}'.format(pw), reason='R')\n"
        f"reg.set_alias(v, 'live', message='secret={said('message of an alias')}')\n"
        f"reg.drop_alias('churn', 'live', message=entered)\n"
        f"reg.retire(v, message='Bearer {project.secret('message, bearer', planted.body(32))}')\n"
        f"reg.delete(v, reason='token={said('reason of a deletion')}'); reg.restore('churn@2', message=told)"
    )


SCRIPT = """
import os, sys, getpass
import nbreg, helpers
class Mean:
    def fit(self, values): self.mean = sum(values); return self
    def predict(self, values): return [self.mean for _ in values]
clf = Mean().fit([1.0])
copied = os.environ["DB_PASSWORD"]
words = f"<{os.environ['VAULT_PASSPHRASE']}>"
reg = nbreg.Registry()
reg.register("churn", clf, params={"copied": copied}, message=words)
"""


def test_no_secret_of_a_script_is_in_the_registry(project: Project) -> None:
    """A job in CI has its secrets in the environment, on the command line and in its text."""
    python = [each for each in planted.cells() if each.code[0] not in "%!" and "raise " not in each.code]
    lines = []
    for index, each in enumerate(python):
        project.secret(f"{index}: {each.kind}", each.value)
        if each.kind not in ("assertion", "failed-cell"):
            lines.append(each.code)
    project.write("train.py", "\n".join(lines) + SCRIPT)
    arguments = ["--password", project.password("argument"), f"--api-key={project.password('argument, =')}"]
    arguments += [f"DB_PW={project.password('setting')}", project.token("argument alone")]

    subprocess.run(
        [sys.executable, "train.py", *arguments], cwd=project.folder, check=True, env=dict(os.environ)
    )

    assert not (leaks := project.leaks(project.folder / ".nbreg")), "\n".join(leaks)
    assert Registry(project.folder / ".nbreg").get("churn@1").source.script


def test_the_search_finds_what_is_there(tmp_path: Path) -> None:
    """A search that finds nothing proves nothing unless it is known to find."""
    import gzip
    import json
    import zipfile
    from base64 import b64encode
    from hashlib import sha256

    value = 'Otter "7" Über'
    forms = {
        "plain": value.encode(),
        "json": json.dumps([value]).encode(),
        "base64": b"x " + b64encode(f"before {value} after".encode()) + b" y",
        "hex": value.encode().hex().encode(),
        "gzip": gzip.compress(value.encode()),
        "inside": b"\x80head" + gzip.compress(json.dumps(value).encode()),
        "utf-16": f"say {value}".encode("utf-16"),
        "digest": sha256(value.encode()).hexdigest().encode(),
        "raw digest": b"\0" + sha256(value.encode()).digest(),
    }
    for name, data in forms.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_bytes(data)
        assert found(value, contents(tmp_path / name)), name
    (tmp_path / "zip").mkdir()
    with zipfile.ZipFile(tmp_path / "zip" / "file", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner", value)
    assert found(value, contents(tmp_path / "zip"))
