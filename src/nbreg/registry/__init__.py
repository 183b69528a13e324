"""The verbs of a registry, and the only writer of journals."""

from nbreg.registry.core import Registry, load, register
from nbreg.registry.datasets import Dataset
from nbreg.registry.decisions import route
from nbreg.registry.run import Run
from nbreg.registry.version import ModelVersion

__all__ = ["Dataset", "ModelVersion", "Registry", "Run", "load", "register", "route"]
