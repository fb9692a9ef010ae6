"""Folders of images and masks whose names end in more than one way."""

import os
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any

from mmseg.datasets import BaseSegDataset

from lgd_mm.registry import DATASETS


@DATASETS.register_module()
class PicturesAndMasks(BaseSegDataset):
    """mmseg's, with images of several endings, such as ``.jpg``, ``.JPG`` and ``.png``, and masks likewise.

    Takes the arguments of ``mmseg.datasets.BaseSegDataset``; ``img_suffix`` and ``seg_map_suffix`` may be lists. What
    systems and editors hide, files as well as folders, is no image.
    """

    img_suffix: str | Sequence[str]
    seg_map_suffix: str | Sequence[str]

    def load_data_list(self) -> list[dict[str, Any]]:
        """List images and their masks.

        Returns:
            list[dict[str, Any]]: As mmseg's, in the order of the names; of a mask that is not there, the first name it
            may have.
        """
        endings = [[each] if isinstance(each, str) else each for each in (self.img_suffix, self.seg_map_suffix)]
        root = self.data_prefix['img_path']
        found: dict[str, list[dict[str, Any]]] = {}
        for self.img_suffix, self.seg_map_suffix in product(*endings):
            for each in super().load_data_list():
                if not any(part.startswith('.') for part in Path(each['img_path']).relative_to(root).parts):
                    found.setdefault(each['img_path'], []).append(each)
        self.img_suffix, self.seg_map_suffix = endings
        return [next((each for each in found[path] if os.path.isfile(each['seg_map_path'])), found[path][0])
                for path in sorted(found)]
