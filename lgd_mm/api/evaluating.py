"""The figures of a student or of a fine-tuned network."""

import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config

from lgd_mm.api import launching
from lgd_mm.api.auto import workers
from lgd_mm.api.classes import parse_classes
from lgd_mm.api.configs import ready_config
from lgd_mm.api.embedding import short_side
from lgd_mm.api.evaluated import check_labelled, config_of_finetuning
from lgd_mm.api.output import RESOLVED
from lgd_mm.api.overrides import apply_overrides
from lgd_mm.api.student import find_student
from lgd_mm.api.teachers import SHAPES, about_shapes, teacher_model
from lgd_mm.console.rank_zero import print_rank0
from lgd_mm.console.words import some
from lgd_mm.engine import launch
from lgd_mm.errors import UserError
from lgd_mm.evaluation import evaluate_student
from lgd_mm.formats.ready_folder import ready_folder, source_of
from lgd_mm.formats.table_columns import tables
from lgd_mm.io.safe_load import load_checkpoint_file
from lgd_mm.language import category_names
from lgd_mm.own_data.class_folders import ClassFolders, read_class_folders
from lgd_mm.own_data.config import use_own_data
from lgd_mm.safety.bounded_build import check_network
from lgd_mm.safety.config_text import write_config
from lgd_mm.safety.saved_config import read_saved_run
from lgd_mm.students.network import no_projection
from lgd_mm.students.read import StudentFile, read_student_file

#: Neighbours that vote, if there are as many images.
NEIGHBOURS = 20


def evaluate(run: str | Path,
             data: str | Path | None = None,
             *,
             classes: str | Path | Sequence[str] | None = None,
             teacher: str | None = None,
             out: str | Path | None = None,
             options: Mapping[str, Any] | None = None) -> dict[str, float]:
    """Evaluate a student by zero-shot, k-NN and linear probe, or a fine-tuned network on its own task.

    Args:
        run (str | Path): Folder of a pre-training or a student's file; or folder of a fine-tuning.
        data (str | Path, optional): For a student, labelled images in ``{train,val}/CLASS/*``; ``CLASS/*`` alone is
            enough for zero-shot. For a fine-tuning, another set of the same classes. Defaults to None: that of the
            fine-tuning.
        classes (str | Path | Sequence[str], optional): Names for zero-shot, in the order of the class folders.
            Defaults to None: the names of the folders.
        teacher (str, optional): Where the teacher of the pre-training is now. Defaults to None: where it was.
        out (str | Path, optional): Folder for features and logs. Defaults to ``evaluation`` beside the student.
        options (Mapping[str, Any], optional): Keys of the config to overwrite. Defaults to None.

    Returns:
        dict[str, float]: Of a student, ``zero-shot/top1``, ``knn/top1`` and ``linear/top1`` in percent, as far as they
        could be computed; of a fine-tuning, the metrics of its config.

    Raises:
        UserError: If the run, the data or the names cannot be used.
    """
    finetuned = _finetuned(Path(run))
    if finetuned is not None:
        return _test(Path(run), finetuned, data, out, options)
    folders = read_class_folders(_folders(check_labelled(data)), training=False)
    return _evaluate_student(find_student(run), folders, classes, teacher, out, options)


def _finetuned(run: Path) -> Config | None:
    """The config of a fine-tuning; None for a student."""
    file = config_of_finetuning(run)
    return None if file is None else read_saved_run(file)


def _test(run: Path, cfg: Config, data: str | Path | None, out: str | Path | None,
          options: Mapping[str, Any] | None) -> dict[str, float]:
    checkpoint = find_student(run)
    trained_with = _classes(cfg)
    if data is not None and cfg.default_scope == 'mmpretrain':
        _labelled(cfg, data).use(cfg.test_dataloader.dataset, 'val')
    elif data is not None:
        use_own_data(cfg, ready_folder(data, cfg.default_scope))
    if _classes(cfg) != trained_with:  # as many others would be tested without a word
        raise UserError(f'data: {data} has the classes {", ".join(_classes(cfg))}, and {run} was trained with '
                        f'{", ".join(trained_with)}: give data with the same classes in the same order')
    for split in ('train', 'val'):
        for part in ('dataloader', 'evaluator', 'cfg'):
            cfg.pop(f'{split}_{part}', None)
    apply_overrides(cfg, options)
    _see_built(cfg, run, checkpoint)
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / RESOLVED
        write_config(cfg, file)
        return launch.test(str(file), str(checkpoint), work_dir=str(out or run / 'evaluation'),
                           launcher=launching.launcher())


def _labelled(cfg: Config, data: str | Path) -> ClassFolders:
    """Images to test with: of a set whose parts were made for the training, those that were kept from it."""
    trained = source_of(Path(cfg.test_dataloader.dataset.get('data_prefix') or '.').parent)
    same = trained == os.path.abspath(data)
    return read_class_folders(ready_folder(data, 'mmpretrain') if same else _folders(data), training=False)


def _folders(data: str | Path) -> str:
    """A folder with class folders: that of the user, or one that is made of a table."""
    is_table = Path(data).is_dir() and tables(Path(data))
    return ready_folder(data, 'mmpretrain') if is_table else str(data)


def _see_built(cfg: Config, run: Path, checkpoint: Path) -> None:
    """See the network built before there is a runner."""
    weights = load_checkpoint_file(checkpoint)
    network = dict(cfg.model)
    if cfg.get('data_preprocessor'):
        network.setdefault('data_preprocessor', cfg.data_preprocessor)
    check_network(network, cfg.default_scope, weights.get('state_dict', weights), run / RESOLVED)


def _classes(cfg: Config) -> list[str]:
    try:
        return list(cfg.test_dataloader.dataset.metainfo.classes)
    except (AttributeError, KeyError, TypeError) as error:
        raise UserError('the run does not say which classes it was tested with (test_dataloader.dataset.metainfo.'
                        'classes in its resolved_config.py): give the folder of a fine-tuning') from error


def _evaluate_student(path: Path, folders: ClassFolders, classes: str | Path | Sequence[str] | None,
                      teacher: str | None, out: str | Path | None, options: Mapping[str, Any] | None
                      ) -> dict[str, float]:
    student = read_student_file(path)
    if classes is not None and not student.neck:
        raise no_projection(student.path)
    names = None
    if student.neck:
        names = category_names(parse_classes(folders.names if classes is None else classes))
        if classes is not None and len(names) == len(folders.names):
            pairs = [f'{folder} is {name!r}' for folder, name in zip(folders.names, names)]
            print_rank0(f'class folders and names: {some(pairs)}')
    cfg = _config(student, folders)
    if teacher:
        cfg.model.teacher = teacher_model(teacher)
        if teacher == SHAPES:
            print_rank0(about_shapes(names or []))
    apply_overrides(cfg, options)
    cfg.launcher, cfg.work_dir = 'none', str(out or path.parent / 'evaluation')
    results = evaluate_student(cfg, student, categories=names)
    figures = {'zero-shot/top1': results.zero_shot, 'knn/top1': results.knn,
               'linear/top1': results.chosen and results.chosen.test}
    return {name: figure for name, figure in figures.items() if figure is not None}


def _config(student: StudentFile, folders: ClassFolders) -> Config:
    """The ready linear probe with the student's backbone and the images of a user."""
    cfg = Config.fromfile(ready_config('classification/linear_r18_folder.py'))
    cfg.model.backbone = student.backbone_config
    cfg.model.data_preprocessor = student.statistics
    cfg.model.head.num_classes = len(folders.names)
    if folders.train is None:
        cfg.train_dataloader = None
    else:
        cfg.model.k = min(NEIGHBOURS, folders.images)
        folders.use(cfg.train_dataloader.dataset, 'train')
    for loader in (cfg.val_dataloader, cfg.test_dataloader):
        loader.update(num_workers=workers(1)[0], persistent_workers=False)
        folders.use(loader.dataset, 'val')
        for step in loader.dataset.pipeline:
            if step.type == 'ResizeEdge':
                step.scale = short_side(student.image_size)
            elif step.type == 'CenterCrop':
                step.crop_size = student.image_size
    return cfg
