"""Features of a data set, computed in one pass and kept on disk."""

import hashlib
import json
import os
import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.runner import Runner
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.utils.data import DataLoader

from lgd_mm.console.progress import track
from lgd_mm.console.rank_zero import print_rank0
from lgd_mm.errors import UserError
from lgd_mm.io.files import replacing
from lgd_mm.models.common import IMAGENET_PREPROCESSOR, check_finite
from lgd_mm.models.features import mean_pool
from lgd_mm.models.teachers.weights import state_digest
from lgd_mm.registry import MODELS
from lgd_mm.students.network import Student
from lgd_mm.students.read import StudentFile


class Features(NamedTuple):
    """Of N images, in the order of their data set, on the CPU.

    Attributes:
        pooled (Tensor): Pooled last output of the backbone (N, d), float16.
        labels (Tensor): Classes (N, ), int64; :data:`lgd_mm.datasets.outliers.OUTLIER` of an image of none.
        embeddings (Tensor, optional): Projected features (N, D), float16; None for a student without projection.
        classes (Sequence[str], optional): Names of the classes, where the data set says them. Defaults to None.
    """

    pooled: Tensor
    labels: Tensor
    embeddings: Tensor | None
    classes: Sequence[str] | None = None

    def of(self, chosen: Tensor) -> 'Features':
        """Those of some images.

        Args:
            chosen (Tensor): Whether an image is one of them (N, ), bool.
        """
        embeddings = None if self.embeddings is None else self.embeddings[chosen]
        return Features(self.pooled[chosen], self.labels[chosen], embeddings, self.classes)


def features_of(cfg: Config, split: str, loader_cfg: Mapping[str, Any], file: StudentFile,
                student: Student) -> Features:
    """Read the features of a data set from ``WORK_DIR/features``, or compute them and keep them there.

    Args:
        cfg (Config): The whole config.
        split (str): Begins the name of the file on disk, and is named in messages.
        loader_cfg (Mapping[str, Any]): Config of the data loader, without shuffling or augmentation.
        file (StudentFile): The student's weights, which decide the features.
        student (Student): The network that is made of them.

    Returns:
        Features: Of all images.

    Raises:
        UserError: If there are no images or labels, the student is of another backbone, what it gives is not finite, or
            there is no disk space.
    """
    try:
        loader = Runner.build_dataloader(loader_cfg)
    except ValueError as error:
        if 'need at least one array' not in str(error):  # mmengine's words for an empty list
            raise
        raise UserError(f'{split}_dataloader.dataset has no images: put some there, or set its data_root, '
                        'data_prefix or ann_file') from error
    if 'gt_label' not in loader.dataset.get_data_info(0):
        raise UserError(f'{split}_dataloader.dataset has no labels: give a config for k-NN, linear probe or zero-shot '
                        'classification (configs/classification)')
    key = _fingerprint(cfg, loader_cfg, loader.dataset, file)
    path = Path(cfg.work_dir, 'features', f'{split}-{key[:16]}.safetensors')
    features = _read(path)
    if features is None:
        features = _compute(student, MODELS.build(_preprocessor(cfg)), loader, split)
        _write(path, features)
    print_rank0(f'features of {len(features.labels)} images ({split}): {path}')
    return features._replace(classes=loader.dataset.metainfo.get('classes'))


def _fingerprint(cfg: Config, loader_cfg: Mapping[str, Any], dataset: Any, file: StudentFile) -> str:
    """SHA-256 of all that decides the features: weights, networks, pipeline, and each image's entry and file."""
    settings = (cfg.model.backbone, file.model.get('neck'), _preprocessor(cfg), loader_cfg['dataset'])
    digest = hashlib.sha256(json.dumps(settings, default=str, sort_keys=True).encode())
    for weights in (file.backbone, file.neck):
        digest.update(state_digest(weights).encode())
    for index in range(len(dataset)):
        entry = dataset.get_data_info(index)
        digest.update(pickle.dumps(entry))
        if os.path.isfile(entry.get('img_path') or ''):  # else in another store, or in the entry itself
            stat = os.stat(entry['img_path'])
            digest.update(f'{stat.st_size} {stat.st_mtime_ns}'.encode())
    return digest.hexdigest()


def _preprocessor(cfg: Config) -> dict[str, Any]:
    """The config of a classifier's data preprocessor, as mmengine's runner and the classifiers settle it."""
    return {**IMAGENET_PREPROCESSOR, **(cfg.model.get('data_preprocessor') or cfg.get('data_preprocessor') or {})}


@torch.no_grad()
def _compute(student: Student, preprocessor: nn.Module, loader: DataLoader[Any], split: str) -> Features:
    device = get_device()
    student.to(device)
    preprocessor.to(device)
    pooled, labels, embeddings = [], [], []
    for batch in track(loader, f'features ({split})', len(loader)):
        data = preprocessor(batch)
        maps = student.backbone(data['inputs'])
        pooled.append(mean_pool(maps[-1]).half().cpu())
        labels.append(torch.cat([sample.gt_label for sample in data['data_samples']]).cpu())
        if student.neck is not None:
            embeddings.append(student.project(maps).half().cpu())
    features = Features(torch.cat(pooled), torch.cat(labels), torch.cat(embeddings) if embeddings else None)
    for values in (features.pooled, features.embeddings):
        if values is not None:
            check_finite(values)
    return features


def _read(path: Path) -> Features | None:
    """None if there is no file, or a damaged one."""
    try:
        tensors = load_file(path)
    except (FileNotFoundError, SafetensorError):
        return None
    return Features(tensors['pooled'], tensors['labels'], tensors.get('embeddings'))


def _write(path: Path, features: Features) -> None:
    """Write a whole file or none."""
    try:
        with replacing(path) as part:
            save_file({name: value for name, value in features._asdict().items() if isinstance(value, Tensor)}, part)
    except (OSError, SafetensorError) as error:
        raise UserError(f'the features cannot be written to {path.parent} ({error}): free disk space or give another '
                        'with --work-dir FOLDER') from error
