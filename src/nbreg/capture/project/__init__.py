"""The code beside the cells: git, local modules, the notebook's file."""
