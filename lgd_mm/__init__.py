"""Language-guided distillation of small vision backbones on OpenMMLab."""

from lgd_mm import compat as compat  # first: makes the OpenMMLab packages importable
from lgd_mm import registry as registry
from lgd_mm import zoo as zoo  # mmpretrain's model hub learns of our models
from lgd_mm.version import __version__ as __version__
