"""A version's way through the stages, what has to hold for it, and aliases."""
