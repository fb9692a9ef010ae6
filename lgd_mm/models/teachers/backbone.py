"""Any image backbone as a frozen teacher without text."""

from typing import Any

from torch import Tensor

from lgd_mm.errors import UserError
from lgd_mm.io.key_report import KeyReport, named
from lgd_mm.io.networks import find_network, prefix_of
from lgd_mm.io.safe_load import load_checkpoint_file
from lgd_mm.models.features import feature_channels, mean_pool
from lgd_mm.models.teachers.base import Teacher
from lgd_mm.models.teachers.weights import state_digest
from lgd_mm.registry import MODELS
from lgd_mm.safety.bounded_build import bounded_build

PREFIX = 'backbone.'

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@MODELS.register_module()
class BackboneTeacher(Teacher):
    """A frozen mmpretrain or timm backbone trained with ImageNet's statistics, such as DINO's: it knows images and no
    language.

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
        feature = self.backbone(images)[-1]
        return feature[:, 0] if self.class_token else mean_pool(feature)

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
