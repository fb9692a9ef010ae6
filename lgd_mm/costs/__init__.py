"""What a student costs where it runs: time, memory, energy."""
