"""What a file that nobody named as a config may build: an allow-list, within bounds."""
