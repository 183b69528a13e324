"""A process in the environment that a version was made in, which answers for its model.

`plans` says what to install, `environments` makes and keeps it, `channel` carries values in the
neutral form, `child` is the process, `process` its owner here, `model` what a user holds.
"""
