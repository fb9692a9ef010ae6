"""Views in a pipeline."""

from typing import Any

import cv2
import torch
from mmcv.transforms import BaseTransform

from lgd_mm.datasets.views import opencv
from lgd_mm.datasets.views.crops import Crops
from lgd_mm.datasets.views.recipe import Recipe
from lgd_mm.registry import TRANSFORMS

# The loader's workers are the threads.
cv2.setNumThreads(0)


@TRANSFORMS.register_module()
class RandomView(BaseTransform):
    """Draws a view by MoCo v2's recipe, crops it and, unless the device is to do it, colours it.

    A view that is there already (``results['view']``, from a teacher cache) is taken as it is.

    Args:
        size (int): Height and width of the view, in pixels. Defaults to 224.
        colour (bool): Colour it here; else :class:`lgd_mm.PackView` hands the view on to ``lgd_mm.ViewPreprocessor``,
            which colours whole batches on the device. Defaults to False.
        **recipe (Any): See :class:`lgd_mm.datasets.views.recipe.Recipe`.
    """

    def __init__(self, size: int = 224, colour: bool = False, **recipe: Any) -> None:
        self.size, self.colour, self.recipe = size, colour, Recipe(**recipe)

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Replace ``img`` (H, W, 3) by its view (size, size, 3), both BGR uint8; add ``view`` and ``coloured``."""
        view = results.get('view') or self.recipe.draw(*results['img'].shape[:2])
        image = opencv.crop(results['img'], view, self.size)
        if self.colour:
            image = opencv.colour(image, view)
        return {**results, 'img': image, 'view': view, 'coloured': self.colour}


@TRANSFORMS.register_module()
class PackView(BaseTransform):
    """Ends a pipeline with :class:`lgd_mm.RandomView`: pixels as uint8, and what is known of them as numbers."""

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Give ``inputs`` (3, size, size), BGR uint8, ``view`` (12, ), whether it is ``coloured``, the ``image``'s
        index and, from a cache, the ``teacher``'s embedding (D, ) and what it says of ``crops`` (K, ...)."""
        packed = dict(
            inputs=torch.from_numpy(results['img']).permute(2, 0, 1),
            view=torch.from_numpy(results['view'].numbers()),
            coloured=results['coloured'],
            picture=results['sample_idx'])
        if 'teacher' in results:
            packed['teacher'] = torch.from_numpy(results['teacher'])
        if 'crops' in results:
            boxes, *known = results['crops']  # as shares of the view
            packed['crops'] = Crops(*map(torch.from_numpy, (boxes * results['img'].shape[0], *known)))
        return packed
