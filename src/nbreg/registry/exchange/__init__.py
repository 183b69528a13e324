"""Versions that come and go: copies, archives, exports, other tools' folders."""
