"""Making versions: of live objects, of drafts, of what a run logged."""
