"""HTML pages that need nothing beside them: what they are made of, and the one of a pre-training."""
