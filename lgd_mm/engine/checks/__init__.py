"""What can be known to go wrong before a run has written anything."""
