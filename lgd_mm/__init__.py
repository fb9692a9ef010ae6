"""Language-guided distillation of small vision backbones on OpenMMLab."""

from typing import TYPE_CHECKING

from lgd_mm import compat as compat  # first: makes the OpenMMLab packages importable
from lgd_mm import registry as registry
from lgd_mm import zoo as zoo  # mmpretrain's model hub learns of our models
from lgd_mm.compat.import_hook import when_imported
from lgd_mm.moved import RENAMING, answer_to_old_names, find_moved_modules, later
from lgd_mm.version import __version__ as __version__

if TYPE_CHECKING:
    from lgd_mm.api import ask as ask
    from lgd_mm.api import caption as caption
    from lgd_mm.api import convert as convert
    from lgd_mm.api import cost as cost
    from lgd_mm.api import embed as embed
    from lgd_mm.api import evaluate as evaluate
    from lgd_mm.api import export as export
    from lgd_mm.api import finetune as finetune
    from lgd_mm.api import index as index
    from lgd_mm.api import inspect as inspect
    from lgd_mm.api import load_student as load_student
    from lgd_mm.api import predict as predict
    from lgd_mm.api import pretrain as pretrain
    from lgd_mm.api import zero_shot as zero_shot
    from lgd_mm.comparison.compare import compare as compare

find_moved_modules()
for _renaming in RENAMING:
    when_imported(f'lgd_mm.{_renaming}', answer_to_old_names)

#: The front door, imported on first use: configs import this package too, and need nothing of it.
FRONT_DOOR = ('ask', 'caption', 'convert', 'cost', 'embed', 'evaluate', 'export', 'finetune', 'index', 'inspect',
              'load_student', 'predict', 'pretrain', 'zero_shot')
__getattr__, __dir__ = later(__name__, {**dict.fromkeys(FRONT_DOOR, 'lgd_mm.api'), 'compare':
                                        'lgd_mm.comparison.compare'})
