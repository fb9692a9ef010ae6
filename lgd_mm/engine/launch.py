"""One way to train and to test a config, whichever library it belongs to."""

import os
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.dist import all_gather_object, get_rank
from mmengine.registry import METRICS
from mmengine.runner import Runner
from mmengine.visualization import Visualizer

from lgd_mm.compat.coco_api import init_as_pycocotools
from lgd_mm.compat.lvis_api import init_as_lvis
from lgd_mm.console.progress import still
from lgd_mm.console.rank_zero import print_rank0
from lgd_mm.engine import settings
from lgd_mm.engine.checks import preflight
from lgd_mm.engine.checks.best_metric import check_best
from lgd_mm.engine.checks.cached_crops import check_cached_crops
from lgd_mm.engine.checks.lone_image import check_lone_image
from lgd_mm.engine.checks.same_run import check_same_run
from lgd_mm.engine.checks.storage_room import check_storage_room
from lgd_mm.engine.checks.view_size import check_view_size
from lgd_mm.engine.failures import user_errors
from lgd_mm.engine.hooks.checkpoints import check_same_batches
from lgd_mm.engine.hooks.report import write_reports
from lgd_mm.engine.image_results import keep_image_results
from lgd_mm.engine.loader_workers import end_with_run
from lgd_mm.engine.loops import validate_where_resumed
from lgd_mm.engine.processes import end_processes, start_processes
from lgd_mm.engine.progress import lines, progress_bar
from lgd_mm.engine.quiet_runner import NOT_TOLD, QuietRunner
from lgd_mm.engine.stopping import stopped_by_signals
from lgd_mm.engine.summary import summary
from lgd_mm.engine.tracking import set_tracker
from lgd_mm.errors import Stopped, UserError
from lgd_mm.formats.ready_folder import ready_folder
from lgd_mm.io.lock import alone_in_run
from lgd_mm.io.safe_load import load_checkpoint_file
from lgd_mm.io.writable import check_work_dir
from lgd_mm.models.bare_model import bare_model
from lgd_mm.own_data.check_class_folders import check_classes
from lgd_mm.own_data.check_config import check_categories, watch_labels
from lgd_mm.own_data.config import use_own_data
from lgd_mm.runs import checkpoints
from lgd_mm.runs.copies import copied_checkpoint
from lgd_mm.runs.replacement import check_in_one_place
from lgd_mm.storage import is_url
from lgd_mm.students.plug import plug_student
from lgd_mm.students.scratch import begin_at_random

# The same numbers as pycocotools and lvis in a fraction of the time; mmdet must not have been imported yet.
init_as_pycocotools()
init_as_lvis()


def train(config: str,
          student: str | None = None,
          allow_partial_student: bool = False,
          from_scratch: bool = False,
          work_dir: str | None = None,
          resume: str | None = None,
          copy_to: str | None = None,
          amp: str | None = None,
          auto_scale_lr: bool = False,
          data: str | None = None,
          tracker: str | None = None,
          cfg_options: Mapping[str, Any] | None = None,
          launcher: str = 'none',
          backbone: Mapping[str, Any] | None = None,
          log_samples: bool = False) -> Runner:
    """Train a config.

    Args:
        config (str): Config file of lgd_mm, mmdet, mmseg or mmpretrain.
        student (str, optional): File to start ``model.backbone`` from. Defaults to None.
        allow_partial_student (bool): Start also if it fills only a part. Defaults to False.
        from_scratch (bool): Begin at random, whatever weights the config names. Defaults to False.
        work_dir (str, optional): Defaults to the config's own, else ``work_dirs/NAME``.
        resume (str, optional): A checkpoint, ``'auto'`` for the work dir's latest, or the URL of an object store to
            which a run has copied its own. Defaults to None.
        copy_to (str, optional): URL of a folder in an object store, to which each checkpoint is copied. Defaults to
            None.
        amp (str, optional): ``'fp16'``, ``'bf16'`` or ``'auto'``. Defaults to None.
        auto_scale_lr (bool): Scale the learning rate with the batch. Defaults to False.
        data (str, optional): Folder of a set of one's own, of a format in ``docs/own_data.md``. Defaults to None.
        tracker (str, optional): ``'tensorboard'`` or ``'wandb'``, to log to as well. Defaults to None.
        cfg_options (Mapping[str, Any], optional): Keys to overwrite in the config. Defaults to None.
        launcher (str): ``'none'``, ``'pytorch'``, ``'slurm'`` or ``'mpi'``. Defaults to ``'none'``.
        backbone (Mapping[str, Any], optional): Config of a backbone in the place of the config's own. Defaults to None.
        log_samples (bool): Keep what each validation image adds to the metrics. Defaults to False.

    Returns:
        Runner: After training.

    Raises:
        UserError: If the user's set-up has a mistake. A run that fails before its first iteration leaves no new
            folder.
    """
    cfg = settings.load_config(config, cfg_options, work_dir, launcher, backbone)
    if not cfg.get('train_dataloader'):
        raise UserError(f'config {config} has no train_dataloader: it is only tested, by tools/test.py')
    if student and from_scratch:
        raise UserError(f'--student {student} begins with weights, --from-scratch without: give one of them')
    if from_scratch and (weights := begin_at_random(cfg)):
        print_rank0(f'begins at random, without the weights of {", ".join(weights)}')
    if data:
        print_rank0(use_own_data(cfg, ready_folder(data, cfg.get('default_scope'))))
    if amp:
        settings.set_precision(cfg, amp)
    if auto_scale_lr:
        settings.set_lr_scaling(cfg)
    settings.set_exact_resume(cfg)
    if copy_to:
        cfg.default_hooks.checkpoint.copy_to = copy_to
    settings.set_finite_steps(cfg)
    curves = set_tracker(cfg, tracker) if tracker else None
    start_processes(cfg)
    preflight.check_data(cfg, 'train', 'val')
    preflight.check_cache(cfg)
    check_cached_crops(cfg)
    check_best(cfg)
    check_categories(cfg, 'train', 'val')
    check_classes(cfg, 'train', 'val')
    check_work_dir(cfg.work_dir)
    with alone_in_run(cfg.work_dir) if get_rank() == 0 else nullcontext():
        check_in_one_place(cfg.work_dir)
        runner = _train(cfg, student, allow_partial_student, resume, log_samples)
        end_processes()
        write_reports(runner)
        print_rank0(summary(runner, curves))
    return runner


def test(config: str,
         checkpoint: str | None = None,
         work_dir: str | None = None,
         out: str | None = None,
         data: str | None = None,
         cfg_options: Mapping[str, Any] | None = None,
         launcher: str = 'none',
         backbone: Mapping[str, Any] | None = None,
         log_samples: bool = False) -> dict[str, float]:
    """Evaluate a checkpoint on a config's test set.

    Args:
        config (str): Config file of lgd_mm, mmdet, mmseg or mmpretrain.
        checkpoint (str, optional): A checkpoint of that config's model. Defaults to None: the model brings its weights,
            as a teacher does.
        work_dir (str, optional): Defaults to the config's own, else ``work_dirs/NAME``.
        out (str, optional): File (``.pkl``) for all predictions. Defaults to None.
        data (str, optional): Folder of a set of one's own, of a format in ``docs/own_data.md``. Defaults to None.
        cfg_options (Mapping[str, Any], optional): Keys to overwrite in the config. Defaults to None.
        launcher (str): ``'none'``, ``'pytorch'``, ``'slurm'`` or ``'mpi'``. Defaults to ``'none'``.
        backbone (Mapping[str, Any], optional): Config of a backbone in the place of the config's own. Defaults to None.
        log_samples (bool): Keep what each test image adds to the metrics. Defaults to False.

    Returns:
        dict[str, float]: The metrics.

    Raises:
        UserError: If the user's set-up has a mistake.
    """
    cfg = settings.load_config(config, cfg_options, work_dir, launcher, backbone)
    if data:
        print_rank0(use_own_data(cfg, ready_folder(data, cfg.get('default_scope'))))
    if not cfg.get('test_dataloader'):
        raise UserError(f'config {config} has no test_dataloader: there is nothing to test')
    if out and not out.endswith(('.pkl', '.pickle')):
        raise UserError(f'--out {out}: predictions are written as .pkl')
    start_processes(cfg)
    preflight.check_data(cfg, 'test')
    check_categories(cfg, 'test')
    check_classes(cfg, 'test')
    check_work_dir(cfg.work_dir)
    state = load_checkpoint_file(checkpoint) if checkpoint else {}
    cfg.load_from, cfg.resume = checkpoint, False

    with user_errors(cfg, when_disk_is_full='') as runners:
        runner = _build(cfg)
        runners.append(runner)
        if checkpoint:
            preflight.check_weights(runner.model, state.get('state_dict', state), checkpoint)
        elif not getattr(bare_model(runner.model), 'brings_weights', False):
            raise UserError(f'the model of {config} would be tested with random weights: give its checkpoint, too')
        del state
        if out:
            # mmdet's own packs the masks of its predictions.
            dump = 'mmdet.DumpDetResults' if cfg.get('default_scope') == 'mmdet' else 'mmengine.DumpResults'
            runner.test_evaluator.metrics.append(METRICS.build(dict(type=dump, out_file_path=out)))
        watch_labels(runner, 'test')
        if log_samples:
            keep_image_results(runner, 'test')
        with lines(runner), end_with_run(runner):
            metrics = runner.test()
    end_processes()
    return metrics


def _build(cfg: Config) -> Runner:
    """The runner, less what is known to say nothing."""
    _forget_visualizers(Visualizer)
    with still('reading the data and building the networks'):
        runner = QuietRunner.from_cfg(cfg)
    runner.logger.addFilter(lambda record: not NOT_TOLD.match(record.getMessage()))
    return runner


def _train(cfg: Config, student: str | None, allow_partial_student: bool, resume: str | None,
           log_samples: bool) -> Runner:
    """Build and train in a work dir that is this run's alone."""
    state = _set_resume(cfg, resume)
    _check_same_beginning(state)
    resumed_at = None if state is None else (state['meta']['epoch'], state['meta']['iter'])
    with user_errors(cfg, when_disk_is_full=', then go on with --resume') as runners:
        if student:
            plug_student(cfg, student, allow_partial_student)
        runner = _build(cfg)
        runners.append(runner)
        preflight.check_batches(runner)
        if state is not None:
            preflight.check_weights(runner.model, state['state_dict'], cfg.load_from)
            check_same_batches(runner, state['meta'], cfg.load_from)
            check_same_run(cfg, state['meta'], runner.model, cfg.load_from)
        del state  # as large as a checkpoint, and training needs the memory
        preflight.check_disk_space(cfg.work_dir, runner.model)
        check_view_size(runner)
        check_lone_image(runner)
        check_storage_room(runner)
        watch_labels(runner, 'train', 'val')
        if log_samples:
            keep_image_results(runner, 'val')
        with progress_bar(runner), stopped_by_signals(runner), end_with_run(runner):
            try:
                runner.train()
            except Stopped:
                end_processes()
                raise
            validate_where_resumed(runner, resumed_at)
    return runner


def _forget_visualizers(kind: Any) -> None:
    """mmengine keeps them by name, and every config of a library has the same one: a second run of this process would
    draw and log into the folder of the first."""
    kind._instance_dict.clear()
    for special in kind.__subclasses__():
        _forget_visualizers(special)


def _set_resume(cfg: Config, resume: str | None) -> dict[str, Any] | None:
    """Settle which checkpoint is resumed from; returns what it holds."""
    again = int(os.environ.get('TORCHELASTIC_RESTART_COUNT', 0))  # torchrun begins again after the loss of a process
    if again and (Path(cfg.work_dir, 'last_checkpoint').is_file() or checkpoints.latest_checkpoint(cfg.work_dir)):
        resume = 'auto'
    if isinstance(cfg.get('resume'), str):
        raise UserError(f'resume is {cfg.resume!r}, and it is True or False: give tools/train.py --resume {cfg.resume}')
    if resume is None and cfg.get('resume'):
        resume = cfg.get('load_from') or 'auto'
    if resume is None:
        return None
    if is_url(resume):
        path = copied_checkpoint(resume)
    else:
        path = checkpoints.latest_checkpoint(cfg.work_dir, to_resume=True) if resume == 'auto' else Path(resume)
    if path is None:
        checkpoints.check_begins(cfg.work_dir)
        copies = cfg.default_hooks.checkpoint.get('copy_to')
        if is_url(resume) and copies and copies.rstrip('/') != resume.rstrip('/'):
            raise UserError(f'--resume {resume} holds no checkpoint, and --copy-to {copies} is another folder: correct '
                            'the one of them that is mistyped, or leave --resume out to begin a new run')
        cfg.resume = False
        print_rank0(f'nothing to resume from in {resume if is_url(resume) else cfg.work_dir}: a new run begins')
        return None
    cfg.resume, cfg.load_from = True, str(path)
    return checkpoints.read_training_state(path)


def _check_same_beginning(state: dict[str, Any] | None) -> None:
    """See that all processes go on from one checkpoint, or begin: each has looked for itself."""
    metas = all_gather_object(None if state is None else [state['meta'].get('run'), state['meta']['iter']])
    if any(meta != metas[0] for meta in metas):
        where = ', '.join('the beginning' if meta is None else f'iteration {meta[1]}' for meta in metas)
        raise UserError(f'the processes of this run would go on from {where}: give all machines one --work-dir on '
                        'storage that they share, or --resume FILE')
