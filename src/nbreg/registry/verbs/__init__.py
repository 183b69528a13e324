"""The verbs as `Registry` has them, by what they are about; each does little more than call what does it."""
