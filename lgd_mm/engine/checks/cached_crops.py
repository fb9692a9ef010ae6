"""Dense guidance from a teacher cache, which has no maps: it takes crops."""

from collections.abc import Iterator, Mapping
from typing import Any

from mmengine.config import Config

from lgd_mm.datasets.of_config import datasets_of
from lgd_mm.datasets.views.crops import crops_inside
from lgd_mm.datasets.views.view import View
from lgd_mm.errors import UserError
from lgd_mm.teacher_cache.images import is_cached
from lgd_mm.teacher_cache.store import TeacherCache

#: Images that are looked at.
LOOKED_AT = 1000


def check_cached_crops(cfg: Config) -> None:
    """See that a model with dense guidance and the teacher of a cache gets crops.

    Args:
        cfg (Config): The whole config, of a training.

    Raises:
        UserError: If the data set brings none, or the cache has none that lie inside a view.
    """
    teacher = cfg.model.get('teacher') or {}
    if str(teacher.get('type')).split('.')[-1] != 'CachedTeacher' or not any(_dense_parts(cfg.model)):
        return
    for key, dataset in datasets_of(cfg, 'train'):
        if not is_cached(dataset):
            continue
        if not dataset.get('crops'):
            raise UserError(f'model.dense needs maps of the teacher, and the teacher cache {dataset["cache"]} holds '
                            f'none: set {key}.crops=4 to learn from crops of it, or leave model.dense out')
        _check_usable(TeacherCache(dataset['cache']))


def _dense_parts(model: Mapping[str, Any]) -> Iterator[Any]:
    """What a model, or each of several students, says of dense guidance."""
    for part in (model, *(model.get('students') or {}).values()):
        yield part.get('dense')


def _check_usable(cache: TeacherCache) -> None:
    """Look for crops inside the views of the first images; without boxes the data set tells what is missing."""
    if cache.missing_boxes():
        return
    count = min(LOOKED_AT, cache.about['pictures'])
    if not any(_has_crop(cache, image) for image in range(count)):
        raise UserError(f'model.dense needs maps of the teacher or crops: the teacher cache {cache.folder} holds no '
                        f'maps, and of its first {count} images 0 have a crop inside one of their views: make it with '
                        'tools/cache_teacher.py CONFIG --views N --crops 8, or leave model.dense out')


def _has_crop(cache: TeacherCache, image: int) -> bool:
    crops, pictures = (cache.boxes(image)[key] for key in ('crop', 'picture'))
    return any(pictures[cut] == pictures[view] for view in range(cache.views)
               for cut, _ in crops_inside(View.plain(*crops[view].tolist()), crops))
