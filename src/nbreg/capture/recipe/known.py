"""What is known beforehand of functions, libraries and magics, by name."""

from __future__ import annotations

from typing import Final


def words(text: str) -> frozenset[str]:
    """The words of a text, for lists that are read by people."""
    return frozenset(text.split())


HARMLESS_CALLS: Final = words("print display type len isinstance issubclass repr str id hasattr callable")
"""Built-in calls that change nothing they are given, whatever it is."""

EVALUATING: Final = words("query eval ols glm logit dmatrix dmatrices sql")
"""Methods whose text arguments may name variables."""

STEADY_CONTEXTS: Final = words(
    "open catch_warnings errstate option_context no_grad inference_mode tqdm parallel_backend "
    "parallel_config config_context rc_context TemporaryDirectory NamedTemporaryFile ZipFile "
    "ThreadPoolExecutor ProcessPoolExecutor Pool closing localcontext ExcelWriter HDFStore File "
    "plot"
)
"""Contexts that let every exception through, so that what their body sets is set afterwards."""

# libraries

ASKED: Final = words(
    "numpy scipy sklearn pandas pyarrow polars xgboost lightgbm catboost statsmodels datetime "
    "decimal fractions uuid re zoneinfo pathlib enum ipaddress threadpoolctl"
)
"""Libraries whose types may be asked for their state, as the pickler would."""

IMMUTABLE: Final = words("datetime decimal fractions uuid re pathlib enum")
"""Those of them whose objects never change."""

SHOWN: Final = words(
    "matplotlib seaborn plotly bokeh altair IPython ipykernel ipywidgets traitlets comm logging "
    "tqdm nbreg rich"
)
"""Libraries whose objects show or report, and of which no value is computed."""

SHOW_ONLY: Final = SHOWN | {"warnings", "builtins"}
"""Libraries whose settings change no value."""

STATEFUL: Final = words("decimal csv mimetypes codecs copyreg atexit multiprocessing")
"""Modules of the standard library that keep settings of their own; the others are functions."""

# magics

RUN_AS_PYTHON: Final = words("time timeit capture prun memit mprun lprun register_model")
"""Magics whose cell is Python."""

LINE_IS_PYTHON: Final = words("time timeit prun memit mprun lprun")

STEADY_MAGICS: Final = words("time capture prun memit register_model")
"""Those that run it once, in the user's namespace, to the end."""

NO_PYTHON: Final = words(
    "writefile file html javascript js latex markdown svg bash sh script perl ruby cmd system sx "
    "python python2 python3 pypy !"
)
"""Magics whose cell is something else."""

HARMLESS_MAGICS: Final = words(
    "alias autoawait cat colors conda config connect_info debug dhist dirs hist history less ls "
    "lsmagic mamba man matplotlib more notebook pdoc pfile pinfo pinfo2 pip pprint precision "
    "psource pwd pycat quickref tb uv who who_ls whos xmode time load_ext reload_ext unload_ext "
    "cd pushd popd env set_env autoreload"
)
"""Magics whose line names no variable."""

KNOWN_MAGICS: Final = (
    RUN_AS_PYTHON
    | NO_PYTHON
    | HARMLESS_MAGICS
    | words(
        "alias_magic autocall automagic autosave bookmark clear cp doctest_mode ed edit gui "
        "killbgscripts ldir lf lk ll load loadpy logoff logon logstart logstate logstop lx macro "
        "magic micromamba mkdir mv page pastebin pdb pdef popd psearch recall rehashx rerun reset "
        "reset_selective rm rmdir run save sc store subshell unalias xdel pylab qtconsole load_model "
        "models model versions compare promote retire rollback model_events use_registry"
    )
)
"""Magics that IPython or nbreg brings along."""
