"""The whole path on generated pictures: pre-train, fine-tune with and without, compare."""
