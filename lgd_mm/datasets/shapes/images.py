"""Images of a generated world that are drawn as they are asked for, without a folder."""

from typing import Any

import numpy as np
from mmengine.dataset import BaseDataset

from lgd_mm.datasets.shapes.world import SPLITS, make_scene
from lgd_mm.datasets.shapes.worlds import find_world
from lgd_mm.errors import UserError
from lgd_mm.registry import DATASETS


@DATASETS.register_module()
class DrawnImages(BaseDataset):
    """Images of a world without labels: those of a world that a student has never seen are outliers to it.

    Args:
        kind (str): One of ``WORLDS``.
        split (str): Which kind of its images, see :data:`lgd_mm.datasets.shapes.world.SPLITS`. Defaults to
            ``'zero_shot'``: one object each.
        images (int): How many. Defaults to 400.
        seed (int): Which world. Defaults to 0.
        **kwargs (Any): Of :class:`mmengine.dataset.BaseDataset`; the pipeline begins with a drawn ``img``.

    Raises:
        UserError: If there is no such world or split, or no image.
    """

    def __init__(self, kind: str, split: str = 'zero_shot', images: int = 400, seed: int = 0, **kwargs: Any) -> None:
        find_world(kind)
        if split not in SPLITS:
            raise UserError(f'lgd_mm.DrawnImages has no split {split!r}; there are: {", ".join(SPLITS)}')
        if type(images) is not int or images < 1:
            raise UserError(f'lgd_mm.DrawnImages.images={images!r}: it is a number of at least 1')
        self.images, self.seed, self.kind, self.split = images, seed, kind, split
        super().__init__(**kwargs)

    def load_data_list(self) -> list[dict[str, Any]]:
        """An entry for each image.

        Returns:
            list[dict[str, Any]]: What it is drawn by.
        """
        return [dict(drawn=(self.split, index, self.seed, self.kind)) for index in range(self.images)]

    def prepare_data(self, idx: int) -> Any:
        """Draw an image, and send it through the pipeline.

        Args:
            idx (int): Which.

        Returns:
            Any: Of the pipeline.
        """
        info = self.get_data_info(idx)
        image = np.ascontiguousarray(make_scene(*info['drawn']).image[..., ::-1])
        return self.pipeline({**info, 'img': image, 'img_shape': image.shape[:2], 'ori_shape': image.shape[:2]})
