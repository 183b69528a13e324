"""Takes away what nbreg promises, one promise at a time, and sees that a test fails each time.

    .venv/bin/python tools/mutants.py               every entry of tests/mutants/*.toml
    .venv/bin/python tools/mutants.py 25 F3         those of some capabilities
    .venv/bin/python tools/mutants.py --jobs 4      four at a time

An entry says how the code would look without what a capability promises, and which of the capability's
tests (docs/capabilities.toml) notices. Everything happens in copies of what git tracks; nothing here changes.
"""

from __future__ import annotations

import argparse
import compileall
import os
import py_compile
import shutil
import signal
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from queue import SimpleQueue
from typing import Literal, NamedTuple
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parent.parent
ENTRIES = ROOT / "tests" / "mutants"
PACKAGE = "src/nbreg/"
PATIENCE = 280
"""Seconds for one test. What hangs has not shown what it notices."""

NO_BEHAVIOUR = ("NameError", "UnboundLocalError", "SyntaxError", "ImportError", "ModuleNotFoundError")
"""What a test may not fail with: the mutant was written wrongly, and took nothing away."""

Verdict = Literal["noticed", "survived", "broken", "not tried"]


class Mutant(NamedTuple):
    """The code without something that it promises."""

    row: str
    """The number of the capability."""
    takes_away: str
    file: str
    find: str
    """Text that stands in the file once."""
    replace: str
    """What stands there without the behaviour."""
    test: str
    """One of the capability's tests, possibly with `[a parameter]`."""
    part: str
    """The file that the entry is in."""

    @property
    def function(self) -> str:
        """The test without its parameter."""
        return self.test.partition("[")[0]

    @property
    def module(self) -> str:
        """What the file is imported as."""
        return self.file.removeprefix("src/").removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    def applied(self, text: str) -> str:
        """The file's text without the behaviour."""
        return text.replace(self.find, self.replace)


class Outcome(NamedTuple):
    """What came of one mutant, or of a test that nothing was taken from."""

    verdict: Verdict
    why: str = ""


def mutants(folder: Path = ENTRIES) -> list[Mutant]:
    """All entries, as they are written."""
    return [
        Mutant(**each, part=f"tests/mutants/{path.name}")
        for path in sorted(folder.glob("*.toml"), key=_first_number)
        for each in tomllib.loads(path.read_text())["mutant"]
    ]


def problems(entries: Sequence[Mutant], tests: dict[str, list[str]]) -> list[str]:
    """What is wrong with the entries before anything is run; `tests` are those of each capability."""
    rows = {each.row for each in entries}
    found = [
        f"{row}: nothing takes it away; add an entry to tests/mutants/" for row in tests if row not in rows
    ]
    return found + [f"{each.row}: {told} ({each.part})" for each in entries for told in _wrong(each, tests)]


def _wrong(each: Mutant, tests: dict[str, list[str]]) -> Iterator[str]:
    if each.row not in tests:
        yield "there is no such capability"
    elif each.function not in tests[each.row]:
        yield f"{each.test} is none of its tests; name it in docs/capabilities.toml, or another one here"
    path = ROOT / each.file
    if not each.file.startswith(PACKAGE) or path.suffix != ".py" or not path.is_file():
        yield f"{each.file} is no module of nbreg; `file` is where the behaviour is now"
        return
    text = path.read_text()
    if (times := text.count(each.find)) != 1:
        yield (
            f"`find` of {each.takes_away!r} stands {times} times in {each.file}, not once; "
            "after a refactoring, copy into `find` the lines that do it now, and into `replace` "
            "these lines without it"
        )
        return
    if each.find.strip() == each.replace.strip():
        yield f"`replace` of {each.takes_away!r} is what stands there already"
    try:
        compile(each.applied(text), each.file, "exec")
    except SyntaxError as error:
        yield f"{each.file} cannot be compiled without {each.takes_away!r}: {error.msg}, line {error.lineno}"


class Bench:
    """A copy of the project, in which one thing at a time is taken away."""

    def __init__(self, folder: Path, project: Path = ROOT) -> None:
        self.root = folder / "project"
        self._scrap = folder / "tmp"
        tracked = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]  # or will be
        listed = subprocess.run(tracked, cwd=project, capture_output=True, check=True).stdout
        for name in dict.fromkeys(filter(None, listed.decode().split("\0"))):
            if (project / name).is_file():  # not what is deleted and not committed yet
                (self.root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(project / name, self.root / name)
        # By content, not by time: two mutants of one file may have one size and one second.
        by_content = py_compile.PycInvalidationMode.CHECKED_HASH
        compileall.compile_dir(self.root / "src", quiet=1, invalidation_mode=by_content)

    @cached_property
    def _environ(self) -> dict[str, str]:
        """With the copy before the project that is installed, for each process that a test starts, too."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("NBREG_")}
        browser = {name: os.environ[name] for name in ("NBREG_REQUIRE_BROWSER",) if name in os.environ}
        return kept | browser | {"PYTHONPATH": str(self.root / "src"), "TMPDIR": str(self._scrap)}

    @contextmanager
    def without(self, mutant: Mutant) -> Iterator[None]:
        """The copy as a mutant has it."""
        path = self.root / mutant.file
        text = path.read_text()
        path.write_text(mutant.applied(text))
        try:
            yield
        finally:
            path.write_text(text)

    def run(self, *command: str | Path) -> tuple[int, str]:
        """Run Python in the copy. A negative number says that it was stopped."""
        shutil.rmtree(self._scrap, ignore_errors=True)
        self._scrap.mkdir()
        process = subprocess.Popen(
            [sys.executable, *map(str, command)],
            cwd=self.root, env=self._environ, text=True, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            said, _ = process.communicate(timeout=PATIENCE * 2)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            said, _ = process.communicate()
        except BaseException:  # an interrupt: it is in a session of its own, and would go on
            os.killpg(process.pid, signal.SIGKILL)
            raise
        return process.returncode, said

    def tested(self, tests: Iterable[str], *options: str) -> tuple[dict[str, Outcome], str]:
        """What came of each test function: `noticed` is that it failed."""
        report = self._scrap.with_suffix(".xml")
        report.unlink(missing_ok=True)
        _, said = self.run(
            "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "", "--timeout", str(PATIENCE), *options,
            "-o", "junit_family=xunit1", "--junitxml", report, "--basetemp", self._scrap / "pytest", *tests,
        )  # fmt: skip
        return (_read(report) if report.exists() else {}), said


def _read(report: Path) -> dict[str, Outcome]:
    """The worst that came of each test function."""
    found: dict[str, Outcome] = {}
    for case in ElementTree.parse(report).iter("testcase"):
        test = f"{case.get('file')}::{str(case.get('name')).partition('[')[0]}"
        now = _came_of(case)
        if test not in found or found[test].verdict in ("survived", "not tried"):
            found[test] = now
    return found


def _came_of(case: ElementTree.Element) -> Outcome:
    told = {each.tag: each.get("message", "").splitlines()[:1] for each in case}
    if "error" in told:
        return Outcome("broken", f"it did not get as far as the test: {' '.join(told['error'])}")
    if "failure" in told:
        why = " ".join(told["failure"])
        if why.startswith(NO_BEHAVIOUR):
            return Outcome("broken", f"it fails with {why}")
        return Outcome("broken", "it hangs") if "Timeout" in why else Outcome("noticed", why)
    return Outcome("not tried", " ".join(told["skipped"])) if "skipped" in told else Outcome("survived")


def standing(bench: Bench, tests: Iterable[str]) -> dict[str, Outcome]:
    """The tests that cannot show anything, since they fail or are skipped with nothing taken away.

    One process for each file: those in a browser go with no others.
    """
    files: dict[str, list[str]] = {}
    for test in dict.fromkeys(tests):
        files.setdefault(test.partition("::")[0], []).append(test)
    useless: dict[str, Outcome] = {}
    for each in files.values():
        found, said = bench.tested(each)
        if not found:  # pytest runs none of them where one is not there
            for test in each[1:] and each:
                found |= bench.tested([test])[0]
        for test in each:
            outcome = found.get(test.partition("[")[0], Outcome("broken", f"no test ran: {_last(said)}"))
            if outcome.verdict == "not tried":
                useless[test] = outcome
            elif outcome.verdict != "survived":
                useless[test] = Outcome("broken", f"the test fails with nothing taken away: {outcome.why}")
    return useless


def tried(bench: Bench, mutant: Mutant) -> Outcome:
    """Take one thing away and run its test."""
    with bench.without(mutant):
        status, said = bench.run(
            "-m", "ruff", "check", "--quiet", "--isolated", "--select", "F821,F823", mutant.file
        )
        if status:
            return Outcome("broken", f"it uses names that are not there: {_last(said)}")
        status, said = bench.run("-c", f"import {mutant.module}")
        if status:
            return Outcome("broken", f"{mutant.module} cannot be imported: {_last(said)}")
        found, said = bench.tested([mutant.test], "-x")
    return found.get(mutant.function, Outcome("broken", f"no test ran: {_last(said)}"))


def try_all(entries: Sequence[Mutant], jobs: int) -> dict[Mutant, Outcome]:
    """What came of each, told as it comes."""
    outcomes: dict[Mutant, Outcome] = {}
    with tempfile.TemporaryDirectory(prefix="nbreg-mutants-") as folder:
        benches = [Bench(Path(folder) / str(number)) for number in range(jobs)]
        print(f"{len(entries)} mutants; first their tests with nothing taken away")
        useless = standing(benches[0], (each.test for each in entries))
        free: SimpleQueue[Bench] = SimpleQueue()
        for bench in benches:
            free.put(bench)

        def one(mutant: Mutant) -> Outcome:
            if mutant.test in useless:
                return useless[mutant.test]
            bench = free.get()
            try:
                return tried(bench, mutant)
            finally:
                free.put(bench)

        with ThreadPoolExecutor(jobs) as pool:
            for mutant, outcome in zip(entries, pool.map(one, entries), strict=True):
                outcomes[mutant] = outcome
                print(f"{mutant.row:>4}  {outcome.verdict:<9}  {mutant.takes_away}", flush=True)
    return outcomes


def told(outcomes: dict[Mutant, Outcome]) -> list[str]:
    """What has to be looked at, and the sum."""
    lines = []
    for each, (verdict, why) in outcomes.items():
        if verdict == "survived":
            lines.append(
                f"{each.row}: nobody noticed without: {each.takes_away}\n    {each.test}\n    {each.file}"
            )
        elif verdict != "noticed":
            lines.append(f"{each.row}: {verdict}: {each.takes_away}\n    {each.test}\n    {why}")
    verdicts = [outcome.verdict for outcome in outcomes.values()]
    counts = [
        f"{count} {verdict}" for verdict in dict.fromkeys(verdicts) if (count := verdicts.count(verdict))
    ]
    return [*lines, f"{len({each.row for each in outcomes})} capabilities: {', '.join(counts)}"]


def _last(said: str) -> str:
    lines = [line for line in said.splitlines() if line.strip()]
    return lines[-1] if lines else "nothing was said"


def _first_number(path: Path) -> tuple[int, str]:
    number = path.name.partition("-")[0]
    return (int(number) if number.isdecimal() else sys.maxsize, path.name)


def main(arguments: list[str]) -> int:
    """Try them. Refuses entries that are wrong, as `tests/test_mutants.py` does."""
    sys.path.insert(0, str(Path(__file__).parent))
    from capabilities import capabilities

    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("rows", nargs="*", metavar="ROW", help="capabilities, such as 25 or F3; default: all")
    parser.add_argument(
        "--jobs", type=int, default=max(1, (os.cpu_count() or 1) // 2), help="how many at a time"
    )
    asked = parser.parse_args(arguments)

    tests = {each.number: each.tests for each in capabilities()}
    rows = asked.rows or list(tests)
    chosen = [each for each in mutants() if each.row in rows]
    if wrong := problems(chosen, {row: tests.get(row, []) for row in rows}):
        print("\n".join(wrong))
        return 1
    outcomes = try_all(chosen, asked.jobs)
    print("\n".join(told(outcomes)))
    return int(any(outcome.verdict in ("survived", "broken") for outcome in outcomes.values()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
