"""Images, names, a student, a teacher and a folder: a pre-training."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config

from lgd_mm.api import launching
from lgd_mm.api.auto import Facts, Settings
from lgd_mm.api.classes import parse_classes
from lgd_mm.api.configs import ready_config
from lgd_mm.api.images import images_in, is_index
from lgd_mm.api.memory import bytes_per_image, device_memory
from lgd_mm.api.output import check_init, check_inputs_stay, check_out, config_of
from lgd_mm.api.overrides import apply_overrides
from lgd_mm.api.recipes import settle_recipe
from lgd_mm.api.results import Run
from lgd_mm.api.schedules import SHORTEST_WARM_UP
from lgd_mm.api.student import find_student
from lgd_mm.api.students import student_config
from lgd_mm.api.teachers import SHAPES, about_shapes, teacher_model, teacher_size
from lgd_mm.api.values import AUTO, check_value
from lgd_mm.api.watch import Watch
from lgd_mm.api.watching import use_watch
from lgd_mm.console.rank_zero import print_rank0
from lgd_mm.datasets.index import ImageIndex
from lgd_mm.engine.settings import set_precision
from lgd_mm.errors import UserError
from lgd_mm.io.files import read_plain
from lgd_mm.language import category_names, prompt_templates
from lgd_mm.models.features import check_size
from lgd_mm.safety.config_text import parse_config
from lgd_mm.storage import is_url
from lgd_mm.students.backbone import build_backbone, describe

#: Iterations between two checkpoints, but checkpoints of a run at least; iterations between two lines of the log.
CHECKPOINT, CHECKPOINTS, LOG = 500, 10, 50


def pretrain(images: str | Path,
             classes: str | Path | Sequence[str],
             *,
             out: str | Path,
             student: str = 'resnet18',
             teacher: str = 'RN50/openai',
             recipe: str = AUTO,
             epochs: int | str = AUTO,
             batch_size: int | str = AUTO,
             accumulate: int | str = AUTO,
             optimizer: str = AUTO,
             lr: float | str = AUTO,
             image_size: int | str = AUTO,
             amp: str = AUTO,
             workers: int | str = AUTO,
             templates: str | Sequence[str] | None = None,
             seed: int = 0,
             init: str | Path | None = None,
             resume: bool = False,
             overwrite: bool = False,
             tracker: str | None = None,
             watch: str | Path | None = None,
             watch_every: int = 1,
             keep_best: bool = False,
             patience: int | None = None,
             options: Mapping[str, Any] | None = None) -> Run:
    """Pre-train a student from unlabelled images and category names (`arXiv:2406.11689
    <https://arxiv.org/abs/2406.11689>`_).

    The ready config of the student is taken and changed; ``'auto'`` is settled by :mod:`lgd_mm.api.auto`, and the whole
    config with its reasons (key ``auto``) is left in ``out/resolved_config.py``.

    Args:
        images (str | Path): Folder of images, nested or flat, or an index of some (:func:`lgd_mm.index`), which may be
            a URL.
        classes (str | Path | Sequence[str]): A set (``'coco'``), a text file with a name on each line, a COCO JSON,
            names separated by commas, or a list of names.
        out (str | Path): Folder of the run, new or empty.
        student (str): See :data:`lgd_mm.api.students.STUDENTS`, or ``'timm/NAME'``. Defaults to ``'resnet18'``.
        teacher (str): ``'MODEL/TAG'`` of open_clip, ``'MODEL/TAG=FILE'`` with a file of its weights,
            ``'local-dir:FOLDER'``, or ``'shapes'``. Defaults to ``'RN50/openai'``, which is downloaded once.
        recipe (str): ``'published'``, ``'dense'`` (the names are read at every position as well, see
            :class:`lgd_mm.DenseGuidance`) or ``'auto'``: dense if student and teacher give maps, but
            published for a student of timm. Defaults to ``'auto'``.
        epochs (int | str): Passes over the images. Defaults to ``'auto'``.
        batch_size (int | str): Images of a batch on each device. Defaults to ``'auto'``.
        accumulate (int | str): Batches of an optimiser step. Defaults to ``'auto'``.
        optimizer (str): ``'sgd'`` (published), ``'adamw'`` (short runs) or ``'auto'``. Defaults to ``'auto'``.
        lr (float | str): Highest learning rate. Defaults to ``'auto'``.
        image_size (int | str): Side of a view in pixels. Defaults to ``'auto'``.
        amp (str): Mixed precision: ``'fp16'``, ``'bf16'``, ``'off'`` or ``'auto'``. Defaults to ``'auto'``.
        workers (int | str): Loader processes on each device. Defaults to ``'auto'``.
        templates (str | Sequence[str], optional): Prompts with one ``{}`` each, or a text file of them. Defaults to
            None: OpenAI's 80.
        seed (int): Of weights and views. Defaults to 0.
        init (str | Path, optional): Weights that the student starts from: the folder of a pre-training, a student, a
            checkpoint, or weights of timm or torchvision. Defaults to None: random ones.
        resume (bool): Go on with the run in ``out``, or begin it. Defaults to False.
        overwrite (bool): Replace the run in ``out``. Defaults to False.
        tracker (str, optional): ``'tensorboard'`` or ``'wandb'``, to log to as well. Defaults to None.
        watch (str | Path, optional): Folder of held-out images, best in ``CLASS/*`` with classes that are names: after
            epochs, the student's zero-shot and k-NN accuracy on them and the rank of its embeddings are measured as far
            as labels and names allow, and logged. It changes nothing of the training. Defaults to None.
        watch_every (int): Epochs from one such look to the next. Defaults to 1.
        keep_best (bool): Keep the checkpoint with the best figure, beside those of the schedule. Defaults to False.
        patience (int, optional): End the training after so many looks without a better figure. Defaults to None.
        options (Mapping[str, Any], optional): Keys of the config to overwrite, such as ``{'model.lgka.momentum':
            0.99}``. Defaults to None.

    Returns:
        Run: Paths, last losses and history.

    Raises:
        UserError: If an argument cannot be used, or the set-up has a mistake.
    """
    check_init(init, resume)
    looks = Watch(watch, watch_every, keep_best, patience)
    looks.check()
    check_out(out, resume, overwrite)
    check_inputs_stay(out, overwrite, images, classes, templates, teacher, init, watch, *(options or {}).values())
    student_config(student)
    teacher_cfg = teacher_model(teacher)
    categories = parse_classes(classes)
    names = category_names(categories)
    if len(names) < 2:
        raise UserError(f'classes is one name, {names[0]!r}, which leaves nothing to tell apart: give at least two')
    if teacher == SHAPES:
        print_rank0(about_shapes(names))
    count = len(ImageIndex(images) if is_index(images) else images_in(images))
    prompts = None if templates is None else prompt_templates(templates)

    earlier = _earlier(out) if resume else None
    begun_as = earlier.get('recipe', 'published') if earlier else recipe  # runs of before it was told are as published
    if earlier and recipe not in (AUTO, begun_as):
        raise UserError(f'{out} is a run with --recipe {begun_as}, and here it is {recipe}: leave --recipe out to go '
                        'on with it, or begin a new run elsewhere')
    given = dict(epochs=epochs, batch_size=batch_size, accumulate=accumulate, optimizer=optimizer, lr=lr,
                 image_size=image_size, amp=amp, workers=workers)
    cfg = pretraining_config(images, count, categories, student, teacher_cfg,
                             begun_as if recipe == AUTO else recipe, given, earlier)
    if earlier and recipe == AUTO:
        cfg.auto.recipe.why = 'auto: as in the run that is resumed'
    print_rank0(f'recipe: {cfg.auto.recipe.value} ({cfg.auto.recipe.why})')
    if prompts is not None:
        cfg.model.lgka.templates = prompts
    cfg.randomness.seed = seed
    if watch is not None:
        use_watch(cfg, looks, names, cfg.auto.image_size.value, cfg.auto.workers.value)
    apply_overrides(cfg, options)
    launching.train(cfg, out, resume, overwrite, None if init is None else find_student(init, bare=True), tracker)
    return Run.of(out)


def pretraining_config(images: str | Path, count: int, categories: str | Sequence[str], student: str,
                       teacher: Mapping[str, Any], recipe: str, given: Mapping[str, Any],
                       earlier: Mapping[str, Any] | None = None) -> Config:
    """The ready config of a student with a user's images and names, and every ``'auto'`` settled.

    Args:
        images (str | Path): Folder of images, or an index.
        count (int): How many there are.
        categories (str | Sequence[str]): As configs take them.
        student (str): As of :func:`pretrain`.
        teacher (Mapping[str, Any]): Config of the teacher.
        recipe (str): As of :func:`pretrain`.
        given (Mapping[str, Any]): Settings, each ``'auto'`` or a value.
        earlier (Mapping[str, Any], optional): Settled values of the run that is resumed. Defaults to None.

    Returns:
        Config: It needs no other file; the settled values and their reasons are its key ``auto``.

    Raises:
        UserError: If the student, the recipe or a setting cannot be used.
    """
    name, changes = student_config(student)
    cfg = Config.fromfile(ready_config(name))
    cfg.merge_from_dict(changes)
    cfg.model.teacher = teacher
    form, why = settle_recipe(cfg, student, recipe)
    settings = Settings(given, _facts(cfg, count, teacher), earlier)
    cfg.model.lgka.categories = categories
    folder, dataset = str(images) if is_url(images) else str(Path(images).resolve()), cfg.train_dataloader.dataset
    if is_index(folder):
        cfg.train_dataloader.dataset = dict(type='lgd_mm.IndexedImages', index=folder, pipeline=dataset.pipeline)
        index = ImageIndex(folder)
        if index.kind == 'shards' and is_url(index.root):
            cfg.train_dataloader.sampler.sequential = True
    else:
        dataset.update(data_root=folder, data_prefix=dict(img_path=''))
    cfg.test_dataloader = cfg.test_evaluator = cfg.test_cfg = None  # ImageNet's
    for unused in ('data_root', 'dataset_type', 'train_pipeline', 'view_pipeline'):
        cfg.pop(unused)  # left of ImageNet's
    write_settings(cfg, settings)
    cfg.auto.recipe = dict(value=form, why=why)
    return cfg


def write_settings(cfg: Config, settings: Settings) -> None:
    """Write settled values into a config of pre-training.

    Args:
        cfg (Config): Changed in place.
        settings (Settings): The values.
    """
    values = settings.values
    loader, epochs = cfg.train_dataloader, values['epochs']
    loader.update(batch_size=values['batch_size'], num_workers=values['workers'],
                  persistent_workers=values['workers'] > 0, drop_last=True)
    next(step for step in loader.dataset.pipeline if step.type == 'lgd_mm.RandomView').size = values['image_size']

    wrapper = cfg.optim_wrapper
    if values['optimizer'] == 'adamw':
        wrapper.optimizer = dict(type='AdamW', weight_decay=0.01, fused=True)
    wrapper.optimizer.lr = values['lr']
    if values['accumulate'] > 1:
        wrapper.accumulative_counts = values['accumulate']
    if values['amp'] != 'off':
        set_precision(cfg, values['amp'])
    cfg.auto_scale_lr = dict(base_batch_size=settings.batch // values['accumulate'])

    warm_up = min(max(1, round(epochs / 40)), epochs - 1)
    if warm_up * settings.iterations < SHORTEST_WARM_UP:
        warm_up = 0
    cosine = dict(type='CosineAnnealingLR', by_epoch=True, begin=warm_up, end=epochs, T_max=epochs - warm_up,
                  convert_to_iter_based=True)
    rising = dict(type='LinearLR', start_factor=1e-4, by_epoch=True, begin=0, end=warm_up, convert_to_iter_based=True)
    cfg.param_scheduler = [rising, cosine] if warm_up else [cosine]
    cfg.train_cfg.max_epochs = epochs
    cfg.default_hooks.logger.interval = min(LOG, settings.iterations)
    cfg.default_hooks.checkpoint.interval = max(1, min(-(-CHECKPOINT // settings.iterations), epochs // CHECKPOINTS))
    cfg.auto = settings.record()


def _facts(cfg: Config, count: int, teacher: Mapping[str, Any]) -> Facts:
    """What the settings depend on; the backbone is built only if its memory is asked for."""
    return Facts(
        images=count,
        processes=launching.processes(),
        teacher_size=teacher_size(teacher['model']),
        student_size=_only_size(cfg.model.backbone),
        memory=lambda size: (_bytes_per_image(cfg, size), device_memory(launching.processes())))


def _bytes_per_image(cfg: Config, size: int) -> int:
    network = build_backbone(cfg)
    check_size(network, size, describe(cfg.model.backbone))
    return bytes_per_image(network, size)


def _only_size(backbone: Mapping[str, Any]) -> int | None:
    """Side of the images that a timm model was made for, if it takes no other."""
    if 'model_name' not in backbone:
        return None
    import timm
    known = timm.get_pretrained_cfg(backbone['model_name'])
    return int(known.input_size[-1]) if known is not None and known.fixed_input_size else None


def _earlier(out: str | Path) -> dict[str, Any]:
    """Settled values of the run in a folder.

    Raises:
        UserError: If its config cannot be read, or a value in it can be none.
    """
    file = config_of(Path(out))
    if file is None:
        return {}
    try:
        auto = parse_config(read_plain(file).decode()).get('auto') or {}
        values = {name: entry['value'] for name, entry in auto.items()}
        for name, value in values.items():
            check_value(name, value)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, UserError) as error:
        raise UserError(f'{file} is damaged ({_reason(error)}): put the file of the run back, which --resume takes '
                        'settings from, or give another folder') from error
    return values


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return str(error.strerror)
    if isinstance(error, UserError):
        return str(error).partition(':')[0]
    return 'it is no text' if isinstance(error, UnicodeDecodeError) else 'its auto is no table of settings'
