"""A data set looked at before anything is trained: what is in it, and what is wrong with it."""
