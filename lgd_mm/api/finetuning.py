"""A student at work: a ready downstream config with the user's own data."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config

from lgd_mm.api import launching
from lgd_mm.api.auto import workers
from lgd_mm.api.backbones import backbone_named
from lgd_mm.api.configs import ready_config
from lgd_mm.api.output import check_beginning, check_inputs_stay, check_out, config_of
from lgd_mm.api.overrides import apply_overrides
from lgd_mm.api.results import Run
from lgd_mm.api.schedules import scale_schedule
from lgd_mm.api.small_sets import LEAST_BATCH, RATE, SMALL, fit, longer_side, set_image_size, use_small_recipe
from lgd_mm.api.student import find_student
from lgd_mm.api.values import AUTO, check_value
from lgd_mm.console.rank_zero import print_rank0
from lgd_mm.console.words import there_are
from lgd_mm.engine.settings import set_precision
from lgd_mm.errors import UserError
from lgd_mm.formats.ready_folder import ready_folder
from lgd_mm.io.files import read_plain
from lgd_mm.io.inputs import check_data_folder
from lgd_mm.own_data.config import use_own_data
from lgd_mm.safety.bounded_build import bounded_build
from lgd_mm.safety.config_text import parse_config
from lgd_mm.students.read import read_student_file
from lgd_mm.students.swap import use_backbone

#: Task -> its ready config.
TASKS = {
    'classification': 'classification/finetune_r18_folder.py',
    'linear-probe': 'classification/linear_r18_folder.py',
    'detection': 'coco/faster-rcnn_r18_fpn_1x_coco.py',
    'instance-segmentation': 'coco/mask-rcnn_r18_fpn_1x_coco.py',
    'segmentation': 'ade20k/upernet_r18_80k_ade20k-512x512.py',
}
#: Passes over ADE20K's 20,210 images that the published 80,000 iterations with 16 of them are.
ADE20K_EPOCHS = 63


def finetune(task: str,
             student: str | Path | None,
             data: str | Path,
             *,
             out: str | Path,
             backbone: str | None = None,
             epochs: int | str = AUTO,
             batch_size: int | str = AUTO,
             lr: float | str = AUTO,
             image_size: int | str = AUTO,
             amp: str = AUTO,
             workers: int | str = AUTO,
             seed: int = 0,
             resume: bool = False,
             overwrite: bool = False,
             tracker: str | None = None,
             options: Mapping[str, Any] | None = None) -> Run:
    """Train a student on for a downstream task, by the ready config of the task.

    Args:
        task (str): ``'classification'``, ``'linear-probe'``, ``'detection'`` (Faster R-CNN),
            ``'instance-segmentation'`` (Mask R-CNN) or ``'segmentation'`` (UPerNet).
        student (str | Path, optional): Folder of a pre-training, an exported student, or a checkpoint; None begins at
            random.
        data (str | Path): A folder of a format in ``docs/own_data.md``: class folders or a table of labels; boxes and
            outlines; images and masks.
        out (str | Path): Folder of the run, new or empty.
        backbone (str, optional): A student's name or ``'timm/NAME'``, for a file that does not say of which backbone it
            is, or to begin at random. Defaults to None: that of the student's file.
        epochs (int | str): Passes over the training images. Defaults to ``'auto'``: those of the config, or as many as
            :mod:`lgd_mm.api.small_sets` finds for a small set.
        batch_size (int | str): Images of a batch on each device. Defaults to ``'auto'``: likewise.
        lr (float | str): Highest learning rate; in classification that of the backbone, and the new layer's is ten
            times as high. Defaults to ``'auto'``: that of the config, scaled with the batch, or that for a small set.
        image_size (int | str): Longer side of the images in detection and segmentation, in pixels. Defaults to
            ``'auto'``: the published sizes, or what fits a small set.
        amp (str): ``'fp16'``, ``'bf16'``, ``'off'`` or ``'auto'``. Defaults to ``'auto'``: fp16 on a GPU, else off.
        workers (int | str): Loader processes on each device. Defaults to ``'auto'``.
        seed (int): Of weights and batches. Defaults to 0.
        resume (bool): Go on with the run in ``out``, or begin it. Defaults to False.
        overwrite (bool): Replace the run in ``out``. Defaults to False.
        tracker (str, optional): ``'tensorboard'`` or ``'wandb'``, to log to as well. Defaults to None.
        options (Mapping[str, Any], optional): Keys of the config to overwrite. Defaults to None.

    Returns:
        Run: Paths, last losses and metrics, and history.

    Raises:
        UserError: If an argument cannot be used, or the set-up has a mistake.
    """
    if task not in TASKS:
        raise UserError(f'no task is called {task!r}; {there_are(task, TASKS)}')
    check_out(out, resume, overwrite)
    check_inputs_stay(out, overwrite, student, data, *(options or {}).values())
    check_beginning(student, backbone)
    cfg = Config.fromfile(ready_config(TASKS[task]))
    file = None if student is None else find_student(student, bare=True)
    if backbone is not None:
        use_backbone(cfg, backbone_named(backbone))
    elif file is not None:
        read = read_student_file(file)
        with bounded_build(read.backbone.values(), read.path):
            use_backbone(cfg, read.backbone_config)
    images = use_data(cfg, task, str(data))
    given = dict(epochs=epochs, batch_size=batch_size, lr=lr, image_size=image_size, amp=amp, workers=workers)
    settle(cfg, given, images, fitting=not (resume and _begun_as_published(out)))
    if 'recipe' in cfg.auto:
        print_rank0(f'recipe: {cfg.auto.recipe.value} ({cfg.auto.recipe.why})')
    cfg.randomness = dict(seed=seed)
    apply_overrides(cfg, options)
    launching.train(cfg, out, resume, overwrite, file, tracker)
    return Run.of(out)


def use_data(cfg: Config, task: str, data: str) -> int:
    """Let a ready config read the user's data.

    Args:
        cfg (Config): Changed in place.
        task (str): One of :data:`TASKS`.
        data (str): The folder.

    Returns:
        int: Images to train with.

    Raises:
        UserError: If the folder does not fit the task.
    """
    check_data_folder(data)
    folder = use_own_data(cfg, ready_folder(Path(data).resolve(), cfg.default_scope))
    print_rank0(folder)
    return folder.counts['train']


def _begun_as_published(out: str | Path) -> bool:
    """Whether a folder holds a run of before there was a recipe for small sets."""
    file = config_of(Path(out))
    return file is not None and 'recipe' not in (parse_config(read_plain(file).decode()).get('auto') or {})


def settle(cfg: Config, given: Mapping[str, Any], images: int, fitting: bool = True, longer: int | None = None) -> None:
    """Settle every ``'auto'`` of a fine-tuning, and write values and reasons into its config.

    Args:
        cfg (Config): Changed in place.
        given (Mapping[str, Any]): The arguments, each ``'auto'`` or a value.
        images (int): To train with.
        fitting (bool): Whether a small set of detection or segmentation is trained with what fits it. Defaults to True.
        longer (int, optional): Median of the longer sides of these images, in pixels. Defaults to None: it is looked
            for where it is needed.

    Raises:
        UserError: If a given value cannot be used.
    """
    processes = launching.processes()
    base = (cfg.get('auto_scale_lr') or {}).get('base_batch_size') or cfg.train_dataloader.batch_size
    batch = cfg.train_dataloader.batch_size
    small = fitting and images < SMALL and cfg.default_scope in ('mmdet', 'mmseg')
    auto: dict[str, tuple[Any, str]] = dict(
        image_size=(None, 'the published sizes'),
        batch_size=(batch, f"the config's {batch}"),
        epochs=(cfg.train_cfg.get('max_epochs', ADE20K_EPOCHS), "the config's passes over its own data"))
    if given['image_size'] != AUTO:
        check_value('image_size', given['image_size'])
        if cfg.default_scope == 'mmpretrain':
            raise UserError('image_size is for detection and segmentation: leave it out for classification')
    if small:
        side = None if given['image_size'] == AUTO else given['image_size']
        auto.update(fit(cfg, images, longer or longer_side(cfg), side, processes)._asdict())
    wanted, reason = auto['batch_size']
    auto |= dict(
        batch_size=(_batch_size(cfg, wanted, images, processes), f'{reason}, at most all images, and none of one image '
                    'alone'),
        amp=('fp16', 'there is a GPU') if torch.cuda.is_available() else ('off', 'there is no GPU'),
        workers=workers(processes))
    values, reasons = {}, {}
    for name, (value, reason) in auto.items():
        if given[name] == AUTO:
            values[name], reasons[name] = value, f'auto: {reason}'
        else:
            check_value(name, given[name])
            values[name], reasons[name] = given[name], 'given'
    total = values['batch_size'] * processes
    if values['image_size'] is not None:
        set_image_size(cfg, values['image_size'])
    fitted = use_small_recipe(cfg, total) if small else None
    optimizer = cfg.optim_wrapper.optimizer
    if given['lr'] == AUTO and fitted:
        reasons['lr'] = f'auto: {RATE} of AdamW x root of batch {total} / {LEAST_BATCH}'
    elif given['lr'] == AUTO:
        reasons['lr'] = f"auto: the config's {optimizer.lr} x batch {total} / {base}"
        optimizer.lr = optimizer.lr * total / base
    else:
        check_value('lr', given['lr'])
        optimizer.lr, reasons['lr'] = given['lr'], 'given'
    values['lr'] = optimizer.lr

    cfg.train_dataloader.batch_size = values['batch_size']
    for loader in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader):
        loader.update(num_workers=values['workers'], persistent_workers=values['workers'] > 0)
    cfg.auto_scale_lr = dict(base_batch_size=total)
    iterations = max(1, -(-images // total))
    scale_schedule(cfg, values['epochs'], iterations)
    cfg.default_hooks.logger.interval = min(cfg.default_hooks.logger.get('interval', 50), iterations)
    if values['amp'] != 'off':
        set_precision(cfg, values['amp'])
    cfg.auto = {name: dict(value=value, why=reasons[name]) for name, value in values.items()}
    if cfg.default_scope == 'mmpretrain':
        del cfg.auto['image_size']
    else:
        cfg.auto.recipe = dict(value='small set' if small else 'published',
                               why=f'auto: {images:,} images to train with, and below {SMALL:,} a set is small')


def _batch_size(cfg: Config, most: int, images: int, processes: int) -> int:
    """The largest batch up to a bound that leaves no image alone, not in the last batch of an epoch either: batch
    norms want two."""
    loader = cfg.train_dataloader
    size = min(most, max(1, images // processes))
    if 'InfiniteSampler' in str((loader.get('sampler') or {}).get('type')):  # fills its batches by going round
        return max(2, size)
    share = -(-images // processes)
    if size == 1 or loader.get('drop_last') or share % size != 1:
        return size
    return next((smaller for smaller in range(size - 1, 1, -1) if share % smaller != 1), size + 1)
