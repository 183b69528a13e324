"""What it costs to know who decided: routing, stamping, and asking a ledger of a million decisions.

The yardstick of stamping is the prediction itself: a pipeline of scikit-learn on a frame of thirty
columns, one row and ten thousand, in turns without and with a stamp.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import harness
from harness import Benchmark, Figure

COLUMNS = 30
SHARES = {"production": 0.9, "staging": 0.1}


def measure(scale: tuple[int, int, int], work: Path) -> list[Figure]:
    """Turns, rows of the large frame, decisions in the ledger."""
    import numpy
    import pandas
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from nbreg import Registry

    turns, rows, decisions = scale
    random = numpy.random.default_rng(harness.SEED)
    frame = pandas.DataFrame(random.random((rows, COLUMNS)), columns=[f"c{i}" for i in range(COLUMNS)])
    registry = Registry(work / "registry")
    for strength in (0.1, 1.0):
        model = make_pipeline(StandardScaler(), LogisticRegression(C=strength))
        registry.register("churn", model.fit(frame, frame["c0"] > 0.5), data={"train": frame})
    registry.promote("churn@1", "production")
    registry.promote("churn@2", "staging")
    return [
        *_routing(registry, turns),
        *_stamping(registry, frame, turns),
        *_asking(registry, random.random((decisions, COLUMNS)), turns),
    ]


def _routing(registry: Any, turns: int) -> list[Figure]:
    calls = 1000

    def route(turn: int) -> None:
        for key in range(calls):
            registry.route("churn", SHARES, key=key)

    (times,) = harness.in_turns([route], turns)
    told = [each / calls * 1e6 for each in times.cpu]
    return [harness.spread("route between two references, cpu", told, "µs", goal=50)]


def _stamping(registry: Any, frame: Any, turns: int) -> list[Figure]:
    version = registry.get("churn@1")
    found = []
    for what, rows, often in (("1 row", frame[:1].copy(), 20), (f"{len(frame):,} rows", frame, 1)):

        def ask(stamp: str, rows: Any = rows, often: int = often) -> None:
            for _ in range(often):
                version.predict(rows, stamp=stamp)

        off, on = harness.in_turns([lambda turn: ask("off"), lambda turn: ask("required")], turns)
        more = [(b - a) / often * 1e3 for a, b in zip(off.cpu, on.cpu, strict=True)]
        found += [
            harness.spread(f"predict {what}, cpu", [each / often * 1e3 for each in off.cpu], "ms"),
            harness.spread(f"a stamp on {what}, cpu", more, "ms", goal=0.2 if often > 1 else 20),
            harness.ratio(f"predict {what}, stamped / not", on, off, clock="cpu"),
        ]
    return found


def _asking(registry: Any, asked: Any, turns: int) -> list[Figure]:
    """A ledger of decisions about one row each, as a server writes it."""
    from nbreg.capture.tabular import rows as rows_of
    from nbreg.registry.serving.deciding import begin
    from nbreg.store import ledger
    from nbreg.store.ledgerlines import DIGEST, Deciding

    begin(registry._desk)
    book = registry._desk.folder.ledger
    writer = ledger.writer(book)
    version = registry.get("churn@1")
    columns = tuple(each["name"] for each in version.signature.inputs)
    layout = rows_of.Layout(columns, len(columns))
    key = writer.key(registry.actor, registry.id)
    digests = rows_of.digests(asked, layout, key.secret)
    deciding = Deciding(
        model="churn", number=1, id=version.id, by=registry.actor, columns=columns, width=len(columns)
    )

    known = registry.id

    def fill() -> None:
        for at in range(0, len(digests), DIGEST):
            writer.write(
                deciding,
                digests[at : at + DIGEST],
                now=registry._desk.folder.now(),
                request="",
                registry=known,
                most=registry.settings.segment_bytes,
            )

    wall, _ = harness.timed(fill)
    first, _ = harness.timed(lambda: registry.who_decided(asked[:1], "churn"))

    def who(turn: int) -> None:
        (found,) = registry.who_decided(asked[turn : turn + 1], "churn")
        assert [each.number for each in found] == [1]

    (again,) = harness.in_turns([who], turns)
    counted, _ = harness.timed(lambda: registry.decided_by("churn@1"))

    def how_many(turn: int) -> None:
        found = registry.decided_by("churn@1")
        assert found.is_whole
        assert found.tally.decisions >= len(asked)

    (amounts,) = harness.in_turns([how_many], turns)
    size = sum(path.stat().st_size for path in book.path.rglob("*.jsonl"))
    what = f"who decided, of {len(asked):,} decisions"
    return [
        Figure(what="write a decision that is digested", value=wall / len(asked) * 1e6, unit="µs"),
        Figure(what="a decision on disk", value=size / len(asked), unit="bytes"),
        Figure(what=f"{what}, the first time (makes the indexes)", value=first, unit="s"),
        harness.seconds(what, again, goal=50),
        Figure(
            what=f"how many a version made, of {len(asked):,}, the first time", value=counted * 1e3, unit="ms"
        ),
        harness.seconds(f"how many, and the newest 50, of {len(asked):,} decisions", amounts, goal=50),
    ]


BENCHMARK = Benchmark(
    name="decisions",
    claim="a stamp costs less than 0.2 ms, and one of a million decisions is found in 50 ms",
    measure=measure,
    full=(15, 10_000, 1_000_000),
    smallest=(2, 100, 300),
)

if __name__ == "__main__":
    sys.exit(not harness.main(BENCHMARK))
