"""A student in any downstream config."""

from collections.abc import Mapping
from pathlib import Path

from mmengine.config import Config

from lgd_mm.console.rank_zero import print_rank0
from lgd_mm.errors import UserError
from lgd_mm.io.key_report import KeyReport
from lgd_mm.io.networks import SCHEME, prefix_of
from lgd_mm.students.backbone import build_backbone, describe, renamed_for
from lgd_mm.students.file import PREFIX
from lgd_mm.students.neck import plug_neck
from lgd_mm.students.read import StudentFile, read_student_file


def plug_student(cfg: Config, file: str | Path, allow_partial: bool = False) -> KeyReport:
    """Let a downstream config's backbone start from a student, and its FPN from a pyramid that came with it; prints
    the key reports.

    Args:
        cfg (Config): Changed in place: ``model.backbone.init_cfg``, and other weights for the backbone are left out;
            ``model.neck.init_cfg`` where a pyramid fits.
        file (str | Path): Exported student, LGD checkpoint, another checkpoint with ``backbone.`` keys, or weights of
            timm or torchvision whose keys are the backbone's.
        allow_partial (bool): Start also if some of the backbone's keys stay at their random values. Defaults to False.

    Returns:
        KeyReport: How the backbone's keys met.

    Raises:
        UserError: If the file cannot be used, the config has no backbone or loads another checkpoint over it, or less
            than 100 % of its keys would be filled.
    """
    student = read_student_file(file)
    weights, prefix = student.backbone, student.prefix
    if not isinstance(cfg.get('model'), dict) or 'backbone' not in cfg.model:
        raise UserError(f'--student fills model.backbone, which {cfg.filename} does not have')
    _leave_to_student(cfg)
    network = build_backbone(cfg)
    backbone = network.state_dict()
    if not prefix:
        prefix = prefix_of(weights, backbone, file)
        weights = {key.removeprefix(prefix): value for key, value in weights.items() if key.startswith(prefix)}
    report = KeyReport.compare(backbone, renamed_for(network, weights))
    told = ', '.join(filter(None, (student.found, f'keys begin with {prefix}' if prefix not in ('', PREFIX) else '')))
    print_rank0(f'student {file}: {told}{"; " if told else ""}{report}')
    if not report.matched or not (report.complete or allow_partial):
        cure = ', or --allow-partial-student' if report.matched else ''
        raise UserError(misfit(cfg, student, report) + cure)
    compare_statistics(cfg, student)
    # The type must be 'Pretrained': mmpretrain's ResNet would zero its last norm of each block otherwise.
    path = str(Path(file).resolve())
    cfg.model.backbone.init_cfg = dict(
        type='Pretrained', checkpoint=f'{SCHEME}{path}' if student.found else path, prefix=prefix or None)
    plug_neck(cfg, student)
    return report


def _leave_to_student(cfg: Config) -> None:
    """Take out what would compete for the backbone's weights."""
    if cfg.get('load_from') and not cfg.get('resume'):
        raise UserError(f'load_from={cfg.load_from} would overwrite the student: give --cfg-options load_from=None, or '
                        'leave --student out')
    init = cfg.model.get('init_cfg')
    for item in [init] if isinstance(init, Mapping) else init or ():
        if item.get('type') == 'Pretrained':
            raise UserError(f'model.init_cfg ({item.get("checkpoint")}) would overwrite the student: give '
                            '--cfg-options model.init_cfg=None, or leave --student out')
    # Older keys for the weights of a backbone, of mmseg and mmdet: they exclude backbone.init_cfg.
    if 'pretrained' in cfg.model:
        cfg.model.pretrained = None
    for key in ('pretrained', 'checkpoint_path'):
        cfg.model.backbone.pop(key, None)


def misfit(cfg: Config, student: StudentFile, report: KeyReport) -> str:
    """The sentence about a student that does not fill a config's backbone."""
    kind = describe(student.metadata.get('backbone'))
    return (f'student {student.path} ({kind}) fills only {len(report.matched)} of {report.total} keys of '
            f'model.backbone ({describe(cfg.model.backbone)}): use a config with the student\'s backbone')


def compare_statistics(cfg: Config, student: StudentFile) -> None:
    """Tell when the student was pre-trained with other image statistics than the config normalises with."""
    preprocessor = cfg.model.get('data_preprocessor') or cfg.get('data_preprocessor') or {}
    for key in ('mean', 'std'):
        theirs, ours = student.metadata.get(key), preprocessor.get(key)
        if theirs and ours and [round(value, 2) for value in theirs] != [round(value, 2) for value in ours]:
            print_rank0(f'warning: student {student.path} was pre-trained with {key} {theirs}, but '
                        f'model.data_preprocessor.{key} is {list(ours)}')
