"""Pickles that are looked at before anything in them runs."""
