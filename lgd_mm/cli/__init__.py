"""The command ``lgd-mm``: the front door from a shell."""

from lgd_mm.cli.main import cli, main

__all__ = ['cli', 'main']
