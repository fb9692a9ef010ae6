"""A user's own data: formats in, checks, and the config that follows."""
