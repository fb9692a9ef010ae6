"""What can be known to go wrong before a run has written anything."""

import os
import shutil
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from pathlib import Path
from shlex import quote
from typing import Any

import torch
from mmengine.config import Config
from mmengine.dataset import InfiniteSampler
from mmengine.dist import all_gather_object
from mmengine.runner import Runner
from torch import Tensor, nn

from lgd_mm.datasets.of_config import datasets_of
from lgd_mm.errors import ExhaustedError, UserError
from lgd_mm.io.key_report import KeyReport
from lgd_mm.models.bare_model import bare_model
from lgd_mm.preparation.recognise import dataset_name
from lgd_mm.teacher_cache.images import is_cached
from lgd_mm.teacher_cache.store import TeacherCache


def check_data(cfg: Config, *splits: str) -> None:
    """Look for the files and folders that datasets and evaluators name.

    Args:
        cfg (Config): The whole config.
        *splits (str): ``'train'``, ``'val'``, ``'test'``.

    Raises:
        UserError: If one is missing; names the path, the keys and how to set them.
    """
    missing: dict[str, list[str]] = {}
    for split in splits:
        for key, path in _named_paths(cfg, split):
            if '://' not in path and not os.path.exists(path):
                missing.setdefault(path, []).append(key)
    if missing:
        path, keys = next(iter(missing.items()))
        raise UserError(f'{path} does not exist ({", ".join(keys)}): put or link your data there, or give '
                        '--cfg-options ' + ' '.join(f'{key}=PATH' for key in keys) + _checker(cfg, keys[0]))


def _checker(cfg: Config, key: str) -> str:
    """The command that tells more of the data set a key belongs to, if there is one."""
    for _, dataset in datasets_of(cfg, key.partition('_')[0]):
        name = dataset_name(dataset, cfg.get('default_scope') or 'mmengine')
        if name:
            root, asked = dataset.get('data_root') or 'ROOT', dataset.get('question_file')
            root = quote(os.path.dirname(os.path.join(root, asked)) if asked else root)  # those lie beside the images
            return f'; python tools/prepare_dataset.py {name} {root} --check tells more'
    return ''


def _named_paths(cfg: Config, split: str) -> Iterator[tuple[str, str]]:
    """Keys and paths of a split; below a missing root only the root."""
    for key, dataset in datasets_of(cfg, split):
        if not _is_local(dataset) or _downloads_itself(dataset):
            continue
        root = dataset.get('data_root') or ''
        if root:
            yield f'{key}.data_root', root
        if root and not os.path.exists(root):
            continue
        prefix = dataset.get('data_prefix') or {}
        parts = {f'data_prefix.{part}': value for part, value in prefix.items()} if isinstance(
            prefix, Mapping) else dict(data_prefix=prefix)
        files = {name: dataset.get(name) for name in ('question_file', 'ann_file')}
        for part, value in {**files, **parts}.items():
            if value and isinstance(value, str):  # lists are of several files or of what is no path
                yield f'{key}.{part}', os.path.join(root, value)
    yield from _named_by_evaluators(f'{split}_evaluator', cfg.get(f'{split}_evaluator') or ())


def _named_by_evaluators(key: str, evaluators: Any) -> Iterator[tuple[str, str]]:
    """Of evaluators and of those within them; CocoMetric's ``metric`` is words."""
    for index, evaluator in enumerate([evaluators] if isinstance(evaluators, Mapping) else evaluators):
        if not isinstance(evaluator, Mapping):
            continue
        own = key if isinstance(evaluators, Mapping) else f'{key}.{index}'
        if isinstance(evaluator.get('ann_file'), str) and _is_local(evaluator):
            yield f'{own}.ann_file', evaluator['ann_file']
        yield from _named_by_evaluators(f'{own}.metric', evaluator.get('metric') or ())


def _is_local(node: Mapping[str, Any]) -> bool:
    """Whether a dataset or evaluator reads files of this machine; ``backend_args`` may name a store elsewhere."""
    return (node.get('backend_args') or {}).get('backend', 'local') in ('local', 'LocalBackend')


def _downloads_itself(dataset: Mapping[str, Any]) -> bool:
    """Whether it is one of mmpretrain's small datasets, which fetch what is missing unless told not to."""
    kind = str(dataset.get('type')).split('.')[-1]
    return kind in ('CIFAR10', 'CIFAR100', 'MNIST', 'FashionMNIST') and dataset.get('download', True)


def check_cache(cfg: Config) -> None:
    """See that cached images meet the teacher they were cached for: a batch brings its own embeddings, whichever
    teacher the model has.

    Raises:
        UserError: If it is another.
    """
    for key, dataset in datasets_of(cfg, 'train'):
        if not is_cached(dataset):
            continue
        teacher, cache = cfg.model.get('teacher') or {}, dataset['cache']
        if str(teacher.get('type')).split('.')[-1] != 'CachedTeacher':
            raise UserError(f'{key} brings the embeddings of a cache, but model.teacher is {teacher.get("type")}: set '
                            f"model.teacher=dict(_delete_=True, type='lgd_mm.CachedTeacher', cache={cache!r})")
        if TeacherCache(teacher['cache']).about['fingerprint'] != TeacherCache(cache).about['fingerprint']:
            raise UserError(f'model.teacher.cache {teacher["cache"]} and {key}.cache {cache} are of different '
                            'teachers: set both to the same folder')


def check_disk_space(work_dir: str, model: nn.Module) -> None:
    """Ask for disk space for a checkpoint: weights, and two values for each in the optimiser.

    Raises:
        UserError: If the disk has less.
    """
    needed = 3 * sum(tensor.nbytes for tensor in model.state_dict().values())
    free = shutil.disk_usage(work_dir).free
    if free < needed:
        raise ExhaustedError(f'work dir {work_dir} has {free / 2**20:.0f} MiB left, and a checkpoint may need '
                             f'{needed / 2**20:.0f} MiB: free some or give another with --work-dir FOLDER')


def check_batches(runner: Runner) -> None:
    """See that the training images make at least one batch, with ``drop_last`` fewer make none, and that processes
    that take steps together have as many batches each.

    Raises:
        UserError: If they make none, or one process has more than another.
    """
    loader = runner.train_loop.dataloader
    # Its length counts each image once, but it fills its batches by going round.
    endless = isinstance(getattr(loader.batch_sampler, 'sampler', loader.sampler), InfiniteSampler)
    images, lengths = len(loader.dataset), all_gather_object(len(loader))
    if images == 0 or (0 in lengths and not endless):
        size = runner.cfg.train_dataloader.get('batch_size', 1)
        processes = f' x {runner.world_size} processes' if runner.world_size > 1 else ''
        raise UserError(f'train_dataloader.dataset has {images} images, fewer than a batch of {size}{processes}: '
                        'give more images or --cfg-options train_dataloader.batch_size=N')
    learns = not str((runner.cfg.get('optim_wrapper') or {}).get('type')).endswith('ReadOnlyOptimWrapper')
    if learns and not endless and len(set(lengths)) > 1:
        raise UserError(f'train_dataloader gives the processes {" and ".join(map(str, lengths))} batches of an epoch, '
                        'and they take their steps together: give --cfg-options train_dataloader.sampler.round_up=True')


def check_weights(model: nn.Module, weights: Mapping[str, Tensor], path: str | Path) -> None:
    """Compare a checkpoint with the model it is meant for; mmengine only warns.

    Args:
        model (nn.Module): As built from the config; it takes the weights.
        weights (Mapping[str, Tensor]): The checkpoint's state dict.
        path (str | Path): Named in the error.

    Raises:
        UserError: If a value is no tensor, or a key is missing, unexpected or of another shape, once the modules have
            converted what they know of older versions; or from LGKA, which tells in words how its banks differ.
    """
    odd = next((key for key, value in weights.items()
                if not isinstance(value, Tensor) and not key.endswith('_extra_state')), None)
    if odd is not None:
        raise UserError(f'{path} holds a {type(weights[odd]).__name__} at {odd}, where a model has a tensor: it is no '
                        'checkpoint that mmengine or torch wrote; copy or download it again')
    inner = bare_model(model)
    renamed = OrderedDict((key.removeprefix('module.'), value) for key, value in weights.items())
    if hasattr(weights, '_metadata'):
        renamed._metadata = weights._metadata  # type: ignore[attr-defined]  # versions, for those conversions
    report = KeyReport.of_loading(inner, renamed)
    if report.differences:
        part = next((name for name, child in inner.named_children() if child.state_dict().keys() == renamed.keys()), '')
        if part and renamed:
            raise UserError(f'{path} holds model.{part} of the config alone: give a checkpoint of the whole training, '
                            f'such as epoch_1.pth in its folder, or a config whose model is that of model.{part}')
        raise UserError(f'{path} is a checkpoint of another model than the config describes: of {report.total} keys '
                        f'{", ".join(report.differences)}; give the config it was trained with')


def check_processes(launcher: str) -> None:
    """Compare the processes on this machine with its GPUs; without GPUs any number may run.

    Raises:
        UserError: If there are more processes than GPUs, or the launcher needs GPUs.
    """
    gpus = torch.cuda.device_count()
    processes = int(os.environ.get('LOCAL_WORLD_SIZE', 1))
    if gpus and processes > gpus:
        raise UserError(f'{processes} GPUs were asked for, but this machine has {gpus}: give {gpus} or fewer')
    if not gpus and launcher in ('slurm', 'mpi'):
        raise UserError(f'--launcher {launcher} needs GPUs, and there are none here: use tools/dist_train.sh CONFIG '
                        'PROCESSES for processes on the CPU')
