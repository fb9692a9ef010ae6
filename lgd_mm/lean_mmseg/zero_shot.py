"""Segmentation by names, without a label: every position against a textual bank."""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.config import ConfigDict
from mmengine.structures import PixelData
from mmseg.models.segmentors import BaseSegmentor, EncoderDecoder
from mmseg.structures import SegDataSample
from torch import Tensor

from lgd_mm.errors import UserError
from lgd_mm.language import category_names
from lgd_mm.lean_mmseg.refinement import affinities, refine
from lgd_mm.models.common import IMAGENET_PREPROCESSOR, check_number
from lgd_mm.models.necks.pyramid_between import pyramid_between
from lgd_mm.models.zero_shot import bank_of_names
from lgd_mm.registry import MODELS

#: Similarities of pixels to names that are looked at together: 64 MB of float32, a few times in memory.
BLOCK = 2**24
#: Pixels of the coarsest position of convolutions: of an image of whole multiples, no map rounds its sides.
COARSEST = 32
#: What a student without names at positions is told.
NO_PYRAMID = ('the checkpoint holds no dense.pyramid.*: segmentation by names needs a checkpoint (epoch_N.pth) of a '
              'pre-training with model.dense, such as configs/lgd/r18_dense_pretrain.py')


class NamedSegmentor(BaseSegmentor):
    """Gives each pixel the name that the embedding of its position is most similar to.

    Args:
        text (Teacher): Encodes the names.
        categories (str | list[str]): Whatever :func:`lgd_mm.language.category_names` takes, in the order of the labels,
            those of ``background`` left out.
        templates (str | list[str], optional): Prompts with one ``{}`` each, or a text file of them. Defaults to None:
            OpenAI's 80.
        background (float, optional): Pixels whose best similarity is below this get label 0, and the names begin at 1.
            Defaults to None: each pixel has a name.
        refinement (int): How often the similarities of each pixel become the mean of its neighbours', of which those
            count that look like it, see :mod:`lgd_mm.lean_mmseg.refinement`; 10 in its paper. Defaults to 0.
        data_preprocessor (dict, optional): Its ``mean`` and ``std`` are those of the student's pre-training.

    Raises:
        UserError: If the names, the background or the refinement cannot be used.
    """

    textual_bank: Tensor
    #: What the sides of images are padded to multiples of, in pixels, so that positions share them evenly.
    multiple = 1

    def __init__(self, text: Any, categories: str | Sequence[str], templates: str | Sequence[str] | None,
                 background: float | None, refinement: int, data_preprocessor: dict[str, Any] | None) -> None:
        super().__init__(data_preprocessor)
        if type(refinement) is not int or not 0 <= refinement <= 100:
            raise UserError(f'model.refinement is {refinement!r}: it is a number of iterations, from 0 to 100')
        self.refinement = refinement
        if background is not None:
            check_number('model.background', background, -1, most=1)
        self.background = background
        names = list(category_names(categories))
        bank = bank_of_names(text, categories, templates)  # type: ignore[arg-type]
        self.register_buffer('textual_bank', bank, persistent=False)
        self.dataset_meta = dict(classes=names if background is None else ['background', *names])

    def embed(self, inputs: Tensor) -> Tensor:
        """Embed the positions of normalised images (B, 3, H, W) as (B, D, h, w), not normalised."""
        raise NotImplementedError

    def similarities(self, inputs: Tensor) -> Tensor:
        """Cosine similarities of positions to names.

        Args:
            inputs (Tensor): Normalised images (B, 3, H, W).

        Returns:
            Tensor: (B, C, h, w), of the images padded at the right and at the bottom to :meth:`padded_size`.

        Raises:
            UserError: If the student is of another teacher.
        """
        (height, width), (rows, columns) = inputs.shape[-2:], self.padded_size(inputs)
        embeddings = self.embed(F.pad(inputs, (0, columns - width, 0, rows - height))).float()
        if embeddings.shape[1] != self.textual_bank.shape[1]:
            raise UserError(f'the positions of the student have {embeddings.shape[1]} dimensions, and the names '
                            f'{self.textual_bank.shape[1]}: give the teacher that the student was trained with')
        with torch.autocast(inputs.device.type, enabled=False):  # close names differ by less than half precision shows
            return torch.einsum('bdhw,cd->bchw', F.normalize(embeddings, dim=1), self.textual_bank)

    def padded_size(self, image: Tensor) -> tuple[int, int]:
        """Height and width of what an image (..., H, W) is padded to."""
        height, width = (-(-side // self.multiple) * self.multiple for side in image.shape[-2:])
        return height, width

    def pixels(self, similarity: Tensor, image: Tensor) -> Tensor:
        """Similarities (B, C, H, W) of the pixels of an image (..., H, W), from those of its positions (B, C, h, w)."""
        height, width = image.shape[-2:]
        return F.interpolate(similarity, self.padded_size(image), mode='bilinear')[..., :height, :width]

    def predict(self, inputs: Tensor, data_samples: list[SegDataSample] | None = None) -> list[SegDataSample]:
        """Segment images.

        Args:
            inputs (Tensor): Normalised images (B, 3, H, W).
            data_samples (list[SegDataSample], optional): Filled with ``pred_sem_seg`` (1, H, W), of the size of the
                original images. Defaults to None: of the size of the inputs.

        Returns:
            list[SegDataSample]: One for each image.
        """
        samples = data_samples or [SegDataSample() for _ in inputs]
        for similarity, image, sample in zip(self.similarities(inputs), inputs, samples):
            labels = self._labels(similarity, image, sample.metainfo)
            sample.pred_sem_seg = PixelData(data=labels[None])
        return samples

    def _labels(self, similarity: Tensor, image: Tensor, about: dict[str, Any]) -> Tensor:
        """The best name of each pixel, by a block of names after another.

        Args:
            similarity (Tensor): Of positions (C, h, w).
            image (Tensor): The input, padding included (3, H, W).
            about (dict): Of the image: its padding and original size, as mmseg has them.

        Returns:
            Tensor: Labels (H, W), int64.
        """
        size = image.shape[-2:]
        left, right, top, bottom = about.get('img_padding_size', about.get('padding_size', [0] * 4))
        original = tuple(about.get('ori_shape', (size[0] - top - bottom, size[1] - left - right)))[:2]
        inside = (..., slice(top, size[0] - bottom), slice(left, size[1] - right))
        affinity = affinities(image[None][inside].float()) if self.refinement else None
        largest = max(original[0] * original[1], size[0] * size[1])
        best, labels = None, None
        first = 0
        for names in similarity.split(max(1, BLOCK // largest)):
            pixels = self.pixels(names[None], image)[inside]
            if affinity is not None:
                pixels = refine(pixels, affinity, self.refinement)
            value, label = F.interpolate(pixels, original, mode='bilinear')[0].max(dim=0)
            if best is None or labels is None:
                best, labels = value, label
            else:
                labels = torch.where(value > best, label + first, labels)
                best = torch.maximum(value, best)
            first += len(names)
        assert best is not None and labels is not None, 'a bank has names'
        return labels if self.background is None else torch.where(best < self.background, 0, labels + 1)

    def loss(self, inputs: Tensor, data_samples: Any = None) -> dict[str, Tensor]:
        """It is not trained."""
        raise UserError(f'lgd_mm.{type(self).__name__} is only tested: use tools/test.py CONFIG CHECKPOINT')

    def _forward(self, inputs: Tensor, data_samples: Any = None) -> Any:
        return self.similarities(inputs)

    def extract_feat(self, inputs: Tensor) -> Any:
        """The embeddings of positions."""
        return self.embed(inputs)

    def encode_decode(self, inputs: Tensor, batch_data_samples: Any = None) -> Tensor:
        """Similarities of pixels (B, C, H, W), as mmseg's segmentors have logits."""
        return self.pixels(self.similarities(inputs), inputs)


@MODELS.register_module()
class ZeroShotSegmentor(NamedSegmentor):
    """A student of a dense pre-training, which keeps its pyramid: ``backbone.*`` and ``dense.pyramid.*`` of the
    checkpoint are read.

    Args:
        backbone (dict): The student's, as it was pre-trained.
        teacher (dict): The one it was trained with; only its text tower is used.
        categories (str | list[str]): See :class:`NamedSegmentor`.
        pyramid (dict, optional): As of :class:`lgd_mm.DenseGuidance`. Defaults to None.
        templates (str | list[str], optional): See :class:`NamedSegmentor`. Defaults to None.
        background (float, optional): See :class:`NamedSegmentor`. Defaults to None.
        refinement (int): See :class:`NamedSegmentor`. Defaults to 0.
        data_preprocessor (dict, optional): See :class:`NamedSegmentor`. Defaults to None: mmseg's with ImageNet's
            statistics.

    Raises:
        UserError: If the names cannot be used, or the checkpoint has no pyramid.
    """

    def __init__(self,
                 backbone: dict[str, Any],
                 teacher: dict[str, Any],
                 categories: str | Sequence[str],
                 pyramid: dict[str, Any] | None = None,
                 templates: str | Sequence[str] | None = None,
                 background: float | None = None,
                 refinement: int = 0,
                 data_preprocessor: dict[str, Any] | None = None) -> None:
        text = MODELS.build(teacher)
        super().__init__(text, categories, templates, background, refinement, data_preprocessor or PREPROCESSOR)
        self.backbone = MODELS.build(backbone)
        self.pyramid = pyramid_between(pyramid, self.backbone, text.embed_dim, 'model')
        if not hasattr(getattr(self.backbone, 'timm_model', self.backbone), 'patch_embed'):  # whose sizes are its own
            self.multiple = COARSEST
        self.register_load_state_dict_pre_hook(_keep_student)

    def embed(self, inputs: Tensor) -> Tensor:
        """Embed the positions of normalised images (B, 3, H, W) as (B, D, h, w), not normalised."""
        positions: Tensor = self.pyramid(self.backbone(inputs))
        return positions


@MODELS.register_module()
class TeacherSegmentor(NamedSegmentor):
    """A teacher by itself, to see what its positions know: ``tools/test.py CONFIG`` needs no checkpoint for it.

    A teacher of convolutions is shown the image as it is. Another takes images of one size, at which most would lose
    their proportions and their detail: it is shown windows of that size, half of it apart, whose similarities, of all
    pixels to all names, are averaged.

    Args:
        teacher (dict): With embeddings of positions, see :class:`lgd_mm.OpenCLIPTeacher`.
        categories (str | list[str]): See :class:`NamedSegmentor`.
        templates (str | list[str], optional): See :class:`NamedSegmentor`. Defaults to None.
        background (float, optional): See :class:`NamedSegmentor`. Defaults to None.
        refinement (int): See :class:`NamedSegmentor`. Defaults to 0.
        data_preprocessor (dict, optional): Of what the images are normalised with, before the teacher undoes it.
            Defaults to None: mmseg's with ImageNet's statistics.

    Raises:
        UserError: If the names cannot be used, or the teacher has no embeddings of positions.
    """

    brings_weights = True

    def __init__(self,
                 teacher: dict[str, Any],
                 categories: str | Sequence[str],
                 templates: str | Sequence[str] | None = None,
                 background: float | None = None,
                 refinement: int = 0,
                 data_preprocessor: dict[str, Any] | None = None) -> None:
        network = MODELS.build(teacher)
        network.check_dense()
        if network.takes_any_size:
            network.image_size, self.multiple = None, COARSEST
        super().__init__(network, categories, templates, background, refinement, data_preprocessor or PREPROCESSOR)
        self.out_channels = len(self.textual_bank)  # with test_cfg, what mmseg's sliding windows are told by
        window = network.image_size
        self.test_cfg = window and ConfigDict(crop_size=window, stride=[max(1, side // 2) for side in window])
        network.release_text()
        network.set_input_statistics(self.data_preprocessor.mean, self.data_preprocessor.std)
        self.teacher = network

    def embed(self, inputs: Tensor) -> Tensor:
        """Embed the positions of normalised images (B, 3, H, W) as (B, D, h, w), not normalised."""
        positions: Tensor = self.teacher.dense(inputs)
        return positions

    def similarities(self, inputs: Tensor) -> Tensor:
        """Cosine similarities to names, of positions (B, C, h, w) or, by windows, of pixels (B, C, H, W)."""
        if self.test_cfg is None:
            return super().similarities(inputs)
        pixels: Tensor = EncoderDecoder.slide_inference(self, inputs, [{}])
        return pixels

    def encode_decode(self, inputs: Tensor, batch_data_samples: Any = None) -> Tensor:
        """Similarities of the pixels (B, C, H, W) of a window, or of the whole image."""
        return self.pixels(super().similarities(inputs), inputs)


#: Of pre-training's statistics; images keep their size.
PREPROCESSOR = {
    **{key: IMAGENET_PREPROCESSOR[key] for key in ('mean', 'std')}, 'type': 'lgd_mm.SegDataPreProcessor',
    'bgr_to_rgb': True}


def _keep_student(module: ZeroShotSegmentor, state_dict: dict[str, Any], *args: Any) -> None:
    """Of a pre-training's checkpoint, backbone and pyramid are wanted."""
    prefix = 'dense.pyramid.'
    if not any(key.startswith(prefix) for key in state_dict):
        several = ' or '.join(sorted({f'{key.split(".")[1]}.pth' for key in state_dict if f'.{prefix}' in key}))
        raise UserError(f'the checkpoint is of several students: give {several}, which lie beside it at the end of the '
                        'run' if several else NO_PYRAMID)
    for key in list(state_dict):
        value = state_dict.pop(key)
        if key.startswith(prefix):
            state_dict[key.removeprefix('dense.')] = value
        elif key.startswith('backbone.'):
            state_dict[key] = value
