"""Held-out images, with classes or without."""

import os
from typing import Any

from lgd_mm.datasets.labelled_images import LabelledImages, class_folders
from lgd_mm.errors import UserError
from lgd_mm.registry import DATASETS


@DATASETS.register_module()
class WatchedImages(LabelledImages):
    """Images in class folders; in a folder without folders, images without labels.

    Args:
        data_root (str): The folder.
        **kwargs: See :class:`lgd_mm.datasets.labelled_images.LabelledImages`.

    Raises:
        UserError: If it holds fewer than two images.
    """

    def __init__(self, data_root: str, **kwargs: Any) -> None:
        super().__init__(data_root=data_root, data_prefix='', with_label=bool(class_folders(data_root)), **kwargs)

    def _find_samples(self) -> list[Any]:
        """As of class folders; one image has nothing to be compared with."""
        samples = super()._find_samples()
        if len(samples) < 2:
            held = f'{len(samples) or "no"} image'
            raise UserError(f'{os.path.normpath(self.img_prefix)} holds {held}, and a pre-training is watched on '
                            'several: put more into it, some hundred if there are, that it does not learn from')
        return samples

    @property
    def labelled(self) -> list[str]:
        """Names of the class folders that hold images, in the order of the labels; empty without labels."""
        if not self.with_label:
            return []
        found = set(self.get_gt_labels().tolist())
        return [name for label, name in enumerate(self.metainfo['classes']) if label in found]
