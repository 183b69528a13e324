"""An audit: one file with all that is recorded of a model, for somebody who trusts nobody.

registry.audit("churn", "churn.html")     # or churn.md; nothing outside is fetched, nothing runs
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

import nbreg
from nbreg import Registry
from nbreg.display.document import Target, web_address
from nbreg.errors import BadInputError, ConflictError, UnknownModelError
from nbreg.settings import Settings

HOSTILE = "<script>alert(1)</script>\x1b[31m\u202e | `x` [y](javascript:alert(1))"


class Page(HTMLParser):
    """What a browser would make of it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 2, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(days=1)
        return self.now


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    """A model with a story: three versions, two promotions, a rollback, a deployment, a deletion."""
    made = Registry(tmp_path / "registry", settings=Settings(capture=False), clock=Clock())
    X = pd.DataFrame({"age": range(10), "income": range(10)})
    clf = LogisticRegression().fit(X, [0, 1] * 5)
    data = {"train": nbreg.Dataset("customers", X, origin="https://lake.example.org/customers")}
    made.register("churn", clf, data=data, metrics={"auc": 0.91}, message="first cut")
    made.register("churn", {"n": 2}, message="second")
    made.register("churn", {"n": 3})
    made.get("churn@1").link("https://jira.example.org/CHURN-12", "ticket", title="Retrain")
    made.promote("churn@1", "production", reason="FirstRelease", message="tests passed")
    made.promote("churn@2", "production", reason="ABTestWon")
    made.rollback("churn", reason="Complaints")
    made.deploy("churn@1", "prod-eu", url="https://churn.example.org")
    made.delete("churn@3", "Mistake")
    made.set_alias("churn@2", "shadow", reason="DarkLaunch")
    made.drop_alias("churn", "shadow", reason="LaunchedElsewhere")
    made.update_model("churn", owners=["ada"], description="who leaves", readme="Trained weekly.")
    return made


def test_an_audit_answers_what_was_in_production_when_and_why(registry: Registry) -> None:
    """The regulator's question: which version decided on that day, and who put it there."""
    audit = registry.audit("churn")

    told = [(t.number, t.since[:10], t.until[:10], t.began_by.reason) for t in audit.tenures]
    assert [(number, reason) for number, _, _, reason in told] == [
        (1, "Complaints"),
        (2, "ABTestWon"),
        (1, "FirstRelease"),
    ]
    assert told[0][2] == ""
    assert [told[i][2] for i in (1, 2)] == [told[i][1] for i in (0, 1)], "one ends as the next begins"
    for tenure in audit.tenures:
        assert registry.get(f"churn@production@{tenure.since}").number == tenure.number


@pytest.mark.parametrize("name", ["churn.html", "churn.md"])
def test_one_file_tells_all_of_a_model(registry: Registry, tmp_path: Path, name: str) -> None:
    """Whoever reads it needs neither nbreg nor the registry."""
    registry.audit("churn", tmp_path / name)
    text = (tmp_path / name).read_text()
    told = Page(text).text if name.endswith("html") else re.sub(r"\\(.)", r"\1", text)

    version = registry.get("churn@1")
    for fact in (
        "first cut", "auc 0.91", "FirstRelease", "tests passed", "Complaints", "rolled back", "ABTestWon",
        "prod-eu", "customers@1", version.datasets[0].snapshot[:16], f"sha256:{version.id}", "Retrain",
        "Mistake", "DarkLaunch", "LaunchedElsewhere", "who leaves", "Trained weekly.", "What this does not prove",
        registry.verify().heads["churn"].hash, registry.verify().heads["data/"].hash, "verified: every line",
    ):  # fmt: skip
        assert fact in told, fact


def test_the_page_fetches_nothing_runs_nothing_and_links_only_to_the_web(
    registry: Registry, tmp_path: Path
) -> None:
    """It is opened by people who are suspicious for a living."""
    version = registry.get("churn@2")
    version.link("javascript:alert(1)", "ticket", title="click me")
    version.link("data:text/html,<script>alert(1)</script>")
    version.link("s3://lake/report.parquet")
    registry.audit("churn", tmp_path / "churn.html")
    text = (tmp_path / "churn.html").read_text()
    page = Page(text)

    assert not re.search(r"url\(|@import|<link|<img|\bsrc=|\bon\w+=|<script", text)
    links = [attrs["href"] for tag, attrs in page.elements if "href" in attrs]
    assert links
    assert {str(each).partition(":")[0] for each in links} == {"https"}
    assert "click me (javascript:alert(1))" in page.text
    assert "s3://lake/report.parquet" in page.text
    assert any(
        "default-src 'none'" in str(attrs.get("content")) for tag, attrs in page.elements if tag == "meta"
    )


@pytest.mark.parametrize("name", ["churn.html", "churn.md"])
def test_hostile_words_stay_words(tmp_path: Path, name: str) -> None:
    """A colleague's message cannot become part of the page."""
    registry = Registry(tmp_path / "registry", settings=Settings(capture=False))
    registry.register("churn", 1, message=HOSTILE, description=HOSTILE, content={"a": HOSTILE})
    registry.promote("churn@1", "production", reason=HOSTILE, message=HOSTILE)
    registry.update_model("churn", owners=["ada"], readme=HOSTILE, description=HOSTILE)
    registry.audit("churn", tmp_path / name)
    text = (tmp_path / name).read_text()

    assert "<script>" not in text
    assert "\x1b" not in text
    assert "\u202e" not in text
    if name.endswith("md"):
        assert not re.search(r"(?<!\\)\]\(", text), "nothing becomes a link"
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in text.splitlines() if "script" in line}
        assert widths <= {0, 3, 8, 9}, "no cell breaks its table"
    else:
        assert "<script>alert(1)</script>" in Page(text).text


def test_damage_is_told_and_hides_nothing_else(registry: Registry, tmp_path: Path) -> None:
    """An audit of a damaged registry is the one that is needed most."""
    bundle = registry.get("churn@1").row.bundle
    path = registry.location / "objects" / bundle[:2] / bundle[2:]
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-50] + b"x" * 50)

    audit = Registry(registry.location).audit("churn", tmp_path / "churn.html")
    assert not (audit.verified and audit.verified.ok)
    text = Page((tmp_path / "churn.html").read_text()).text
    assert "object-damaged" in text
    assert "second" in text


def test_a_row_that_is_no_record_is_told_and_hides_nothing_else(registry: Registry, tmp_path: Path) -> None:
    """A newer nbreg, or a bug of somebody's, wrote it: the other versions are asked about all the same."""
    database = registry._desk.model("churn")
    with database.transaction("edited", by=registry._desk.actor):
        for table in ("versions", "links", "deployed"):
            database._storage.put(table, "1", {"number": "one", "links": 1, "deployments": 1})

    for verify in (False, True):
        audit = Registry(registry.location).audit(
            "churn", tmp_path / "churn.html", verify=verify, overwrite=True
        )

        assert [each.row.number for each in audit.versions] == [3, 2]
        assert {(each.code, each.where) for each in audit.unreadable} >= {("journal-damaged", "churn@1")}
        assert {each.number for each in audit.tenures} == {1, 2}, "the journal says who held the stage"
        assert len(audit.events) == 13
        text = Page((tmp_path / "churn.html").read_text()).text
        assert "the row versions/1 is no VersionRow" in text
        assert "second" in text
        assert "all is well" not in text


def test_an_unverified_audit_says_so(registry: Registry) -> None:
    """A report that did not look must not read as one that did."""
    assert "not verified for this report" in registry.audit("churn", verify=False).to_html()


def test_an_audit_overwrites_nothing_unasked(registry: Registry, tmp_path: Path) -> None:
    """The last report is evidence, too."""
    path = tmp_path / "churn.html"
    registry.audit("churn", path)
    first = path.read_bytes()
    with pytest.raises(ConflictError):
        registry.audit("churn", path)
    assert path.read_bytes() == first
    registry.audit("churn", path, overwrite=True)
    assert path.read_bytes() != first, "the time is another one"
    with pytest.raises(BadInputError):
        registry.audit("churn", tmp_path / "churn.pdf")
    with pytest.raises(UnknownModelError):
        registry.audit("chrun", tmp_path / "other.html")
    assert [each.name for each in tmp_path.glob("*.html")] == ["churn.html"]


def test_only_addresses_of_the_web_are_addresses() -> None:
    """Everything else that is called a link is text."""
    for good in ("https://example.org", "http://example.org:80/a?b=c#d"):
        assert web_address(good) == good
    for bad in ("javascript:alert(1)", "JavaScript://example.org/%0aalert(1)", "file:///etc/passwd", "s3://a/b",
                "https://", "https://a b/", 'https://a/"onclick="', "http://[", " https://example.org"):  # fmt: skip
        assert web_address(bad) == "", bad
    assert Target("a", "b").url == "b"


def test_a_readme_in_markdown_stays_words_in_markdown(tmp_path: Path) -> None:
    """A heading of a colleague's is no heading of the report."""
    registry = Registry(tmp_path / "registry", settings=Settings(capture=False))
    registry.register("churn", 1)
    registry.update_model("churn", readme="# Verified\n- a point\n1. one\n\n===\n| a | b |")
    text = registry.audit("churn").to_markdown()
    for line in ("\\# Verified", "\\- a point", "1\\. one", "\\===", "\\| a \\| b \\|"):
        assert f"\n{line}\n" in text
