"""Pre-training methods compared on a user's own data, within a budget of time: a suite is written and run."""
