"""The verbs of a registry, and the only writer of journals."""

from nbreg.registry.belonging.datasets import Dataset
from nbreg.registry.core import Registry, load, register
from nbreg.registry.verbs.decisions import route
from nbreg.registry.verbs.run import Run
from nbreg.registry.version import ModelVersion

__all__ = ["Dataset", "ModelVersion", "Registry", "Run", "load", "register", "route"]
