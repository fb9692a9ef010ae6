"""Names of students, and the ready config of each."""

import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from lgd_mm.console.words import did_you_mean
from lgd_mm.errors import UserError

#: Name -> the ready config of its pre-training.
STUDENTS = {
    'resnet18': 'lgd/r18_pretrain.py',
    'resnet34': 'lgd/r34_pretrain.py',
    'resnet50': 'lgd/r50_pretrain.py',
    'mobilenetv2': 'lgd/mobilenetv2_pretrain.py',
    'mobilenetv3': 'lgd/mobilenetv3-large_pretrain.py',
    'efficientnet_b0': 'lgd/efficientnet-b0_pretrain.py',
}
#: What stands before the name of any timm model.
TIMM = 'timm/'
TIMM_CONFIG = 'lgd/timm_pretrain.py'


def student_config(name: str) -> tuple[str, dict[str, Any]]:
    """The ready config that pre-trains a student.

    Args:
        name (str): One of :data:`STUDENTS`, or ``'timm/NAME'``.

    Returns:
        tuple[str, dict[str, Any]]: The config, and the keys to set in it.

    Raises:
        UserError: If there is no such student; names the nearest.
    """
    if name in STUDENTS:
        return STUDENTS[name], {}
    if not name.startswith(TIMM):
        raise _unknown(name, [*STUDENTS, *(TIMM + model for model in _models_of_timm())])
    import timm  # takes seconds
    if timm.is_model(name.removeprefix(TIMM)):
        return TIMM_CONFIG, {'model.backbone.model_name': name.removeprefix(TIMM)}
    raise _unknown(name, [TIMM + model for model in timm.list_models()])


def _unknown(name: str, known: list[str]) -> UserError:
    return UserError(f'no student is called {name!r}; {did_you_mean(name, known)}there are {", ".join(STUDENTS)}, and '
                     f'{TIMM}NAME for any backbone of timm')


def _models_of_timm() -> list[str]:
    """Names of timm's models, read from its source: enough to guess what was meant, without seconds of importing."""
    timm = find_spec('timm')
    folders = timm.submodule_search_locations if timm else None
    files = (file for folder in folders or () for file in Path(folder, 'models').glob('*.py'))
    texts = (file.read_text(encoding='utf-8') for file in files)
    return [name for text in texts for name in re.findall(r'^@register_model\ndef (\w+)', text, re.M)]
