"""The face for JupyterLab: every verb that a person would click, over HTTP, behind Jupyter's own doors.

`routes` is the table of all of it. It is loaded by a Jupyter Server alone.
"""
