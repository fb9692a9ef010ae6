"""A folder of held-out images on which a pre-training is watched."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config, ConfigDict

from lgd_mm.api.configs import config_root
from lgd_mm.api.embedding import short_side
from lgd_mm.api.watch import Watch
from lgd_mm.console.rank_zero import print_rank0
from lgd_mm.datasets.labelled_images import class_folders, count_images
from lgd_mm.errors import UserError
from lgd_mm.io.image_files import EXTENSIONS, files_below
from lgd_mm.own_data.class_folders import PARTS
from lgd_mm.watching.names import no_neighbours, no_zero_shot

#: Figures, the best to choose by first, and the metrics that give them.
FIGURES = {'zero-shot/top1': 'lgd_mm.ZeroShotAccuracy', 'knn/top1': 'lgd_mm.NeighbourAccuracy',
           'embedding/rankme': 'lgd_mm.RankMe'}
#: Images from which on twenty neighbours may vote.
MANY = 21


def use_watch(cfg: Config, watch: Watch, names: Sequence[str], image_size: int, workers: int) -> None:
    """Put the looks into a config of pre-training, and say what is measured and what is not.

    Args:
        cfg (Config): Changed in place; says where the images are that the student learns from.
        watch (Watch): What is asked for, checked.
        names (Sequence[str]): Category names of the run; empty for a method without names.
        image_size (int): Side of its views, in pixels.
        workers (int): Loader processes.

    Raises:
        UserError: If there are fewer than two images, or none that are held out.
    """
    assert watch.folder is not None
    root = _held_out(Path(os.path.realpath(watch.folder)))
    learned = Path(os.path.realpath(cfg.train_dataloader.dataset.data_root))
    if root.is_relative_to(learned) or learned.is_relative_to(root):
        raise UserError(f'watch: {root} has images that the student learns from, of {learned}: give a folder beside '
                        'it, with images that are held out')
    base = Config.fromfile(config_root() / '_base_' / 'watch.py')
    found, folders = _images(root)
    reasons = {'zero-shot/top1': no_zero_shot(folders, names), 'knn/top1': no_neighbours(folders),
               'embedding/rankme': None}
    figures = [figure for figure in FIGURES if not reasons[figure]]
    cfg.val_cfg, cfg.val_dataloader = base.val_cfg, base.val_dataloader
    cfg.val_evaluator = [ConfigDict(type=FIGURES[figure]) for figure in figures]
    cfg.val_dataloader.num_workers = workers
    cfg.val_dataloader.dataset.data_root = str(root)
    _, resize, crop, _ = cfg.val_dataloader.dataset.pipeline
    resize.scale, crop.crop_size = short_side(image_size), image_size
    cfg.train_cfg.val_interval = watch.every
    after = 'every epoch' if watch.every == 1 else f'every {watch.every} epochs'
    print_rank0(f'watch: {", ".join(figures)} of {found} images {after}' + ''.join(
        f'; not {figure}: {reason}' for figure, reason in reasons.items() if reason))
    if found < MANY and 'knn/top1' in figures:
        print_rank0(f'watch: {found} images are few: {found - 1} neighbours vote in knn/top1 in place of 20')
    if watch.keep_best:
        cfg.default_hooks.checkpoint.update(save_best=figures[0], rule='greater')
    if watch.patience is not None:
        stopping: dict[str, Any] = dict(type='lgd_mm.EarlyStoppingHook', monitor=figures[0], rule='greater',
                                        min_delta=1e-6, check_finite=False, patience=watch.patience)
        cfg.custom_hooks = [*cfg.custom_hooks, stopping]


def _held_out(folder: Path) -> Path:
    """The folder itself, or its part to test with if it has nothing but parts: a class may be called train."""
    folders = class_folders(folder)
    if not folders or not {name.lower() for name in folders} <= {name for names in PARTS.values() for name in names}:
        return folder
    for part in PARTS['val']:
        for name, path in folders.items():
            if name.lower() == part:
                return Path(path)
    raise UserError(f'watch: {folder} has images to train with alone, in {", ".join(folders)}: give some that are held '
                    'out')


def _images(root: Path) -> tuple[int, list[str]]:
    """How many there are, and the class folders that hold some."""
    classes = class_folders(root)
    if classes:
        counts = {name: count_images({name: folder}) for name, folder in classes.items()}
        found, folders = sum(counts.values()), [name for name, count in counts.items() if count]
    else:
        found, folders = sum(path.lower().endswith(EXTENSIONS) for path in files_below(root)), []
    if found < 2:
        raise UserError(f'watch: {os.fspath(root)} holds {found or "no"} image, and a pre-training is watched on '
                        'several: put more into it, some hundred if there are, that it does not learn from')
    return found, folders
