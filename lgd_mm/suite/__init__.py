"""The benchmark suite: students x tasks x seeds, one ordinary run for each, one table."""
