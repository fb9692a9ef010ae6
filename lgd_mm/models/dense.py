"""Dense language guidance: the textual bank read at every position, not only once for each image."""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from lgd_mm.datasets.views.crops import Crops
from lgd_mm.errors import UserError
from lgd_mm.models.common import check_number
from lgd_mm.models.losses import alignment_loss, cosine_loss, dense_textual_loss
from lgd_mm.models.necks.lgka import LGKA
from lgd_mm.models.necks.pyramid import resized
from lgd_mm.models.necks.pyramid_between import pyramid_between
from lgd_mm.models.structure import StructureGuidance
from lgd_mm.models.teachers.base import Taught
from lgd_mm.registry import MODELS


@MODELS.register_module()
class DenseGuidance(BaseModule):
    """What a student learns of positions, beside any method that teaches it of images.

    The teacher embeds positions as if its last attention were on each of them alone; the student's maps meet in a
    pyramid that leads into the same space, and are compared where the teacher's are::

        images --+-- teacher (frozen) -- map (B, D, h, w) ------------+
                 |                                                    +-- textual bank: loss at every position
                 +-- backbone -- maps of strides 8, 16, 32 -- pyramid +

    From a cache there are no maps, but the embeddings of crops: then the pyramid's means over their boxes meet those.

    The loss is ``textual * L_dt + feature * L_df + visual * L_dv + mimicking * L_m``: L_dt aligns the distributions
    over the names at each position, L_df and L_m pull the embeddings of positions and of images to the teacher's, and
    L_dv aligns the distributions over a visual bank of positions. With a second teacher, ``structure`` adds how alike
    the positions of an image are: of what the pyramid merges, before it leads into the first one's space. Crops have
    L_dt and L_df, with the same weights.

    Args:
        backbone (nn.Module): The student's, with an output for each level of the pyramid, the finest first.
        teacher (Teacher): Gives the maps, or is that of a cache.
        pyramid (dict, optional): Of the projection; its widths may be left out. Defaults to None:
            :class:`lgd_mm.models.necks.PyramidProjection`.
        categories (str | list[str], optional): Names at positions, as of :class:`lgd_mm.LGKA`. Defaults to None: those
            of the method.
        templates (str | list[str], optional): Prompts for them, as of :class:`lgd_mm.LGKA`. Defaults to None.
        textual (float): Weight of the names at positions. Defaults to 3.
        feature (float): Weight of the features of positions. Defaults to 0.
        visual (float): Weight of a visual bank of positions. Defaults to 0.
        mimicking (float): Weight of the embeddings of images, for what the names do not say. Defaults to 0.
        structure (dict, optional): A second teacher, ``weight`` and ``temperature``, see :class:`StructureGuidance`.
            Defaults to None: none.
        agreement (float): Leave out positions whose name the teacher gives the whole image with a probability not
            above this, as with many names those of the background are noise; 0: none. Crops all count. Defaults to 0.
        background (float, optional): Similarity that stands for "none of the names" at positions, of student and
            teacher alike, so that the student learns what has no name; between the teacher's to what has one and to
            what has none. Defaults to None: each position has a name.
        student_temperature (float): Defaults to 0.2.
        teacher_temperature (float): Defaults to 0.01.
        init_cfg (dict, optional): As in mmengine. Defaults to None.

    Raises:
        UserError: If a value lies outside its range, or student or teacher have no maps.
    """

    def __init__(self,
                 backbone: nn.Module,
                 teacher: Any,
                 pyramid: dict[str, Any] | None = None,
                 categories: str | Sequence[str] | None = None,
                 templates: str | Sequence[str] | None = None,
                 textual: float = 3.,
                 feature: float = 0.,
                 visual: float = 0.,
                 mimicking: float = 0.,
                 structure: dict[str, Any] | None = None,
                 agreement: float = 0.,
                 background: float | None = None,
                 student_temperature: float = 0.2,
                 teacher_temperature: float = 0.01,
                 init_cfg: dict[str, Any] | None = None) -> None:
        super().__init__(init_cfg)
        self.weights = dict(textual=textual, feature=feature, visual=visual, mimicking=mimicking)
        for name, weight in self.weights.items():
            check_number(f'model.dense.{name}', weight)
        if not textual + feature + visual:
            raise UserError('model.dense.textual, feature and visual are all 0, so nothing leads from positions into '
                            "the teacher's space: set one of them, or leave model.dense out")
        check_number('model.dense.agreement', agreement)
        if agreement >= 1:
            raise UserError(f'model.dense.agreement is {agreement}: it is a probability below 1')
        if background is not None:
            check_number('model.dense.background', background, -1, most=1)
        for name, value in dict(student_temperature=student_temperature,
                                teacher_temperature=teacher_temperature).items():
            check_number(f'model.dense.{name}', value, above=True)
        if teacher.has_maps:
            teacher.check_dense()
        elif visual or agreement:
            raise UserError(f'model.dense.visual and agreement are of positions, and {type(teacher).__name__} knows '
                            'crops alone: set them to 0')
        self.agreement, self.background = agreement, background
        self.temperatures = student_temperature, teacher_temperature
        self.pyramid = pyramid_between(pyramid, backbone, teacher.embed_dim)
        names = dict(categories=categories, templates=templates, teacher=teacher)
        #: Of the positions: names of their own, or a visual bank.
        self.lgka = LGKA(**names, positive_column=False) if categories is not None else None
        if templates is not None and self.lgka is None:
            raise UserError('model.dense.templates is given without model.dense.categories: give both, or '
                            'model.lgka.templates for the names of the method')
        if visual and self.lgka is None:
            raise UserError('model.dense.visual needs model.dense.categories: a visual bank has a row for each name')
        self.structure = StructureGuidance(**structure) if structure else None

    def check_names(self, given: bool) -> None:
        """See that there are names, if a loss needs them.

        Args:
            given (bool): Whether the method has some.

        Raises:
            UserError: If there are none.
        """
        if not given and self.lgka is None and (self.weights['textual'] or self.agreement):
            raise UserError('model.dense.textual and agreement need names, and the method has none: give '
                            'model.dense.categories, or set them to 0')

    def embed(self, features: Sequence[Tensor]) -> Tensor:
        """Embed every position of the student's finest map.

        Args:
            features (Sequence[Tensor]): The backbone's maps (B, d, H, W), the finest first.

        Returns:
            Tensor: (B, D, H, W), not normalised.
        """
        embedded: Tensor = self.pyramid(features)
        return embedded

    def loss(self, features: Sequence[Tensor], student: Tensor, taught: Taught, names: Tensor | None,
             inputs: Tensor) -> dict[str, Tensor]:
        """The losses of a batch, those without weight left out.

        Args:
            features (Sequence[Tensor]): The backbone's maps (B, d, H, W), the finest first.
            student (Tensor): The student's embeddings of the images (B, D), not normalised.
            taught (Taught): What the teacher says of images and positions, or crops.
            names (Tensor, optional): The method's textual bank (C, D).
            inputs (Tensor): The images (B, 3, H, W), normalised, for a second teacher.

        Returns:
            dict[str, Tensor]: Some of ``loss_dense_textual``, ``loss_dense_feature``, ``loss_dense_visual``,
            ``loss_dense_structure``, ``loss_crop_textual``, ``loss_crop_feature`` and ``loss_dense_mimicking``, each
            (), weighted.

        Raises:
            UserError: If names are wanted, and there are none; if the batch brings neither maps nor crops, or crops
                alone where positions are wanted.
        """
        if taught.dense is None and taught.crops is None:
            raise UserError('model.dense needs maps of the teacher or crops of a cache, and this batch brings none: '
                            'with lgd_mm.CachedImages, set train_dataloader.dataset.crops=4')
        if taught.dense is None and (self.weights['visual'] or self.agreement):
            raise UserError('model.dense.visual and agreement are of positions, and this batch brings crops alone: set '
                            'them to 0')
        self.check_names(names is not None)
        bank = names if self.lgka is None else self.lgka.textual_bank
        merged = self.pyramid.merge(features)
        image = unit(taught.embedding)
        losses = {}
        if taught.dense is not None:
            positions = self.pyramid.embed(resized(merged, taught.dense.shape[-2:]))
            losses.update(self._of_positions(positions, taught.dense, image, bank))
        if taught.crops is not None:
            losses.update(self._of_crops(merged, taught.crops, bank, inputs.shape[-2:]))
        if self.weights['mimicking']:
            losses['dense_mimicking'] = cosine_loss(unit(student), image)
        weighted = {f'loss_{name}': self.weights[name.rpartition('_')[2]] * loss for name, loss in losses.items()}
        if self.structure is not None and self.structure.weight:
            weighted['loss_dense_structure'] = self.structure(merged, inputs)
        return weighted

    def _of_positions(self, positions: Tensor, teacher: Tensor, image: Tensor,
                      bank: Tensor | None) -> dict[str, Tensor]:
        """The losses of maps (B, D, h, w), beside unit embeddings of the images (B, D)."""
        losses = {}
        with torch.autocast(positions.device.type, enabled=False):
            ours, theirs = unit(rows(positions)), unit(rows(teacher))  # (N, D)
            weight = self._agreement(theirs, image, bank) if self.agreement and bank is not None else None
            if self.weights['textual'] and bank is not None:
                losses['dense_textual'] = dense_textual_loss(
                    ours, theirs, bank, *self.temperatures, weight, self.background)
            if self.weights['feature']:
                losses['dense_feature'] = cosine_loss(ours, theirs, weight)
            if self.weights['visual'] and self.lgka is not None:
                losses['dense_visual'] = alignment_loss(self.lgka(ours, theirs)[1], *self.temperatures)
        return losses

    def _of_crops(self, merged: Tensor, crops: Crops, bank: Tensor | None, size: Sequence[int]) -> dict[str, Tensor]:
        """The losses of crops in images of a size (H, W); one that is not there adds nothing."""
        (height, width), (left, top, right, bottom) = size, crops.boxes.unbind(dim=-1)
        boxes = torch.stack((left / width, top / height, right / width, bottom / height), dim=-1)
        embedded = self.pyramid.embed_boxes(merged, boxes)  # (B, D, K, 1)
        losses = {}
        with torch.autocast(merged.device.type, enabled=False):
            ours, theirs = unit(rows(embedded)), unit(crops.embeddings.flatten(0, 1))  # (B * K, D)
            weight = crops.valid.flatten().float()
            if self.weights['textual'] and bank is not None:
                losses['crop_textual'] = dense_textual_loss(
                    ours, theirs, bank, *self.temperatures, weight, self.background)
            if self.weights['feature']:
                losses['crop_feature'] = cosine_loss(ours, theirs, weight)
        return losses

    def _agreement(self, positions: Tensor, images: Tensor, bank: Tensor) -> Tensor:
        """Which positions (N, ) have a name that their image (B, D) as a whole has, too."""
        probability = F.softmax(images @ bank.T / self.temperatures[1], dim=1)  # (B, C)
        label = (positions @ bank.T).argmax(dim=1).view(len(images), -1)
        return (probability.gather(1, label) > self.agreement).flatten().float()


def rows(positions: Tensor) -> Tensor:
    """A map (B, D, h, w) as rows (B * h * w, D)."""
    return positions.permute(0, 2, 3, 1).flatten(0, 2)


def unit(embeddings: Tensor) -> Tensor:
    """Embeddings (N, D) in float32, of unit length."""
    with torch.autocast(embeddings.device.type, enabled=False):
        return F.normalize(embeddings.float(), dim=1)
