"""Any image backbone as a frozen teacher without text."""

from typing import Any

import torch
from torch import Tensor, nn

from lgd_mm.errors import UserError
from lgd_mm.io.key_report import KeyReport, named
from lgd_mm.io.networks import find_network, prefix_of
from lgd_mm.io.safe_load import load_checkpoint_file
from lgd_mm.models.features import feature_channels, mean_pool, own_size
from lgd_mm.models.teachers.base import Teacher
from lgd_mm.models.teachers.dense_tower import as_map
from lgd_mm.models.teachers.weights import state_digest
from lgd_mm.registry import MODELS
from lgd_mm.safety.bounded_build import bounded_build

PREFIX = 'backbone.'

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@MODELS.register_module()
class BackboneTeacher(Teacher):
    """A frozen mmpretrain or timm backbone trained with ImageNet's statistics, such as DINO's: it knows images and no
    language. Its embeddings of positions are its last map, or its last tokens but those of the class and registers.

    Args:
        backbone (dict): E.g. ``dict(type='mmpretrain.TIMMBackbone', model_name='vit_small_patch16_224.dino',
            pretrained=True)``, whose weights timm downloads.
        checkpoint (str, optional): A file with ``backbone.`` keys instead: a student, or a checkpoint of mmpretrain or
            lgd_mm. Defaults to None.
        class_token (bool): Take the first token of the last feature (B, N, D) instead of the mean over positions.
            Defaults to False.
        image_size (int, optional): Height and width it takes. Defaults to None: any.
        precision (str): ``'fp32'``, ``'bf16'`` or ``'fp16'``. Defaults to ``'fp32'``.

    Raises:
        UserError: If there are no weights, or they do not fill the backbone.
    """

    def __init__(self,
                 backbone: dict[str, Any],
                 checkpoint: str | None = None,
                 class_token: bool = False,
                 image_size: int | None = None,
                 precision: str = 'fp32') -> None:
        super().__init__(IMAGENET_MEAN, IMAGENET_STD, (image_size, image_size) if image_size else None, precision)
        if checkpoint is not None:
            self._load(backbone, checkpoint)
        elif backbone.get('pretrained'):
            self.backbone = MODELS.build(backbone)
        else:
            raise UserError('model.teacher has random weights: set model.teacher.checkpoint=FILE, or '
                            'model.teacher.backbone.pretrained=True for weights that timm downloads')
        self.class_token = class_token
        self.embed_dim = feature_channels(self.backbone)
        self.fingerprint = state_digest(self.backbone.state_dict())
        self.freeze()

    def encode_image(self, images: Tensor) -> Tensor:
        """Embed images (B, 3, H, W) of the teacher's own statistics and size as (B, D)."""
        return self._pooled(self.backbone(images)[-1])

    def check_dense(self) -> None:
        """See that the network gives positions.

        Raises:
            UserError: If it gives vectors, or tokens that lie on no grid, or takes no images of its size.
        """
        side = own_size(self.backbone)
        size = self.image_size or (side, side)
        weight = next(self.backbone.parameters(), torch.zeros(0))
        try:
            with torch.no_grad():
                feature = self.backbone(torch.zeros(1, 3, *size, device=weight.device, dtype=weight.dtype))[-1]
        except (AssertionError, RuntimeError, ValueError) as error:
            raise UserError(f'model.teacher.image_size is {size[0]}, and its backbone takes {side} pixels alone: set '
                            f'image_size={side}, or the backbone to that size (img_size={size[0]} of timm)') from error
        self._positions(feature, size)

    def encode_both(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Embed images as :meth:`encode_image` does, and their positions as (B, D, h, w)."""
        feature = self.backbone(images)[-1]
        return self._pooled(feature), self._positions(feature, (images.shape[2], images.shape[3]))

    def _pooled(self, feature: Tensor) -> Tensor:
        """From the last feature to vectors (B, D)."""
        return feature[:, 0] if self.class_token else mean_pool(feature)

    def _positions(self, feature: Tensor, size: tuple[int, int]) -> Tensor:
        """From the last feature, of images of a height and width, to a map (B, D, h, w)."""
        if feature.dim() == 4:
            return feature
        if feature.dim() == 3:
            patches = feature.shape[1] - _tokens_before(self.backbone, self.class_token)
            height = round((patches * size[0] / size[1])**0.5) if patches > 0 else 0
            if height and patches % height == 0 and abs(patches // height * size[0] - height * size[1]) < max(size):
                return as_map(feature[:, -patches:], height)
        kind = type(getattr(self.backbone, 'timm_model', self.backbone)).__name__
        raise UserError(f'{kind} as a teacher gives {tuple(feature.shape)}, neither a map (B, D, h, w) nor tokens on a '
                        "grid, so it knows no positions: give another backbone (one of mmpretrain with out_type='raw' "
                        'or featmap), or leave out what needs its positions')

    def _load(self, backbone: dict[str, Any], path: str) -> None:
        """Fill every key of the backbone from a file, or say why not."""
        state = find_network(load_checkpoint_file(path), path).state
        with bounded_build(state.values(), path):
            self.backbone = MODELS.build(backbone)
        own = self.backbone.state_dict()
        prefix = PREFIX if any(key.startswith(PREFIX) for key in state) else prefix_of(state, own, path)
        weights = {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
        report = KeyReport.compare(own, weights)
        if not report.complete:
            raise UserError(f'model.teacher.checkpoint {path} fills {len(report.matched)} of {report.total} keys of '
                            f'model.teacher.backbone (not {named(report.lacking)}): set the backbone it was trained '
                            'with')
        self.backbone.load_state_dict(weights, strict=False)


def _tokens_before(backbone: nn.Module, class_token: bool) -> int:
    """How many tokens come before those of patches: of the class, of distillation, registers."""
    network: Any = getattr(backbone, 'timm_model', backbone)
    for name in ('num_prefix_tokens', 'num_extra_tokens'):  # of timm, of mmpretrain
        if isinstance(getattr(network, name, None), int):
            count: int = getattr(network, name)
            return count
    return int(class_token or getattr(network, 'cls_token', None) is not None)
