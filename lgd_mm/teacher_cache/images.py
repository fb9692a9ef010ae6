"""Pre-training images whose views a teacher has already seen."""

import json
from typing import Any

import numpy as np

from lgd_mm.datasets.image_folder import UnlabelledImages, seed_all
from lgd_mm.datasets.view_sampler import view_seed
from lgd_mm.datasets.views.view import View
from lgd_mm.errors import UserError
from lgd_mm.registry import DATASETS
from lgd_mm.teacher_cache.store import TeacherCache, data_digest


@DATASETS.register_module()
class CachedImages(UnlabelledImages):
    """The views of a teacher cache, one of each image in every epoch, and the teacher's embeddings beside them.

    After the last view comes the first again. Views, crops and embeddings are those of a live run with the cache's
    seed.

    Args:
        cache (str): Folder that ``tools/cache_teacher.py`` wrote.
        **kwargs (Any): See :class:`lgd_mm.UnlabelledImages`; data and pipeline as they were for the cache.

    Raises:
        UserError: If the cache is incomplete, or of other data or views.
    """

    def __init__(self, cache: str, **kwargs: Any) -> None:
        self.cache = TeacherCache(cache)
        self._pipeline = json.loads(json.dumps(list(kwargs.get('pipeline', ()))))
        super().__init__(**kwargs)

    def full_init(self) -> None:
        """List the images and compare them with the cache's."""
        if self._fully_initialized:
            return
        super().full_init()
        about, folder = self.cache.about, self.cache.folder
        missing = self.cache.missing()
        if missing:
            raise UserError(f'the teacher cache {folder} lacks {len(missing)} of its {len(list(self.cache.parts()))} '
                            'files: call tools/cache_teacher.py again, it goes on where it stopped')
        if about['pictures'] != len(self) or about.get('data') != data_digest(self):
            raise UserError(f'the teacher cache {folder} is of {about["pictures"]} other images than the '
                            f'{len(self)} in {self.data_prefix["img_path"]}: give those it was made of, or another '
                            'cache')
        if about.get('pipeline') != self._pipeline or type(about.get('seed')) is not int:
            raise UserError(f'the teacher cache {folder} is of other views: set train_dataloader.dataset.pipeline to '
                            f'{about.get("pipeline")}, or make another cache')

    def view(self, index: int, seed: int, number: int = 0) -> Any:
        """The cached view of an image that an epoch asks for, see :meth:`lgd_mm.UnlabelledImages.view`."""
        number %= self.cache.about['views']
        seed_all(view_seed(self.cache.about['seed'], number, index))  # for random steps before the view is cut out
        entry = self.cache.entry(number, index)
        known = dict(view=View.of(entry['view']), teacher=np.array(entry['embedding']))
        return self.pipeline({**self.get_data_info(int(entry['picture'])), **known})
