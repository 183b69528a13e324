"""`%load_model` returns the object, shows what it is, and loads nothing that nobody vouched for."""

from __future__ import annotations

import re
from pathlib import Path

from asking import value
from kernels import MODEL, Kernel


def test_load_returns_the_object_and_shows_what_it_is(trained: Kernel) -> None:
    """The pinned id stands in the notebook, whatever the reference means later."""
    trained.good("%register_model churn clf\n%promote churn@1 production")

    ran = trained.good("again = %load_model churn@production   # verified")

    assert ran.text.startswith("churn 1.0.0 (#1) · pinned churn@sha256:")
    assert value(trained, "again.mean") == "2.0"


def test_load_binds_names_and_never_overwrites_with_with(trained: Kernel) -> None:
    """`--as` was asked for; an artifact's name was not."""
    trained.good("scaler = [1]; threshold = 0.5")
    trained.good("%register_model churn clf --artifacts scaler,threshold")
    trained.good("scaler = [2]")
    assert "--with would overwrite the variable scaler" in trained.refused("%load_model churn --with scaler")

    assert "--as class is no name of a variable" in trained.refused("%load_model churn --as class")

    trained.good("del scaler, threshold")
    trained.good("%load_model churn --as clf --with all")

    assert value(trained, "clf.mean, scaler, threshold") == "2.0 [1] 0.5"


def test_what_nobody_vouched_for_is_not_loaded_without_trust(trained: Kernel) -> None:
    """The refusal is the line to run; nothing of the pickle was run before."""
    trained.good("%register_model churn clf")
    trained.good("%env XDG_CONFIG_HOME=/nonexistent")
    line = trained.refused("%load_model churn@1")
    loaded = trained.run("x = %load_model churn@1 --trust")
    trained.good("import os; del os.environ['XDG_CONFIG_HOME']")

    assert "(if you trust it: %load_model churn@1 --trust)" in line
    assert loaded.ok


def test_what_cannot_be_loaded_here_shows_how_here_differs(kernel: Kernel, tmp_path: Path) -> None:
    """The package that is missing is named, instead of a traceback alone."""
    (tmp_path / "site-packages" / "mylib-1.0.dist-info").mkdir(parents=True)
    (tmp_path / "site-packages" / "mylib-1.0.dist-info" / "top_level.txt").write_text("mylib\n")
    (tmp_path / "site-packages" / "mylib.py").write_text(MODEL)
    site = str(tmp_path / "site-packages")
    kernel.good(f"import sys; sys.path.insert(0, {site!r}); import mylib; net = mylib.Mean().fit([1])")
    kernel.good("%register_model churn net")
    kernel.good(f"sys.path.remove({site!r}); del sys.modules['mylib'], net, mylib")

    ran = kernel.run("%load_model churn@1")

    assert "UsageError: mylib.Mean needs the module 'mylib', which is not here (install it" in ran.stderr
    assert re.search(r"mylib +1\.0 +not installed +breaking", ran.text)


def test_only_pinned_references_load_where_that_is_required(trained: Kernel) -> None:
    """The magic is no way around NBREG_REQUIRE_PINNED."""
    trained.good("%register_model churn clf")
    trained.good("%env NBREG_REQUIRE_PINNED=1")
    line = trained.refused("%load_model churn@latest")
    trained.good("import os; del os.environ['NBREG_REQUIRE_PINNED']")

    assert "NBREG_REQUIRE_PINNED" in line
