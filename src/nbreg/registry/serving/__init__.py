"""Versions at work: who answers, and who decided."""
