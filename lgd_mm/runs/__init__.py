"""What runs leave behind, read: history, metrics, checkpoints, environment."""
