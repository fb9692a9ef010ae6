"""The training images as the networks see them without augmentation."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from mmengine.config import Config
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, Subset

from lgd_mm.datasets import UnlabelledImages
from lgd_mm.datasets.loading import UnreadableImage
from lgd_mm.registry import DATASETS
from lgd_mm.teacher_cache.images import is_cached, without_cache

BATCH_SIZE = 64


class PlainImages(Dataset[Tensor | None]):
    """The middle of each training image, in the size of the views.

    Args:
        cfg (Config): Of a pre-training on :class:`lgd_mm.datasets.UnlabelledImages`; the images are where its
            ``train_dataloader`` says.

    Raises:
        UserError: If they are not there.
    """

    def __init__(self, cfg: Config) -> None:
        dataset = cfg.train_dataloader.dataset.copy()
        self.size = view_size(dataset.pipeline)
        if is_cached(dataset):  # the cached views are crops: the images are wanted
            dataset = without_cache(dataset)
        dataset.pipeline = [
            dataset.pipeline[0],
            dict(type='mmpretrain.ResizeEdge', scale=self.size, edge='short', backend='pillow'),
            dict(type='mmpretrain.CenterCrop', crop_size=self.size),
            dict(type='mmpretrain.PackInputs'),
        ]
        self.images: UnlabelledImages = DATASETS.build(dataset)

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> Tensor | None:
        """An image as BGR bytes (3, S, S); None if it cannot be read."""
        try:
            inputs: Tensor = self.images.prepare_data(index)['inputs']
        except UnreadableImage:
            return None
        return inputs

    def image(self, index: int) -> Image.Image:
        """An image that can be read."""
        inputs = self.images.prepare_data(index)['inputs']
        return Image.fromarray(inputs.flip(0).permute(1, 2, 0).numpy())

    def sample(self, count: int) -> list[int]:
        """At most ``count`` indices, evenly spaced over the set."""
        return [int(index) for index in np.unique(np.linspace(0, len(self) - 1, count).round())]


def as_batch(image: Image.Image) -> Tensor:
    """An image as BGR bytes (1, 3, H, W), which a preprocessor takes."""
    return torch.from_numpy(np.array(image)).flip(2).permute(2, 0, 1).unsqueeze(0)


def view_size(pipeline: Sequence[dict[str, Any]]) -> int:
    """Side of the views that a training pipeline cuts out, in pixels; 224 if it does not say."""
    sizes = [step.get('size', step.get('scale')) for step in pipeline
             if step['type'].split('.')[-1] in ('RandomView', 'RandomResizedCrop')]
    size = next(filter(None, sizes), 224)
    return size if isinstance(size, int) else size[0]


@torch.no_grad()
def embed_images(images: PlainImages, indices: Sequence[int], preprocessor: nn.Module, teacher: nn.Module,
                   workers: int) -> tuple[list[int], Tensor]:
    """The teacher's embeddings of images.

    Args:
        images (PlainImages): The images.
        indices (Sequence[int]): Which of them.
        preprocessor (nn.Module): The student's.
        teacher (nn.Module): Takes the student's images.
        workers (int): Processes that read images.

    Returns:
        tuple[list[int], Tensor]: The indices of those that can be read, and their embeddings (N, D) of unit length, on
        the CPU.
    """
    loader = DataLoader(Subset(images, indices), BATCH_SIZE, num_workers=workers, collate_fn=_readable,
                        generator=torch.Generator())  # its own: the run's random numbers stay as they are
    kept: list[bool] = []
    embeddings = []
    for readable, inputs in loader:
        kept += readable
        if any(readable):
            embeddings.append(teacher(preprocessor(dict(inputs=inputs), False)['inputs']).cpu())
    return ([index for index, is_kept in zip(indices, kept) if is_kept],
            F.normalize(torch.cat(embeddings), dim=1) if embeddings else torch.empty(0, 0))


def _readable(batch: Sequence[Tensor | None]) -> tuple[list[bool], Tensor]:
    """Which of the images can be read, and those in one tensor."""
    tensors = [inputs for inputs in batch if inputs is not None]
    return [inputs is not None for inputs in batch], torch.stack(tensors) if tensors else torch.empty(0)
