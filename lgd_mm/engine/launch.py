"""One way to train and to test a config, whichever library it belongs to."""

import errno
import os
import re
import shutil
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import faster_coco_eval
import torch
from mmengine.config import Config
from mmengine.dist import get_rank, get_world_size, init_dist, is_distributed
from mmengine.registry import METRICS
from mmengine.runner import Runner

from lgd_mm.compat.safe_load import load_checkpoint_file
from lgd_mm.engine import preflight, settings
from lgd_mm.errors import UserError
from lgd_mm.transfer.plug import plug_student

# The same twelve numbers as pycocotools in a fraction of the time; mmdet must not have been imported yet.
faster_coco_eval.init_as_pycocotools()

#: How the operating system says that there is no room or no permission.
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EFBIG)

#: Of mmengine's own CheckpointHook, in each run.
NOISE = ('"FileClient" will be deprecated', '"HardDiskBackend" is the alias')


def train(config: str,
          student: str | None = None,
          allow_partial_student: bool = False,
          work_dir: str | None = None,
          resume: str | None = None,
          amp: str | None = None,
          auto_scale_lr: bool = False,
          cfg_options: Mapping[str, Any] | None = None,
          launcher: str = 'none') -> Runner:
    """Train a config.

    Args:
        config (str): Config file of lgd_mm, mmdet, mmseg or mmpretrain.
        student (str, optional): File to start ``model.backbone`` from. Defaults to None.
        allow_partial_student (bool): Start also if it fills only a part. Defaults to False.
        work_dir (str, optional): Defaults to the config's own, else ``work_dirs/NAME``.
        resume (str, optional): A checkpoint, or ``'auto'`` for the work dir's latest. Defaults to None.
        amp (str, optional): ``'fp16'``, ``'bf16'`` or ``'auto'``. Defaults to None.
        auto_scale_lr (bool): Scale the learning rate with the batch. Defaults to False.
        cfg_options (Mapping[str, Any], optional): Keys to overwrite in the config. Defaults to None.
        launcher (str): ``'none'``, ``'pytorch'``, ``'slurm'`` or ``'mpi'``. Defaults to ``'none'``.

    Returns:
        Runner: After training.

    Raises:
        UserError: If the user's set-up has a mistake. A run that fails before its first checkpoint leaves no new
            folder.
    """
    cfg = settings.load_config(config, cfg_options, work_dir, launcher)
    if amp:
        settings.set_precision(cfg, amp)
    if auto_scale_lr:
        settings.set_lr_scaling(cfg)
    _start_processes(cfg)
    preflight.check_data(cfg, 'train', 'val')
    preflight.check_work_dir(cfg.work_dir)
    weights = _set_resume(cfg, resume)
    if student:
        plug_student(cfg, student, allow_partial_student)

    with _user_errors(cfg):
        runner = _build(cfg)
        if weights is not None:
            preflight.check_weights(runner.model, weights, cfg.load_from)
        preflight.check_room(cfg.work_dir, runner.model)
        preflight.check_batches(runner)
        runner.train()
    _say(_next_step(config, cfg))
    return runner


def test(config: str,
         checkpoint: str,
         work_dir: str | None = None,
         out: str | None = None,
         cfg_options: Mapping[str, Any] | None = None,
         launcher: str = 'none') -> dict[str, float]:
    """Evaluate a checkpoint on a config's test set.

    Args:
        config (str): Config file of lgd_mm, mmdet, mmseg or mmpretrain.
        checkpoint (str): A checkpoint of that config's model.
        work_dir (str, optional): Defaults to the config's own, else ``work_dirs/NAME``.
        out (str, optional): File (``.pkl``) for all predictions. Defaults to None.
        cfg_options (Mapping[str, Any], optional): Keys to overwrite in the config. Defaults to None.
        launcher (str): ``'none'``, ``'pytorch'``, ``'slurm'`` or ``'mpi'``. Defaults to ``'none'``.

    Returns:
        dict[str, float]: The metrics.

    Raises:
        UserError: If the user's set-up has a mistake.
    """
    cfg = settings.load_config(config, cfg_options, work_dir, launcher)
    if not cfg.get('test_dataloader'):
        raise UserError(f'config {config} has no test_dataloader: there is nothing to test')
    if out and not out.endswith(('.pkl', '.pickle')):
        raise UserError(f'--out {out}: predictions are written as .pkl')
    _start_processes(cfg)
    preflight.check_data(cfg, 'test')
    preflight.check_work_dir(cfg.work_dir)
    state = load_checkpoint_file(checkpoint)
    cfg.load_from = checkpoint
    cfg.resume = False

    with _user_errors(cfg):
        runner = _build(cfg)
        preflight.check_weights(runner.model, state.get('state_dict', state), checkpoint)
        if out:
            # mmdet's own packs the masks of its predictions.
            dump = 'mmdet.DumpDetResults' if cfg.get('default_scope') == 'mmdet' else 'mmengine.DumpResults'
            runner.test_evaluator.metrics.append(METRICS.build(dict(type=dump, out_file_path=out)))
        return runner.test()


def _start_processes(cfg: Config) -> None:
    """Join the other processes; without GPUs they talk over gloo, which mmengine does not choose by itself."""
    preflight.check_processes(cfg.launcher)
    if cfg.launcher == 'none' or is_distributed():
        return
    if torch.cuda.is_available():
        init_dist(cfg.launcher, **(cfg.get('env_cfg') or {}).get('dist_cfg', dict(backend='nccl')))
        return
    torch.distributed.init_process_group('gloo')
    replaced = settings.set_cpu_processes(cfg)
    _say(f'no GPU here: {get_world_size()} processes on the CPU, over gloo'
         + ('; SyncBN, which needs GPUs, becomes BN' if replaced else ''))


def _build(cfg: Config) -> Runner:
    """The runner, without known noise."""
    runner = Runner.from_cfg(cfg)
    runner.logger.addFilter(lambda record: not record.getMessage().startswith(NOISE))
    return runner


def _set_resume(cfg: Config, resume: str | None) -> Mapping[str, torch.Tensor] | None:
    """Settle which checkpoint is resumed from; returns its weights."""
    if resume is None and cfg.get('resume'):
        resume = cfg.get('load_from') or 'auto'
    if resume is None:
        return None
    path = preflight.latest_checkpoint(cfg.work_dir) if resume == 'auto' else resume
    cfg.resume, cfg.load_from = path is not None, path and str(path)
    if path is None:
        _say(f'nothing to resume from in {cfg.work_dir}: a new run begins')
        return None
    return preflight.read_training_state(path)['state_dict']


@contextmanager
def _user_errors(cfg: Config) -> Iterator[None]:
    """Tell what is the user's to mend as a :class:`UserError`, and leave nothing half-written behind one."""
    made_here = not os.path.exists(cfg.work_dir)
    try:
        yield
    except UserError as error:
        _tidy(cfg.work_dir, made_here)
        # From a loader's worker, torch hands over the whole traceback as the message.
        raise UserError(str(error).strip().splitlines()[-1].removeprefix('lgd_mm.errors.UserError: ')) from error
    except KeyError as error:
        unknown = re.match(r"'?(\S+) is not in the (\S+) registry", str(error.args[0]) if error.args else '')
        if not unknown:
            raise
        _tidy(cfg.work_dir, made_here)
        key = settings.key_of_type(cfg._cfg_dict, unknown[1])
        raise UserError(f'{key or "the config"}: there is no {unknown[1]} in the {unknown[2]} registry') from error
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise
        _tidy(cfg.work_dir, made_here)
        raise UserError(f'work dir {cfg.work_dir} cannot be written to ({error.strerror}): free some room or give '
                        'another with --work-dir FOLDER, then go on with --resume') from error


def _tidy(work_dir: str, made_here: bool) -> None:
    """Remove a new work dir without a checkpoint, and cut-off checkpoints in any."""
    if get_rank() != 0:
        return
    if made_here and not os.path.exists(os.path.join(work_dir, 'last_checkpoint')):
        shutil.rmtree(work_dir, ignore_errors=True)
    for path in Path(work_dir).glob('*.pth'):
        if not zipfile.is_zipfile(path):
            path.unlink()


def _next_step(config: str, cfg: Config) -> str:
    """The command a user is likely to type after training."""
    student = Path(cfg.work_dir) / 'student.safetensors'
    if student.is_file():
        names = {'ResNet': f'r{cfg.model.backbone.get("depth")}', 'MobileNetV2': 'mobilenetv2'}
        name = names.get(cfg.model.backbone.type.split('.')[-1], 'STUDENT')
        return f'next: python tools/train.py configs/coco/mask-rcnn_{name}_fpn_1x_coco.py --student {student}'
    latest = preflight.latest_checkpoint(cfg.work_dir)
    if latest and cfg.get('test_dataloader'):
        return f'next: python tools/test.py {config} {latest}'
    return f'done: {cfg.work_dir}'


def _say(line: str) -> None:
    if get_rank() == 0:
        print(line, flush=True)
