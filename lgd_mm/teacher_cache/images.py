"""Pre-training images whose views a teacher has already seen."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from mmengine.config import ConfigDict

from lgd_mm.datasets.image_folder import UnlabelledImages, seed_all
from lgd_mm.datasets.indexed_images import IndexedImages
from lgd_mm.datasets.sharded_images import ShardedImages
from lgd_mm.datasets.view_seeds import view_seed
from lgd_mm.datasets.views.crops import Crops, crops_inside
from lgd_mm.datasets.views.view import View
from lgd_mm.errors import UserError
from lgd_mm.registry import DATASETS
from lgd_mm.teacher_cache.rows import embedding_of
from lgd_mm.teacher_cache.store import TeacherCache


class CachedViews(UnlabelledImages):
    """The views of a teacher cache, one of each image in every epoch, and the teacher's embeddings beside them.

    After the last view comes the first again. Views, crops and embeddings are those of a live run with the cache's
    seed.

    The cache knows more of an image than one view: where another view, or one of the cache's crops, lies inside this
    view, its embedding says what is there. :class:`lgd_mm.DenseGuidance` learns from that without maps of the teacher.

    Args:
        cache (str): Folder that ``tools/cache_teacher.py`` wrote.
        crops (int): Up to so many of those that lie at least 80 % inside the view and cover at most 60 % of it; if
            there are more, which come first depends on the cache's seed, the image and the view, and the others
            follow when the view comes again. Defaults to 0.
        **kwargs (Any): Of the images' own data set; images and pipeline as they were for the cache.

    Raises:
        UserError: If the cache is incomplete, or of other data or views, or has no boxes for crops.
    """

    def __init__(self, cache: str, crops: int = 0, **kwargs: Any) -> None:
        self.cache, self.crops = TeacherCache(cache), crops
        self._pipeline = json.loads(json.dumps(list(kwargs.get('pipeline', ()))))
        if not isinstance(crops, int) or isinstance(crops, bool) or crops < 0:
            raise UserError(f'train_dataloader.dataset.crops is {crops!r}: it must be a whole number of at least 0')
        super().__init__(**kwargs)

    def full_init(self) -> None:
        """List the images and compare them with the cache's."""
        if self._fully_initialized:
            return
        super().full_init()
        about, folder = self.cache.about, self.cache.folder
        missing = [(cut, part) for cut, part, _ in self.cache.missing() if self.crops or cut < self.cache.views]
        if missing:
            raise UserError(f'the teacher cache {folder} lacks {len(missing)} of its {len(list(self.cache.parts()))} '
                            'files: call tools/cache_teacher.py again, it goes on where it stopped')
        if about['pictures'] != len(self) or about.get('data') != self.digest():
            raise UserError(f'the teacher cache {folder} is of {about["pictures"]} other images than the '
                            f'{len(self)} in {self.data_prefix["img_path"]}: give those it was made of, or another '
                            'cache')
        if about.get('pipeline') != self._pipeline or type(about.get('seed')) is not int:
            raise UserError(f'the teacher cache {folder} is of other views: set train_dataloader.dataset.pipeline to '
                            f'{about.get("pipeline")}, or make another cache')
        if self.crops:
            check_plain(self._pipeline)
            lacking = self.cache.missing_boxes()
            if lacking:
                raise UserError(f'the teacher cache {folder} lacks {self.cache.boxes_file(lacking[0][0])}, in which '
                                'its crops are looked up: call tools/cache_teacher.py again, it adds what is missing')

    def view(self, index: int, seed: int, number: int = 0) -> Any:
        """The cached view of an image that an epoch asks for, see :meth:`lgd_mm.UnlabelledImages.view`."""
        cached = number % self.cache.views
        seed = view_seed(self.cache.about['seed'], cached, index)
        seed_all(seed)  # for random steps before the view is cut out
        entry = self.cache.entry(cached, index)
        picture = int(entry['picture'])
        view = View.of(entry['view'])
        known: dict[str, Any] = dict(view=view, teacher=embedding_of(entry))
        if self.crops:
            # When a view comes again it brings the crops that follow, so that all of them come in the fewest rounds.
            known['crops'] = self.crops_of(index, picture, view, seed + self.crops * (number // self.cache.views))
        return self.pipeline({**self.get_data_info(picture), **known})

    def crops_of(self, index: int, picture: int, view: View, seed: int) -> Crops:
        """What the cache knows of parts of a view.

        Args:
            index (int): Of the image that was asked for.
            picture (int): Of the image that the view is of.
            view (View): Of it.
            seed (int): Where the choice begins, if there are too many.

        Returns:
            Crops: NumPy arrays; the boxes are shares of the view's width and height.
        """
        cuts = self.cache.boxes(index)
        # One of them may have been cut out of another image, when this one could not be read.
        found = [(cut, box) for cut, box in crops_inside(view, cuts['crop']) if cuts['picture'][cut] == picture]
        if len(found) > self.crops:
            found = [found[(seed + place) % len(found)] for place in range(self.crops)]
        crops = Crops(np.zeros((self.crops, 4), np.float32),
                      np.zeros((self.crops, self.cache.about['embed_dim']), np.float16),
                      np.zeros(self.crops, np.bool_))
        for place, (cut, box) in enumerate(found):
            crops.boxes[place], crops.embeddings[place] = box, self.cache.embedding(cut, index)
        crops.valid[:len(found)] = True
        return crops


@DATASETS.register_module()
class CachedImages(CachedViews):
    """Those of a folder: :class:`CachedViews` of :class:`lgd_mm.UnlabelledImages`."""


@DATASETS.register_module()
class CachedShardedImages(CachedViews, ShardedImages):
    """Those of shards: :class:`CachedViews` of :class:`lgd_mm.ShardedImages`; the cache was made from the shards, or
    from the folder that they were made of."""


@DATASETS.register_module()
class CachedIndexedImages(CachedViews, IndexedImages):
    """Those of an index: :class:`CachedViews` of :class:`lgd_mm.IndexedImages`."""


#: Data set -> that of its cached views.
CACHED = dict(UnlabelledImages=CachedImages, ShardedImages=CachedShardedImages, IndexedImages=CachedIndexedImages)


def is_cached(dataset: Mapping[str, Any]) -> bool:
    """Whether a config's data set is of cached views."""
    return str(dataset.get('type')).split('.')[-1] in {kind.__name__ for kind in CACHED.values()}


def without_cache(dataset: Mapping[str, Any]) -> ConfigDict:
    """A config's data set of cached views, as that of the images themselves."""
    own = next(name for name, kind in CACHED.items() if str(dataset['type']).split('.')[-1] == kind.__name__)
    kept = {key: value for key, value in dataset.items() if key not in ('cache', 'crops')}
    return ConfigDict(kept, type=f'lgd_mm.{own}')


def check_plain(pipeline: list[dict[str, Any]]) -> None:
    """See that all views of an image are cut out of the same pixels: a crop of a mirrored image lies elsewhere.

    Args:
        pipeline (list[dict]): Of a config.

    Raises:
        UserError: If there are other steps than loading and views.
    """
    kinds = [str(step.get('type')).split('.')[-1] for step in pipeline]
    if kinds[1:] != ['RandomView', 'PackView']:
        raise UserError(f'train_dataloader.dataset.pipeline is {", ".join(kinds)}: crops need views of the image as it '
                        'was loaded, so it must be lgd_mm.LoadImage, lgd_mm.RandomView, lgd_mm.PackView')
