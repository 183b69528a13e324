"""The verbs of a registry, and the only writer of journals."""

from nbreg.registry.core import Registry, load, register
from nbreg.registry.version import ModelVersion

__all__ = ["ModelVersion", "Registry", "load", "register"]
