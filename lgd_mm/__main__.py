"""``python -m lgd_mm`` is ``lgd-mm``."""

from lgd_mm.cli import main

main()
