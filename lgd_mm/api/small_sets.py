"""A detection or segmentation recipe for a set of one's own that is small: the published one is for 20,000 images and
more, larger than most people's."""

import copy
import math
import statistics
from typing import Any, NamedTuple

from mmengine.config import Config, ConfigDict
from mmengine.registry import DATASETS, DefaultScope

from lgd_mm.console.quiet import quiet_loading
from lgd_mm.datasets.image_size import image_size
from lgd_mm.datasets.of_config import innermost

#: Training images below which a set is small.
SMALL = 5000
#: A side of training images is a multiple of it; images below the second are enlarged to it, but no more than twice.
MULTIPLE, COMFORTABLE = 32, 320
#: Training images whose size is looked at.
LOOKED_AT = 200
#: Steps of an epoch where there are as many batches; images of a batch.
STEPS_PER_EPOCH, LARGEST_BATCH = 20, 16
#: Images that a batch has if there are so many: batch norms are learnt from it, for a student that begins at random has
#: no statistics that could be kept.
LEAST_BATCH = 4
#: Steps of a whole run, and passes that these may take.
STEPS, MOST_EPOCHS = 2000, 100
#: Learning rate of AdamW for four images; it grows with the root of the batch.
RATE = 2e-4
#: Regions of an image that a two-stage detector learns from, and that it looks for objects in (published: 512 and 1000,
#: for images of twice the side or more).
SAMPLED, PROPOSALS = 128, 300
#: Share of a run in which the rate rises.
WARM_UP = 0.05


class Fitted(NamedTuple):
    """What fits a small set, each with its reason.

    Attributes:
        image_size (tuple[int, str]): Longer side of the images in training and test, in pixels.
        batch_size (tuple[int, str]): Images.
        epochs (tuple[int, str]): Passes.
    """

    image_size: tuple[int, str]
    batch_size: tuple[int, str]
    epochs: tuple[int, str]


def dataset_of(cfg: Config, loader: str) -> Any:
    """A data set of a config, which stays as it is.

    Args:
        cfg (Config): With the user's data.
        loader (str): ``'train_dataloader'`` or another one.
    """
    with DefaultScope.overwrite_default_scope(cfg.default_scope), quiet_loading():
        return DATASETS.build(copy.deepcopy(cfg[loader].dataset))


def longer_side(cfg: Config, dataset: Any = None) -> int:
    """Median of the longer sides of the training images, in pixels.

    Args:
        cfg (Config): Of detection or segmentation, with the user's data.
        dataset (BaseDataset, optional): That of its training, if it is there. Defaults to None: it is built.
    """
    dataset = dataset_of(cfg, 'train_dataloader') if dataset is None else dataset
    step = max(1, len(dataset) // LOOKED_AT)
    sizes = [image_size(dataset.get_data_info(index)['img_path']) for index in range(0, len(dataset), step)]
    sides = [max(size.width, size.height) for size in sizes if size is not None]
    return round(statistics.median(sides)) if sides else min(_scale(cfg))  # who trains tells what is missing


def fit(cfg: Config, images: int, longer: int, size: int | None = None, processes: int = 1) -> Fitted:
    """What a small set is trained with.

    Args:
        cfg (Config): A ready config of detection or segmentation, unchanged.
        images (int): To train with.
        longer (int): Median of their longer sides, in pixels.
        size (int, optional): Longer side to train with. Defaults to None: what fits.
        processes (int): That share a batch. Defaults to 1.

    Returns:
        Fitted: Values and reasons.
    """
    most = min(_scale(cfg))
    wanted = max(longer, min(2 * longer, COMFORTABLE))
    fitting = min(MULTIPLE * math.ceil(wanted / MULTIPLE), most)
    side = size or fitting
    pixels = cfg.train_dataloader.batch_size * math.prod(_scale(cfg, cropped=True))
    batch = max(1, min(LARGEST_BATCH, pixels // side**2, max(LEAST_BATCH, images // processes // STEPS_PER_EPOCH)))
    batch = 1 << (batch.bit_length() - 1)
    steps = math.ceil(images / (batch * processes))
    first = cfg.train_cfg.get('max_epochs', 12)
    epochs = max(first, min(MOST_EPOCHS, math.ceil(STEPS / steps)))
    return Fitted(
        (side, f'half of the images have a longer side of at most {longer}, none is enlarged more than twice, and '
               f'{most} is the published shorter side'),
        (batch, f'a power of two with {STEPS_PER_EPOCH} steps in an epoch, but {LEAST_BATCH} images where there are as '
                'many, and no more pixels than a published batch'),
        (epochs, f'{STEPS:,} steps, but {first} to {MOST_EPOCHS} passes'))


def set_image_size(cfg: Config, side: int) -> None:
    """Let images be read with a longer side of so many pixels, in training and test.

    Args:
        cfg (Config): Changed in place; each step of the pipelines keeps its place.
        side (int): Pixels.
    """
    for loader in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        for step in innermost(cfg[loader].dataset).pipeline if cfg.get(loader) else ():
            if 'scale' in step:
                step.scale = (side, side)
            if 'crop_size' in step:
                step.crop_size = (side, side)
    if cfg.model.data_preprocessor.get('size'):
        cfg.model.data_preprocessor.size = (side, side)


def use_small_recipe(cfg: Config, batch: int) -> float:
    """Let a config train as small sets do: AdamW, a rate that rises and falls like a cosine, flips alone.

    Args:
        cfg (Config): Changed in place.
        batch (int): Images of a step.

    Returns:
        float: The learning rate.
    """
    rate = round(RATE * math.sqrt(batch / LEAST_BATCH), 6)
    cfg.optim_wrapper = ConfigDict(
        type='OptimWrapper', optimizer=dict(type='AdamW', lr=rate, weight_decay=0.05), clip_grad=dict(max_norm=1))
    pipeline = innermost(cfg.train_dataloader.dataset).pipeline
    pipeline[:] = [step for step in pipeline if step.type != 'PhotoMetricDistortion']
    for step in pipeline:
        if 'ratio_range' in step:
            step.ratio_range = (1.0, 1.0)
        if 'cat_max_ratio' in step:
            step.cat_max_ratio = 1.0
    if 'roi_head' in cfg.model:
        cfg.model.train_cfg.rcnn.sampler.num = SAMPLED
        cfg.model.test_cfg.rpn.max_per_img = PROPOSALS
    by_epoch = 'max_epochs' in cfg.train_cfg
    length = cfg.train_cfg.max_epochs if by_epoch else cfg.train_cfg.max_iters
    falling: dict[str, Any] = dict(type='CosineAnnealingLR', by_epoch=by_epoch, begin=0, end=length, T_max=length)
    rising = dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=50 if by_epoch else
                  round(WARM_UP * length))
    cfg.param_scheduler = [rising, {**falling, **(dict(convert_to_iter_based=True) if by_epoch else {})}]
    return rate


def _scale(cfg: Config, cropped: bool = False) -> tuple[int, int]:
    """The published size of images, or of what is cut out of them."""
    pipeline = innermost(cfg.train_dataloader.dataset).pipeline
    crop = [step.crop_size for step in pipeline if 'crop_size' in step] if cropped else []
    first, second = (crop or [step.scale for step in pipeline if 'scale' in step])[0]
    return first, second
