"""What a finished run leaves: models with their configs, weights and measured results."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from mmengine.config import Config
from torch import Tensor

from lgd_mm.errors import UserError
from lgd_mm.io.safe_load import load_checkpoint_file
from lgd_mm.io.typed_json import is_number
from lgd_mm.language import Vocabulary
from lgd_mm.runs.checkpoints import latest_checkpoint
from lgd_mm.runs.measures import last_metrics
from lgd_mm.safety.allow_list import checked
from lgd_mm.safety.config_text import parse_config
from lgd_mm.safety.saved_config import saved_network
from lgd_mm.students.backbone import describe
from lgd_mm.students.file import PREFIX, VOCABULARY
from lgd_mm.students.read import read_student_file
from lgd_mm.version import __version__
from lgd_mm.zoo.index import shipped_index

#: Names of tasks in OpenMMLab's metafiles.
TASKS = dict(mmpretrain='Image Classification', mmdet='Object Detection', mmseg='Semantic Segmentation')


class FinishedModel(NamedTuple):
    """A model of a run.

    Attributes:
        name (str): In the zoo.
        config (dict[str, Any]): Whole config; ``mmpretrain.get_model`` builds its ``model``.
        state (dict[str, Tensor]): Weights for all of it.
        meta (dict[str, Any]): Kept beside the weights: class names and colours.
        metadata (dict[str, Any]): For the metafile.
        results (dict[str, Any], optional): Task, data set and metrics, if the run was validated.
        source (Path): The file the weights are of.
    """

    name: str
    config: dict[str, Any]
    state: dict[str, Tensor]
    meta: dict[str, Any]
    metadata: dict[str, Any]
    results: dict[str, Any] | None
    source: Path


def read_run(run: Path, name: str) -> list[FinishedModel]:
    """Read a work dir.

    Args:
        run (Path): Work dir of ``tools/train.py``.
        name (str): Of its models.

    Returns:
        list[FinishedModel]: ``NAME_headless`` and ``NAME_zero-shot`` for each student of a pre-training, else ``NAME``.

    Raises:
        UserError: If it is no work dir, the run has not ended, or a file is damaged.
    """
    if not run.is_dir():
        raise UserError(f'{run} is no folder: name the work dir of a run of tools/train.py')
    students = sorted(run.glob('student*.safetensors'))
    if students:
        return [model for student in students for model in _of_student(run, student, name)]
    return [_of_checkpoint(run, name)]


def _of_student(run: Path, file: Path, name: str) -> Iterator[FinishedModel]:
    """The models of ``student.safetensors``, or of ``student_NAME.safetensors`` with ``NAME.pth`` beside it."""
    student = read_student_file(file)
    known = dict(student.metadata, **student.statistics, backbone=student.backbone_config,
                 image_size=student.image_size)
    which = file.stem.removeprefix('student')
    path = run / f'{which[1:]}.pth' if which else latest_checkpoint(str(run))
    metadata = dict(Architecture=describe(known['backbone']), Teacher=_teacher(known.get('teacher')),
                    Iterations=_iterations(known.get('iteration'), file), lgd_mm=__version__)
    state = {PREFIX + key: value for key, value in student.backbone.items()}
    yield FinishedModel(f'{name}{which}_headless', _config('headless', known), state, {}, metadata, None, file)
    if path is None:  # the student alone was kept
        return
    checkpoint = load_checkpoint_file(path)
    state = checkpoint['state_dict']
    if VOCABULARY not in state:  # a method without names
        return
    meta = checkpoint.get('meta') or {}
    if _iterations(meta.get('iter'), path) != known['iteration']:
        raise UserError(f'{file} is of iteration {known["iteration"]} and {path} of {meta["iter"]}: the '
                        'run went on after its student was written, so let it end with --resume')
    cfg = parse_config(meta.get('cfg') or '')
    categories = Vocabulary.from_tensor(state[VOCABULARY]).categories
    head = {key: value for key, value in state.items() if key.startswith((PREFIX, 'neck.'))}
    head |= {key: state[f'lgka.{key}'] for key in ('textual_bank', 'vocabulary')}
    neck = checked(_part(cfg, 'model').get('neck'), 'neck', path, 'model.neck', 'lgd_mm')
    yield FinishedModel(f'{name}{which}_zero-shot', _config('zero-shot', known, neck=neck), head,
                        dict(dataset_meta=dict(classes=list(categories))), {**metadata, 'Categories': len(categories)},
                        None if which else _results(run, cfg), path)


def _config(form: str, known: Mapping[str, Any], **parts: Any) -> dict[str, Any]:
    """The shipped config of a student alone, with the backbone, statistics and image size of this one."""
    cfg: dict[str, Any] = Config.fromfile(shipped_index().parent / f'configs/students/r18_{form}.py').to_dict()
    cfg['model'] |= dict(backbone={**known['backbone'], 'init_cfg': None}, **parts)
    cfg['data_preprocessor'] |= {key: known[key] for key in ('mean', 'std') if known.get(key)}
    if known.get('image_size'):
        for step in cfg['test_dataloader']['dataset']['pipeline']:
            for key in ('scale', 'crop_size'):
                if key in step:  # of images of 224 pixels
                    step[key] = step[key] * known['image_size'] // 224
    return cfg


def _teacher(config: Any) -> str:
    known = config if isinstance(config, Mapping) else {}
    parts = [str(known[key]) for key in ('model', 'pretrained') if known.get(key)]
    return ' '.join(parts) or 'not recorded'


def _of_checkpoint(run: Path, name: str) -> FinishedModel:
    """The model of a downstream run."""
    path = latest_checkpoint(str(run))
    if path is None:
        raise UserError(f'{run} has no last_checkpoint: name the work dir of a run of tools/train.py')
    checkpoint = load_checkpoint_file(path)
    meta = checkpoint.get('meta') or {}
    cfg = parse_config(meta.get('cfg') or '')
    scope = cfg.get('default_scope')
    if not isinstance(scope, str) or scope not in TASKS:
        raise UserError(f'{path} is of default_scope {scope!r}: the zoo takes models of {", ".join(TASKS)}')
    _check_finished(run, cfg, meta)
    kept = saved_network(meta['cfg'], path)
    architecture = f'{kept["model"]["type"]}, {describe(kept["model"].get("backbone"))}'
    if scope != 'mmpretrain':
        kept['model']['_scope_'] = scope  # mmpretrain.get_model builds in its own
    return FinishedModel(
        name, kept, checkpoint['state_dict'], dict(dataset_meta=meta.get('dataset_meta') or {}),
        dict(Architecture=architecture, Iterations=_iterations(meta.get('iter'), path), lgd_mm=__version__),
        _results(run, cfg), path)


def _check_finished(run: Path, cfg: Mapping[str, Any], meta: Mapping[str, Any]) -> None:
    if 'teacher' in _part(cfg, 'model'):
        raise UserError(f'{run} has no student.safetensors, which a pre-training ends with: let it end with --resume')
    loop = _part(cfg, 'train_cfg')
    for unit, done in (('epochs', meta.get('epoch')), ('iters', meta.get('iter'))):
        wanted = loop.get(f'max_{unit}')
        if isinstance(wanted, int) and (not isinstance(done, int) or done < wanted):
            raise UserError(f'{run} has trained {done} of {wanted} {unit}: let it end with --resume')


def _results(run: Path, cfg: Mapping[str, Any]) -> dict[str, Any] | None:
    """Task, data set and the last metrics that the run logged; COCO's -1 stands for nothing that could be measured,
    and what is no finite number is no figure."""
    metrics = {key: value for key, value in last_metrics(run).items() if is_number(value) and value >= 0}
    scope = cfg.get('default_scope')
    if not metrics or not isinstance(scope, str) or scope not in TASKS:
        return None
    dataset = _part(_part(cfg, 'val_dataloader') or _part(cfg, 'test_dataloader'), 'dataset')
    where = Path(str(dataset.get('data_root') or dataset.get('type'))).name
    return dict(Task=TASKS[scope], Dataset=where, Metrics=metrics)


def _part(cfg: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """A part of a config that is one; empty if it is something else."""
    part = cfg.get(key)
    return part if isinstance(part, Mapping) else {}


def _iterations(value: Any, file: Path) -> int:
    if type(value) is not int or not 0 <= value < 2**63:
        raise UserError(f'{file} does not say how many iterations it was trained for: give the folder of a run that '
                        'tools/train.py has left')
    return value
