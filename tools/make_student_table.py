"""Measure every student for ``lgd-mm list students``: python tools/make_student_table.py

Those of timm are built without memory or weights, and nothing is downloaded; all of them take most of an hour. Their
rows are kept if the table was made with the installed timm, so that the command goes on after a stop, and measures ours
again within a minute: delete the table to measure all again.
"""

import argparse
import warnings
from contextlib import suppress
from typing import Any

import timm
import torch
from mmengine.config import Config
from mmengine.registry import MODELS
from timm.layers.format import Format
from torch import nn
from tqdm import tqdm

import lgd_mm  # noqa: F401, with mmcv for mmpretrain
from lgd_mm.api.configs import ready_config
from lgd_mm.api.students import STUDENTS, TIMM
from lgd_mm.models.backbones.timm import for_any_size
from lgd_mm.student_table import FILE, StudentRow, read_table, write_table

#: Side of the images that a network is made for, unless it says otherwise.
SIDE = 224


def main() -> None:
    """Measure what is missing, and write the table, also of what is there when it is stopped."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    made_with, known = read_table() if FILE.exists() else ('', [])
    rows = {row.name: row for row in known if row.name.startswith(TIMM) and made_with == timm.__version__}
    try:
        for name in tqdm([*STUDENTS, *(TIMM + model for model in timm.list_models())]):
            if name not in rows:
                rows[name] = measure(name)
    finally:
        write_table(timm.__version__, rows.values())


def measure(student: str) -> StudentRow:
    """The row of a student.

    Args:
        student (str): As ``--student`` takes it.

    Returns:
        StudentRow: As it is built by the installed libraries.
    """
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # of what libraries deprecate
        if not student.startswith(TIMM):
            return of_ours(student)
        with torch.device('meta'):
            return of_timm(student.removeprefix(TIMM))


def of_ours(name: str) -> StudentRow:
    """The row of a student with a ready config; its maps are the last ones of each stride."""
    backbone = Config.fromfile(ready_config(STUDENTS[name])).model.backbone
    network = MODELS.build(backbone)
    layers = len(getattr(network, 'res_layers', None) or network.layers)
    maps = outputs(MODELS.build({**backbone, 'out_indices': tuple(range(layers))}), SIDE)
    channels = {SIDE // feature.shape[-1]: feature.shape[1] for feature in maps}
    return StudentRow(name, parameters(network), SIDE, takes_only(network, SIDE), tuple(channels),
                      tuple(channels.values()), Format.NCHW.value)


def of_timm(name: str) -> StudentRow:
    """The row of a network of timm; its maps are those of ``features_only=True``."""
    about = timm.get_pretrained_cfg(name)
    size = about.input_size[-1] if about else SIDE
    network = without_classifier(name)
    try:
        features: Any = timm.create_model(name, features_only=True)
        strides, channels = (tuple(map(int, numbers))
                             for numbers in (features.feature_info.reduction(), features.feature_info.channels()))
        layout = getattr(features, 'output_fmt', Format.NCHW).value
    except Exception:  # timm raises whatever comes first, for networks that it cannot take apart
        strides, channels, layout = (), (), ''
    return StudentRow(TIMM + name, parameters(network), size, takes_only(network, size), strides, channels, layout)


def without_classifier(name: str) -> nn.Module:
    """A network of timm as :class:`lgd_mm.TIMMBackbone` builds it, without its pooling as well if it can do without."""
    arguments = for_any_size(name)
    try:
        return timm.create_model(name, num_classes=0, global_pool='', **arguments)
    except Exception:  # each says it in its own way
        return timm.create_model(name, num_classes=0, **arguments)


def parameters(network: nn.Module) -> int:
    """How many a network has."""
    return sum(parameter.numel() for parameter in network.parameters())


def takes_only(network: nn.Module, side: int) -> bool:
    """Whether a network takes images of its own side alone, and not of multiples of it either."""
    for other in (256 if side != 256 else 192, 2 * side):
        with suppress(Exception):  # whatever comes first
            outputs(network, other)
            return False
    outputs(network, side)
    return True


@torch.no_grad()
def outputs(network: nn.Module, side: int) -> Any:
    """What a network returns for an image."""
    network.eval()  # mmpretrain's return nothing
    return network(torch.zeros(2, 3, side, side))


if __name__ == '__main__':
    main()
