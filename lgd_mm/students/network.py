"""The one network that is made of a student's file: normalisation, backbone, and the projection where there is one."""

import torch
import torch.nn.functional as F
from mmengine.config import Config
from torch import Tensor, nn

from lgd_mm.errors import UserError
from lgd_mm.io.key_report import KeyReport
from lgd_mm.models.common import IMAGENET_PREPROCESSOR
from lgd_mm.models.features import mean_pool
from lgd_mm.models.necks.projection import projection_of
from lgd_mm.safety.allow_list import checked
from lgd_mm.safety.bounded_build import bounded_build
from lgd_mm.students.backbone import build_backbone, describe, renamed_for
from lgd_mm.students.plug import compare_statistics, misfit
from lgd_mm.students.read import StudentFile
from lgd_mm.version import __version__


class Student(nn.Module):
    """A student in eval mode, with its normalisation: it takes RGB images in [0, 1].

    Args:
        file (StudentFile): Its weights, and what is known of it.
        cfg (Config, optional): Its ``model.backbone`` is filled with them. Defaults to None: the backbone that the
            file says.

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

    def __init__(self, file: StudentFile, cfg: Config | None = None) -> None:
        super().__init__()
        self.path, self.metadata, self.model = file.path, file.metadata, file.model
        self.file = file._replace(backbone={}, neck={}, pyramid={})  # what it says: the weights are in the modules
        self.image_size: int = file.image_size
        self.names, self.bank = file.names, file.bank
        statistics = {**{key: IMAGENET_PREPROCESSOR[key] for key in ('mean', 'std')}, **file.statistics}
        for key, values in statistics.items():
            self.register_buffer(key, torch.tensor(values).view(3, 1, 1) / 255, persistent=False)
        if cfg is None:
            model = dict(backbone=file.backbone_config, data_preprocessor=statistics)
            cfg = Config(dict(default_scope='mmpretrain', model=model))
        self.backbone = _filled_backbone(cfg, file)
        self.neck = _filled_projection(file) if file.neck else None
        self.eval()

    def normalise(self, images: Tensor) -> Tensor:
        """What the backbone takes, of RGB in [0, 1] (B, 3, H, W)."""
        return (images - self.mean) / self.std

    def maps(self, images: Tensor) -> tuple[Tensor, ...]:
        """Feature maps.

        Args:
            images (Tensor): RGB in [0, 1] (B, 3, H, W).

        Returns:
            tuple[Tensor, ...]: The backbone's outputs, the last one (B, d, h, w).
        """
        return tuple(self.backbone(self.normalise(images)))

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

    def outputs(self, images: Tensor) -> dict[str, Tensor]:
        """All that other runtimes are given, from one pass.

        Args:
            images (Tensor): RGB in [0, 1] (B, 3, H, W).

        Returns:
            dict[str, Tensor]: ``features``, the last map (B, d, h, w), or tokens (B, N, d); ``pooled`` (B, d); and with
            a projection ``embedding`` (B, D) of unit length.
        """
        maps = self.maps(images)
        outputs = dict(features=maps[-1], pooled=mean_pool(maps[-1]))
        if self.neck is not None:
            outputs['embedding'] = F.normalize(self.project(maps), dim=1)
        return outputs

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
            raise no_projection(self.path)

    @property
    def architecture(self) -> str:
        """``mmpretrain.ResNet, depth 18``: what its backbone is."""
        return describe(self.metadata.get('backbone'))


def no_projection(path: str) -> UserError:
    """The sentence about a student's file without the projection that names are compared by."""
    return UserError(f'{path} has no projection to a teacher, which names are compared by: give the folder of the '
                     'pre-training, or a checkpoint in it (epoch_N.pth), not student.safetensors')


def _filled_backbone(cfg: Config, file: StudentFile) -> nn.Module:
    """The backbone of a config, with all its weights from a file."""
    with bounded_build(file.backbone.values(), file.path):
        backbone = build_backbone(cfg)
    report = KeyReport.compare(backbone.state_dict(), renamed_for(backbone, file.backbone))
    if not report.complete:
        own = ', or give --backbone checkpoint' if file.metadata.get('backbone') else ''
        raise UserError(misfit(cfg, file, report) + own)
    compare_statistics(cfg, file)
    backbone.load_state_dict(file.backbone, strict=False)
    return backbone


def _filled_projection(file: StudentFile) -> nn.Module:
    """The projection of a file, with its weights."""
    config = checked(file.model.get('neck'), 'neck', file.path, 'model.neck', 'lgd_mm')
    try:
        with bounded_build(file.neck.values(), file.path):
            neck = projection_of(config, file.neck)
        neck.load_state_dict(file.neck)
    except (KeyError, TypeError, IndexError, RuntimeError) as error:
        reason = (str(error).strip().splitlines() or [''])[-1].strip()
        raise UserError(f'{file.path} has a projection (neck.*) that cannot be built ({reason}): it is of another '
                        f'version than lgd_mm {__version__}; use it with the version that trained it') from error
    return neck
