"""How Sphinx builds these pages: ``make docs``."""

import lgd_mm
from lgd_mm.version import __version__

project = 'lgd_mm'
author = copyright = 'The lgd_mm contributors'
version = release = __version__

extensions = ['myst_parser', 'sphinx.ext.autodoc', 'sphinx.ext.napoleon']
exclude_patterns = ['_build']
myst_heading_anchors = 3

html_theme = 'furo'
html_title = 'lgd_mm'
html_static_path: list[str] = []
html_show_sourcelink = False

autodoc_member_order = 'bysource'
autodoc_typehints = 'none'  # the docstrings state types together with shapes
napoleon_use_rtype = False

assert lgd_mm  # imported first: it makes mmcv importable for autodoc
