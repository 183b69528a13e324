"""Data as it was given: columns, digests, signature, probe, drift; whichever library it is from."""
