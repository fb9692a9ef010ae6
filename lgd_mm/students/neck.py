"""The pyramid of a student in the neck of a downstream config."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.model.weight_init import update_init_info
from mmengine.registry import MODELS, DefaultScope
from torch import Tensor, nn

from lgd_mm.console.rank_zero import print_rank0
from lgd_mm.io.key_report import KeyReport, named
from lgd_mm.registry import WEIGHT_INITIALIZERS
from lgd_mm.students.read import StudentFile, read_student_file

#: A key of one level of an FPN, of mmdet and of mmseg.
LEVEL = re.compile(r'(lateral_convs|fpn_convs)\.(\d{1,3})\.(.+)', re.ASCII)


def plug_neck(cfg: Config, student: StudentFile) -> None:
    """Let a downstream config's FPN start from a student's pyramid, each level from that of the same backbone output,
    and print what came of it. A neck that it does not fit stays as it was.

    Args:
        cfg (Config): Changed in place: ``model.neck.init_cfg``.
        student (StudentFile): With or without a pyramid.

    Raises:
        UserError: If the file says of another neck than an FPN.
    """
    if not student.pyramid:
        return
    width = student.pyramid_config.get('out_channels')
    neck = cfg.model.get('neck')
    kind = neck.get('type') if isinstance(neck, Mapping) else None
    if getattr(kind, '__name__', str(kind)).rpartition('.')[2] != 'FPN':
        print_rank0(f'student {student.path}: its pyramid is left out: the config has no FPN as model.neck')
        return
    with DefaultScope.overwrite_default_scope(cfg.get('default_scope', 'mmengine')):
        network = MODELS.build(neck)
    places = _places(cfg, student, network)
    own, weights = network.state_dict(), renumbered(student.pyramid, places)
    report = KeyReport.compare({key: value for key, value in own.items() if _level(key) in places.values()}, weights)
    odd = [key for key in student.pyramid if _level(key) is None]
    if odd or not weights or report.differences:
        faults = report.differences + ([f'{len(odd)} of no FPN ({named(odd)})'] if odd else [])
        reason = '; '.join(faults) or 'no level in common'
        print_rank0(f'student {student.path}: its pyramid of {width} channels does not fit model.neck '
                    f'({neck.get("out_channels")} channels), which begins as without it: {reason}')
        return
    rest = [key for key in own if key not in weights]
    told = f', at random {named(rest)}' if rest else ''
    print_rank0(f'student {student.path}: neck: {len(weights)} of {len(own)} keys matched{told}')
    inits = network.init_cfg or []
    kept = [init for init in ([inits] if isinstance(inits, Mapping) else inits) if init.get('type') != 'Pretrained']
    neck.init_cfg = [*kept, dict(type='lgd_mm.StudentNeck', checkpoint=str(Path(student.path).resolve()), places=[
        [theirs, ours] for theirs, ours in places.items()])]


@WEIGHT_INITIALIZERS.register_module()
class StudentNeck:
    """Fills an FPN from a student's file, behind its other initialisers.

    Args:
        checkpoint (str): The file.
        places (Sequence[Sequence[int]]): Level in the file and level of the FPN, for each that is filled.
    """

    def __init__(self, checkpoint: str, places: Sequence[Sequence[int]]) -> None:
        self.checkpoint, self.places = checkpoint, {theirs: ours for theirs, ours in places}

    def __call__(self, module: nn.Module) -> None:
        """Load the weights."""
        module.load_state_dict(renumbered(read_student_file(self.checkpoint).pyramid, self.places), strict=False)
        if hasattr(module, '_params_init_info'):
            update_init_info(module, init_info=f'StudentNeck: load from {self.checkpoint}')


def renumbered(pyramid: Mapping[str, Tensor], places: Mapping[int, int]) -> dict[str, Tensor]:
    """A pyramid's weights with the numbers that its levels have elsewhere; without those that have none.

    Args:
        pyramid (Mapping[str, Tensor]): Keys such as ``lateral_convs.0.conv.weight``.
        places (Mapping[int, int]): Number there -> number here.

    Returns:
        dict[str, Tensor]: The same tensors.
    """
    parts = {LEVEL.fullmatch(key): value for key, value in pyramid.items()}
    return {f'{part[1]}.{places[int(part[2])]}.{part[3]}': value for part, value in parts.items()
            if part is not None and int(part[2]) in places}


def _level(key: str) -> int | None:
    part = LEVEL.fullmatch(key)
    return int(part[2]) if part else None


def _places(cfg: Config, student: StudentFile, network: Any) -> dict[int, int]:
    """Levels of the file and of an FPN that stand on the same output of the backbone."""
    count = sum(key.startswith('lateral_convs.') and key.endswith('.weight') for key in student.pyramid)
    theirs = _outputs(student.metadata.get('backbone'), count)
    ours = _outputs(cfg.model.backbone, len(network.in_channels))[network.start_level:][:len(network.lateral_convs)]
    return {theirs.index(output): number for number, output in enumerate(ours) if output in theirs}


def _outputs(backbone: Any, count: int) -> list[int]:
    """Which outputs of a backbone a pyramid of so many levels stands on."""
    found = backbone.get('out_indices') if isinstance(backbone, Mapping) else None
    if isinstance(found, (list, tuple)) and len(found) == count and all(type(index) is int for index in found):
        return list(found)
    return list(range(count))
