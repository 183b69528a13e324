"""Where a model is made: what is installed, what computes, and how another place differs."""
