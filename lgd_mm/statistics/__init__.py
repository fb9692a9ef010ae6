"""Whether students differ by more than chance: the results of each test image, and the rule that weighs them."""
