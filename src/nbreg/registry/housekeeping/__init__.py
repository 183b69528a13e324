"""Keeping a registry sound, and small."""
