"""Predictions of trained networks for images and videos: files, drawings and a page."""
