"""Hooks of a run."""
