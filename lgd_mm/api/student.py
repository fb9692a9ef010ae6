"""A trained student as a module that is ready to use."""

from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.config import Config
from torch import Tensor, nn

from lgd_mm.errors import UserError
from lgd_mm.models.distiller import IMAGENET_PREPROCESSOR
from lgd_mm.models.features import mean_pool
from lgd_mm.runs.checkpoints import latest_checkpoint
from lgd_mm.students.frozen import FrozenStudent, StudentFile, read_student_file


class Student(nn.Module):
    """A student in eval mode, with its normalisation: it takes RGB images in [0, 1].

    Args:
        file (StudentFile): Its weights, and what is known of it.

    Attributes:
        backbone (nn.Module): Takes normalised images and returns a tuple of feature maps.
        neck (nn.Module, optional): The projection to the teacher's embeddings, of D dimensions; an exported student has
            none.
        metadata (dict[str, Any]): See :func:`lgd_mm.students.file.student_metadata`.
        image_size (int): Side of the views it was trained with, in pixels; 224 if that is not known.
        names (tuple[str, ...]): Of the C categories it was trained with, if they are known.
        bank (Tensor, optional): The teacher's embeddings of the names (C, D).

    Raises:
        UserError: If the file does not say of which backbone it is, or does not fill it.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, file: StudentFile) -> None:
        super().__init__()
        self.path, self.metadata, self.model = file.path, file.metadata, file.model
        self.file = file._replace(backbone={}, neck={})  # what it says: the weights are in the modules
        self.image_size: int = file.image_size
        self.names, self.bank = file.names, file.bank
        known = file.statistics
        statistics = {key: known.get(key) or IMAGENET_PREPROCESSOR[key] for key in ('mean', 'std')}
        frozen = FrozenStudent(backbone_config(file, statistics), file)
        self.backbone, self.neck = frozen.backbone, frozen.neck
        for key, values in statistics.items():
            self.register_buffer(key, torch.tensor(values).view(3, 1, 1) / 255, persistent=False)
        self.eval()

    def maps(self, images: Tensor) -> tuple[Tensor, ...]:
        """Feature maps.

        Args:
            images (Tensor): RGB in [0, 1] (B, 3, H, W).

        Returns:
            tuple[Tensor, ...]: The backbone's outputs, the last one (B, d, h, w).
        """
        return tuple(self.backbone((images - self.mean) / self.std))

    def forward(self, images: Tensor) -> Tensor:
        """Pooled features.

        Args:
            images (Tensor): RGB in [0, 1] (B, 3, H, W).

        Returns:
            Tensor: (B, d).
        """
        return mean_pool(self.maps(images)[-1])

    def embed(self, images: Tensor) -> Tensor:
        """Embeddings in the teacher's space, to be compared with those of texts.

        Args:
            images (Tensor): RGB in [0, 1] (B, 3, H, W).

        Returns:
            Tensor: (B, D), of unit length.

        Raises:
            UserError: If the file has no projection.
        """
        return F.normalize(self.project(self.maps(images)), dim=1)

    def project(self, maps: tuple[Tensor, ...]) -> Tensor:
        """Embeddings (B, D), not normalised, of the backbone's outputs.

        Raises:
            UserError: If the file has no projection.
        """
        self.check_projection()
        assert self.neck is not None
        embeddings: Tensor = self.neck(maps)
        return embeddings

    def check_projection(self) -> None:
        """See whether there is a projection to the teacher's embeddings.

        Raises:
            UserError: If there is none.
        """
        if self.neck is None:
            raise UserError(f'{self.path} has no projection to a teacher, which names are compared by: give the folder '
                            'of the pre-training, or a checkpoint in it (epoch_N.pth), not student.safetensors')


def load_student(path: str | Path) -> Student:
    """Load a student that is ready to use.

    Args:
        path (str | Path): Folder of a pre-training (its last checkpoint), a checkpoint, or an exported student
            (``student.safetensors``, ``student.pth``).

    Returns:
        Student: In eval mode, on the CPU.

    Raises:
        UserError: If the file is missing, damaged or unsafe, or does not say of which backbone it is.
    """
    return Student(read_student_file(find_student(path)))


def find_student(path: str | Path, bare: bool = False) -> Path:
    """The file of a student.

    Args:
        path (str | Path): A file, or the folder of a pre-training.
        bare (bool): Of a folder, take the exported student where there is one, instead of the last checkpoint. Defaults
            to False.

    Returns:
        Path: The file; it may not exist if the path is no folder.

    Raises:
        UserError: If the folder holds no student.
    """
    folder = Path(path)
    if not folder.is_dir():
        return folder
    exported = folder / 'student.safetensors'
    found = exported if bare and exported.is_file() else latest_checkpoint(str(folder))
    if found is None:
        found = exported
    if not found.is_file():
        raise UserError(f'{folder} holds no student: give the folder of a pre-training that has saved a checkpoint, or '
                        'a file')
    return found


def backbone_config(file: StudentFile, statistics: dict[str, Any]) -> Config:
    """A config that is the student's backbone and normalisation.

    Raises:
        UserError: If the file does not say of which backbone it is, or names what no file may build.
    """
    model = dict(backbone=file.backbone_config, data_preprocessor=statistics)
    return Config(dict(default_scope='mmpretrain', model=model))
