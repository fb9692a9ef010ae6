"""A labelled data set of which only a few images are there."""

from typing import Any

from mmengine.dataset import BaseDataset

from lgd_mm.datasets.draws import draw_of_all, draw_of_each_class
from lgd_mm.errors import UserError
from lgd_mm.registry import DATASETS


@DATASETS.register_module()
class FewLabels:
    """A few of the images of another data set: as many of each class, or a number or share of all of them.

    Which ones is a function of ``draw`` and of the list of images alone, not of the run's seed, so that all students
    learn from the same ones; see :mod:`lgd_mm.datasets.draws`. Images that the data set itself leaves out, as those
    without objects in training, are not drawn from.

    Args:
        dataset (dict): Of mmpretrain, mmdet or mmseg; no wrapper of others.
        shots (int, optional): Images of each class, for classification. Defaults to None.
        images (int | float, optional): A number of images, or as a float their share. Defaults to None.
        draw (int): Number of the draw, from 0. Defaults to 0.

    Raises:
        UserError: If neither or both are given, a number is out of bounds, or a class has fewer images.
    """

    def __init__(self, dataset: dict[str, Any], shots: int | None = None, images: int | float | None = None,
                 draw: int = 0) -> None:
        if (shots is None) is (images is None):
            raise UserError('lgd_mm.FewLabels takes shots=N, images of each class, or images=N, of all: give one of '
                            'them')
        self.dataset: Any = DATASETS.build(dataset)
        if not isinstance(self.dataset, BaseDataset):
            raise UserError(f'lgd_mm.FewLabels takes a data set of images, and {dataset.get("type")} wraps others: put '
                            'it around each of these instead')
        self.dataset.full_init()
        drawn = (draw_of_all(len(self.dataset), images, draw) if images is not None else
                 draw_of_each_class(self._labels(), shots or 0, draw, self.metainfo.get('classes')))
        # Of itself: a data set that passes over an image draws another one, which must be one of these.
        self.dataset.get_subset_(drawn)

    def _labels(self) -> list[int]:
        labels = [self.dataset.get_data_info(index).get('gt_label') for index in range(len(self.dataset))]
        odd = next((label for label in labels if isinstance(label, bool) or not hasattr(label, '__index__')), 0)
        if odd != 0:
            told = 'no label' if odd is None else f'the label {odd!r}'
            raise UserError(f'shots of each class need images of one class each, and {type(self.dataset).__name__} has '
                            f'{told} of an image: give images=N, a number of all of them')
        return list(map(int, labels))

    @property
    def metainfo(self) -> dict[str, Any]:
        """Of the data set."""
        meta: dict[str, Any] = self.dataset.metainfo
        return meta

    @property
    def pipeline(self) -> Any:
        """Of the data set: mmdet's PipelineSwitchHook puts another one there."""
        return self.dataset.pipeline

    @pipeline.setter
    def pipeline(self, pipeline: Any) -> None:
        self.dataset.pipeline = pipeline

    def full_init(self) -> None:
        """It is there already."""

    def get_data_info(self, index: int) -> dict[str, Any]:
        """What is known of an image.

        Args:
            index (int): From 0.
        """
        info: dict[str, Any] = self.dataset.get_data_info(index)
        return info

    def __getitem__(self, index: int) -> Any:
        return self.dataset[index]

    def __len__(self) -> int:
        return len(self.dataset)
