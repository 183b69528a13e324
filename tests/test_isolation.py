"""Two versions alive in one kernel, each with its own code, and neither with that of the notebook."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import children
import pytest
from kernels import running_kernel

from nbreg import Registry
from nbreg.errors import CannotLoadError, CannotStoreError


class Project:
    """A folder of modules on `sys.path`, edited and imported again as one does beside a notebook."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, **files: str) -> None:
        """Write modules (`_in_` for a folder's separator) and forget what was imported of them."""
        for name, text in files.items():
            path = self.folder / ("/".join(reversed(name.split("_in_"))) + ".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(dedent(text))
        self.forget()

    def forget(self) -> None:
        for name, module in list(sys.modules.items()):
            if str(getattr(module, "__file__", "")).startswith(str(self.folder)):
                del sys.modules[name]
        importlib.invalidate_caches()
        for cache in self.folder.rglob("__pycache__"):
            for file in cache.iterdir():
                file.unlink()

    def module(self, name: str) -> Any:
        return importlib.import_module(name)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    folder = tmp_path / "beside"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    project = Project(folder)
    yield project
    project.forget()


def cell(source: str, name: str = "Model") -> Any:
    """What a cell defines."""
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(dedent(source), names)
    return names[name]


MODEL = """
    class Model:
        def predict(self, rows):
            return [{answer} for _ in rows]
"""


def test_two_versions_that_define_one_class_differently_each_run_their_own(registry: Registry) -> None:
    """Comparing old and new where the test data is: the reason to load two at once."""
    for answer in (1, 2):
        registry.register("m", cell(MODEL.format(answer=answer))())

    first, second = registry.load("m@1"), registry.load("m@2")

    assert (first.predict([0]), second.predict([0])) == ([1], [2])
    assert (registry.load("m@1").predict([0]), second.predict([0])) == ([1], [2])


def test_loading_leaves_the_class_of_the_notebook_alone(registry: Registry) -> None:
    """A class that was patched since is today's: loading yesterday's version must not undo it."""
    kind = cell(MODEL.format(answer=1))
    live = kind()
    registry.register("m", live)
    kind.predict = lambda self, rows: ["patched" for _ in rows]
    registry.register("m", live)

    old, new = registry.load("m@1"), registry.load("m@2")

    assert live.predict([0]) == ["patched"]
    assert (old.predict([0]), new.predict([0])) == ([1], ["patched"])
    assert live.predict([0]) == ["patched"]
    assert type(old) is not kind


def test_an_unchanged_class_of_the_notebook_is_used_as_it_is(tmp_path: Path) -> None:
    """`isinstance(loaded, Model)` holds as long as it is true."""
    with running_kernel() as kernel:
        kernel.good(f"%load_ext nbreg\n%use_registry {tmp_path}/registry")
        define = dedent(MODEL.format(answer=1))
        kernel.good(define + "\nmodel = Model()\n%register_model m model")
        kernel.good("again = %load_model m@1")
        assert kernel.good("isinstance(again, Model), again.predict([0])").text == "(True, [1])\n"

        kernel.good(define)  # the cell was run once more: another class of the same code
        kernel.good("again = %load_model m@1")
        assert kernel.good("isinstance(again, Model)").text == "True\n"

        kernel.good(dedent(MODEL.format(answer=2)))
        kernel.good("again = %load_model m@1")
        assert kernel.good("isinstance(again, Model), again.predict([0])").text == "(False, [1])\n"
        assert kernel.good("Model().predict([0])").text == "[2]\n"


def test_a_base_that_keeps_a_list_of_its_subclasses_is_left_alone(
    registry: Registry, project: Project
) -> None:
    """A plug-in table of the notebook gets no second entry, and the class stays the one that it is."""
    project.write(
        plugins="""
        class Base:
            seen = []
            def __init_subclass__(cls):
                Base.seen.append(cls.__name__)
        class Model(Base):
            def predict(self, rows):
                return rows
        """
    )
    plugins = project.module("plugins")
    registry.register("m", plugins.Model())

    loaded = registry.load("m@1")

    assert type(loaded) is plugins.Model
    assert plugins.Base.seen == ["Model"]


def test_artifacts_of_one_version_share_their_classes(registry: Registry) -> None:
    """The scaler that is loaded beside the model is of the class that the model asks for."""
    kind = cell(MODEL.format(answer=1))
    registry.register("m", kind(), artifacts={"other": kind()})
    kind.predict = None

    model, other = registry.load("m@1"), registry.load("m@1", "other")

    assert type(model) is type(other)
    assert type(model) is not kind


def test_a_loaded_model_registered_again_is_equal_content(registry: Registry) -> None:
    """Code that travelled twice is still the same code."""
    kind = cell(MODEL.format(answer=1))
    version = registry.register("m", kind())
    kind.predict = None

    again = registry.register("m", registry.load("m@1"))

    assert (again.number, again.existing) == (version.number, True)


def test_a_module_beside_the_notebook_travels(registry: Registry, project: Project) -> None:
    """Edited since, and gone on another machine: the version has its own."""
    project.write(
        helpers="""
        from constants import FACTOR
        def scaled(rows):
            return [FACTOR * row for row in rows]
        class Model:
            def predict(self, rows):
                return scaled(rows)
        """,
        constants="FACTOR = 2\n",
    )
    registry.register("m", project.module("helpers").Model())
    project.write(constants="FACTOR = 3\n")
    live = project.module("helpers").Model()
    registry.register("m", live)

    first, second = registry.load("m@1"), registry.load("m@2")

    assert (first.predict([1]), second.predict([1]), live.predict([1])) == ([2], [3], [3])
    out = children.run(
        "registry = Registry(sys.argv[1]); print(registry.load('m@1').predict([1]), registry.load('m@2').predict([1]))",
        registry.location,
        cwd="/",
    )
    assert out == "[2] [3]\n"


@pytest.mark.parametrize("files", [{"__init___in_shop": ""}, {}])
def test_a_package_with_relative_imports_travels(
    registry: Registry, project: Project, files: dict[str, str]
) -> None:
    """Also what its functions import only when they are called."""
    project.write(
        **files,
        model_in_shop="""
        from .prices import PRICE
        class Model:
            def predict(self, rows):
                from .taxes import rate
                import shop.fees as fees
                from . import prices
                return [(PRICE + fees.FEE) * rate(row) + 0 * prices.PRICE for row in rows]
        """,
        prices_in_shop="PRICE = 10\n",
        fees_in_shop="FEE = 1\n",
        taxes_in_shop="""
        def rate(row):
            from shop.fees import FEE
            return 1 + FEE
        """,
    )
    model = project.module("shop.model").Model()
    project.module("shop.taxes"), project.module("shop.fees")
    registry.register("m", model)
    project.write(fees_in_shop="FEE = 100\n", taxes_in_shop="def rate(row):\n    return 0\n")

    loaded = registry.load("m@1")

    assert loaded.predict([0]) == [22]
    assert project.module("shop.model").Model().predict([0]) == [0]
    assert loaded.predict([0]) == [22]
    script = "print(Registry(sys.argv[1]).load('m@1').predict([0]))"
    assert children.run(script, registry.location, cwd="/") == "[22]\n"


def test_two_versions_of_a_package_live_side_by_side(registry: Registry, project: Project) -> None:
    """Each with its own relatives, absolute names, late imports, enums and dataclasses, however they are mixed."""
    text = """
        import copy, enum, pickle
        from dataclasses import dataclass, replace
        from .deep.rates import RATE
        import trade.deep.rates
        class Mode(enum.Enum):
            PLAIN = {number}
        @dataclass
        class Model:
            mode: Mode = Mode.PLAIN
            def predict(self, rows):
                from .deep import rates
                from trade.deep.rates import doubled
                mine = trade.deep.rates.RATE, rates.RATE, RATE, doubled(RATE) // 2, Mode({number}).value
                again = copy.deepcopy(replace(self))
                assert set(mine) == {{{number}}} and again == self and type(again) is type(self), mine
                return [self.mode.value for _ in rows]
        """
    rates = "from .. import base\nfrom ..base import FACTOR\nRATE = {number}\ndef doubled(row):\n    return row * FACTOR\n"
    for number in (1, 2, 3):
        project.write(
            __init___in_trade="", __init___in_deep_in_trade="", base_in_trade="FACTOR = 2\n",
            model_in_trade=text.format(number=number), rates_in_deep_in_trade=rates.format(number=number),
        )  # fmt: skip
        live = project.module("trade.model").Model()
        if number < 3:
            registry.register("m", live)
    first, second = registry.load("m@1"), registry.load("m@2")

    for model, answer in (
        (first, 1),
        (second, 2),
        (live, 3),
        (first, 1),
        (registry.load("m@1"), 1),
        (live, 3),
    ):
        assert model.predict([0]) == [answer]
    assert first != second


LATE = {
    "a statement within the package": ("", "from . import rates"),
    "a statement": ("", "import trade.rates as rates"),
    "a statement for a part": ("", "from trade import rates"),
    "by a text": ("import importlib", "rates = importlib.import_module('trade.rates')"),
    "by a text within the package": ("import importlib.util", "rates = importlib.import_module('.rates', 'trade')"),
    "by a text, with the function": ("from importlib import import_module", "rates = import_module('trade.rates')"),
    "by a text, when it is called": ("", "from importlib import import_module; rates = import_module('trade.rates')"),
    "by the function under the statement": ("", "rates = __import__('trade.rates').rates"),
    "by that function, for a part": ("", "rates = __import__('trade', fromlist=['rates']).rates"),
    "within a lambda": ("", "rates = (lambda: __import__('trade.rates').rates)()"),
    "within a comprehension": ("", "rates = [__import__('trade.rates').rates for _ in (1,)][0]"),
}  # fmt: skip


@pytest.mark.parametrize("way", LATE)
def test_what_is_imported_late_is_part_of_the_model(registry: Registry, project: Project, way: str) -> None:
    """A helper that was edited makes another version, and a loaded version keeps its own when it is stored again."""
    above, importing = LATE[way]
    text = f"""
        {above}
        class Model:
            def predict(self, rows):
                {importing}
                return [rates.RATE for _ in rows]
        """
    for rate in (1, 2):
        project.write(__init___in_trade="", model_in_trade=text, rates_in_trade=f"RATE = {rate}\n")
        model = project.module("trade.model").Model()
        project.module("trade.rates")
        assert model.predict([0]) == [rate]
        assert registry.register("m", model).number == rate

    first, second = registry.load("m@1"), registry.load("m@2")
    assert (first.predict([0]), second.predict([0]), model.predict([0])) == ([1], [2], [2])
    assert registry.register("m", first).number == 1
    assert (
        registry.register("copy", first).manifest.content_digest
        == registry.get("m@1").manifest.content_digest
    )
    with pytest.raises(CannotStoreError, match=r"two modules that are both named trade"):
        registry.register("both", [first, second])
    project.forget()
    assert registry.load("copy@1").predict([0]) == [1]
    script = "print(Registry(sys.argv[1]).load('copy@1').predict([0]))"
    assert children.run(script, registry.location, cwd="/") == "[1]\n"


BY_NAME = {
    "a text with a name in it": "import_module(f'trade.{kind}')",
    "a text and a name": "import_module('trade.' + kind)",
    "a text with a place for it": "import_module('trade.{}'.format(kind))",
    "a name within the package": "import_module('.' + kind, __package__)",
    "by the function under the statement": "__import__(f'trade.{kind}', fromlist=['x'])",
}


@pytest.mark.parametrize("way", BY_NAME)
def test_modules_of_a_package_that_are_chosen_by_name_are_part_of_the_model(
    registry: Registry, project: Project, way: str
) -> None:
    """A model that picks its plug-in by a setting has last year's plug-in when it is last year's model."""
    text = f"""
        from importlib import import_module
        class Model:
            kind = "rates"
            def predict(self, rows):
                kind = self.kind
                return [{BY_NAME[way]}.RATE for _ in rows]
        """
    for rate in (1, 2):
        project.write(__init___in_trade="", model_in_trade=text, rates_in_trade=f"RATE = {rate}\n")
        model = project.module("trade.model").Model()
        project.module("trade.rates")
        assert model.predict([0]) == [rate]
        assert registry.register("m", model).number == rate

    first, second = registry.load("m@1"), registry.load("m@2")

    assert (first.predict([0]), second.predict([0]), model.predict([0])) == ([1], [2], [2])


def test_a_module_that_nobody_could_know_is_told_when_it_is_imported(
    registry: Registry, project: Project, caplog: pytest.LogCaptureFixture
) -> None:
    """Its name is made when the model is asked: the answer is today's module's, and does not pass for the version's."""
    project.write(
        helpers="""
        from importlib import import_module
        class Model:
            def __init__(self, name):
                self.name = name
            def predict(self, rows):
                return [import_module(self.name).RATE for _ in rows]
        """,
        rates="RATE = 1\n",
    )
    registry.register("m", project.module("helpers").Model("rates"))
    project.write(rates="RATE = 2\n")

    assert registry.load("m").predict([0, 1]) == [2, 2]
    (told,) = [each.getMessage() for each in caplog.records]
    assert told.startswith("code of a version imports rates, which was not stored with it")


def test_what_imports_by_a_text_is_pythons_own_for_all_else(registry: Registry, project: Project) -> None:
    """Libraries, errors and the rest of `importlib` are as they were, in the version and outside of it."""
    project.write(
        helpers="""
        import importlib
        from importlib import import_module, resources
        class Model:
            def predict(self, rows):
                import rates
                mean = importlib.import_module("statistics").mean
                assert importlib.util.find_spec("json").name == import_module(".decoder", "json").__package__
                assert import_module("importlib").import_module is import_module
                assert importlib.__spec__.name == importlib.__package__ == "importlib"
                try:
                    import_module("no_such_module_at_all")
                except ModuleNotFoundError as error:
                    return [mean(rows), rates.RATE, error.name, resources.__name__]
        """,
        rates="RATE = 1\n",
    )
    model = project.module("helpers").Model()
    project.module("rates")
    before = dict(vars(importlib))
    registry.register("m", model)
    project.write(rates="RATE = 2\n")

    loaded = registry.load("m@1")

    assert loaded.predict([1, 3]) == [2, 1, "no_such_module_at_all", "importlib.resources"]
    assert vars(importlib) == before
    assert type(loaded) is not type(model)


def test_a_function_of_a_cell_takes_the_modules_it_uses_along(registry: Registry, project: Project) -> None:
    """`import helpers` stands in the first cell of half the notebooks there are."""
    project.write(helpers="def double(row):\n    return 2 * row\n")
    predict = cell(
        """
        import helpers
        import json
        def predict(rows):
            return json.loads(json.dumps([helpers.double(row) for row in rows]))
        """,
        "predict",
    )
    registry.register("m", predict)
    project.write(helpers="def double(row):\n    return 0\n")

    assert registry.load("m@1")([1, 2]) == [2, 4]
    script = "print(Registry(sys.argv[1]).load('m@1')([1, 2]))"
    assert children.run(script, registry.location, cwd="/") == "[2, 4]\n"


@pytest.mark.parametrize(
    "source",
    [
        """
        import helpers
        class Model:
            def predict(self, rows):
                return [helpers.double(row) for row in rows]
        """,
        """
        import helpers as Model
        """,
    ],
    ids=["a class that uses it", "the module itself"],
)
def test_a_module_that_was_edited_makes_another_version(
    registry: Registry, project: Project, source: str
) -> None:
    """The cell is the same, what it calls is not: neither may stand for the other."""

    def registered() -> Any:
        model = cell(source)
        return registry.register("m", model() if isinstance(model, type) else model)

    def answer(model: Any) -> Any:
        return model.predict([1]) if hasattr(model, "predict") else [model.double(1)]

    text = "import other\ndef double(row):\n    return {} * row + other.ZERO\n"
    project.write(helpers=text.format(2), other="import helpers\nZERO = 0\n")
    assert (registered().number, registered().existing) == (1, True)
    project.write(helpers=text.format(3))

    assert registered().number == 2
    assert [answer(registry.load(f"m@{number}")) for number in (1, 2)] == [[2], [3]]


def test_dataclasses_enums_and_abstract_classes_travel(registry: Registry, project: Project) -> None:
    """They are made in ways of their own."""
    source = """
        import enum
        from abc import ABC, abstractmethod
        from dataclasses import dataclass, field
        class Mode(enum.Enum):
            LOW = {low}
            HIGH = 2
        class Base(ABC):
            @abstractmethod
            def predict(self, rows): ...
        @dataclass
        class Model(Base):
            mode: Mode = Mode.LOW
            steps: list = field(default_factory=list)
            def predict(self, rows):
                return [self.mode.value for _ in rows]
    """
    for low in (1, 7):
        project.write(shapes=source.format(low=low))
        registry.register("m", project.module("shapes").Model())

    first, second = registry.load("m@1"), registry.load("m@2")

    assert (first.predict([0]), second.predict([0])) == ([1], [7])
    assert first == type(first)()
    assert type(first.mode)(2).name == "HIGH"


def test_a_torch_module_of_a_cell_travels(registry: Registry) -> None:
    """Two layouts of one class, side by side."""
    torch = pytest.importorskip("torch", reason="torch is not installed")
    source = """
        import torch
        class Net(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.layer = torch.nn.Linear(2, 1)
            def forward(self, rows):
                return self.layer(rows){change}
    """
    nets = [cell(source.format(change=change), "Net")() for change in ("", " + 1")]
    nets[1].load_state_dict(nets[0].state_dict())
    for net in nets:
        registry.register("m", net)

    first, second = registry.load("m@1"), registry.load("m@2")

    rows = torch.ones(3, 2)
    assert torch.equal(first(rows), nets[0](rows))
    assert torch.equal(second(rows), nets[0](rows) + 1)


def test_a_module_that_cannot_be_written_out_stays_named(registry: Registry, project: Project) -> None:
    """A lock, a connection: then the version needs the module where it is loaded, and says so."""
    project.write(
        stateful="""
        import threading
        lock = threading.Lock()
        class Model:
            def predict(self, rows):
                with lock:
                    return rows
        """
    )
    version = registry.register("m", project.module("stateful").Model())

    assert registry.load("m@1").predict([1]) == [1]
    assert version.artifacts["model"].facts == {"needs": ["stateful"]}
    assert version.manifest.warnings == [
        "model needs the module stateful where it is loaded: it cannot travel"
    ]
    project.forget()
    sys.path.remove(str(project.folder))
    with pytest.raises(CannotLoadError, match="needs the module 'stateful'"):
        registry.load("m@1")


def test_what_a_cell_uses_of_a_module_that_cannot_be_written_out_stays_named(
    registry: Registry, project: Project
) -> None:
    """A model of a cell is no less registered because a module beside the notebook holds a lock."""
    project.write(
        stateful="import threading\nlock = threading.Lock()\ndef double(row):\n    return 2 * row\n"
    )
    version = registry.register(
        "m",
        cell(
            """
            import stateful
            from stateful import double
            class Model:
                def predict(self, rows):
                    return [stateful.double(row) + double(row) for row in rows]
            """
        )(),
    )

    assert registry.load("m@1").predict([1]) == [4]
    assert version.artifacts["model"].facts["needs"] == ["stateful"]
    assert [each for each in version.manifest.warnings if "stateful" in each]


def test_the_list_of_modules_that_the_user_has_written_out_stays(
    registry: Registry, project: Project
) -> None:
    """cloudpickle's list is the whole process's: somebody's cluster may depend on it."""
    import cloudpickle

    project.write(one="class Model:\n    pass\n", two="")
    module = project.module("one")
    cloudpickle.register_pickle_by_value(module)
    try:
        registry.register("m", module.Model())
        assert cloudpickle.list_registry_pickle_by_value() == {"one"}
    finally:
        cloudpickle.unregister_pickle_by_value(module)


def test_nothing_is_imported_or_left_behind_by_loading(registry: Registry, project: Project) -> None:
    """No name in `sys.modules`, nothing on `sys.path`: loading has no side effects."""
    project.write(helpers="def double(rows):\n    return [2 * row for row in rows]\n")
    registry.register("m", project.module("helpers").double)
    project.forget()
    before, path = dict(sys.modules), list(sys.path)

    assert registry.load("m@1")([2]) == [4]

    assert "helpers" not in sys.modules
    assert set(sys.modules) - set(before) <= {each for each in sys.modules if not each.startswith("helpers")}
    assert sys.path == path
