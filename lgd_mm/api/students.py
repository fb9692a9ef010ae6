"""Names of students, and the ready config of each."""

from typing import Any

from lgd_mm.api.nearest import did_you_mean
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
    import timm  # takes a second
    if name.startswith(TIMM) and timm.is_model(name.removeprefix(TIMM)):
        return TIMM_CONFIG, {'model.backbone.model_name': name.removeprefix(TIMM)}
    known = [TIMM + model for model in timm.list_models()]
    near = did_you_mean(name, known if name.startswith(TIMM) else [*STUDENTS, *known])
    raise UserError(f'no student is called {name!r}; {near}there are {", ".join(STUDENTS)}, and {TIMM}NAME for any '
                    'backbone of timm')
