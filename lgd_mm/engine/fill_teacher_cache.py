"""Show the teacher every view of every image, once for all students."""

import copy
import math
import os
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from shlex import join
from typing import Any

import numpy as np
from mmengine.config import Config
from mmengine.dataset import Compose
from mmengine.device import get_device
from mmengine.registry import init_default_scope
from numpy.typing import NDArray
from torch import nn
from torch.utils.data import DataLoader, default_collate

from lgd_mm.console.progress import track
from lgd_mm.datasets import UnlabelledImages
from lgd_mm.datasets.indexed_images import IndexedImages
from lgd_mm.datasets.view_sampler import ViewKey
from lgd_mm.datasets.view_seeds import view_seed
from lgd_mm.engine import settings
from lgd_mm.engine.checks import preflight
from lgd_mm.errors import UserError
from lgd_mm.models.common import IMAGENET_PREPROCESSOR
from lgd_mm.models.teachers import Teacher
from lgd_mm.registry import DATASETS, MODELS
from lgd_mm.teacher_cache.images import CACHED, check_plain
from lgd_mm.teacher_cache.rows import boxes_type, entry_type, set_embeddings
from lgd_mm.teacher_cache.store import FILES, PART, TeacherCache

#: Batches that --plan is measured on, after one to warm up.
MEASURED = 4
#: Number of an image's first crop for its random numbers, above those of all views.
FIRST_CROP = 2**31
#: Shares of an image that are cut out as crops: those of the small ones of multi-crop augmentation and below.
CROP_SCALE = 0.02, 0.2
#: Of the recipe: crops are neither coloured nor mirrored.
UNCHANGED = dict(jitter_prob=0., grey_prob=0., blur_prob=0., flip_prob=0.)


class CacheFiller:
    """The teacher, the images and the folder of a cache.

    Args:
        config (str): A pre-training config; its teacher, images, pipeline, batch size, workers and seed are taken.
        out (str): Folder of the cache.
        views (int): Views of each image.
        share (tuple[int, int]): Which of how many equal shares of the files to write, from (0, 1): each machine or
            process one. Defaults to all.
        cfg_options (Mapping[str, Any], optional): Keys to overwrite in the config. Defaults to None.
        crops (int): Beside the views, so many smaller crops of each image, without colours and not mirrored, for
            ``lgd_mm.CachedImages(crops=...)``. Defaults to 0.
        crop_scale (tuple[float, float]): Share of the image's area that a crop takes. Defaults to (0.02, 0.2).
        precision (str): Of embeddings, ``'float16'`` or ``'int8'``, which takes half the disk. Defaults to
            ``'float16'``.

    Raises:
        UserError: If the config is none of pre-training, or its pipeline draws no views that can be kept.
    """

    def __init__(self,
                 config: str,
                 out: str,
                 views: int,
                 share: tuple[int, int] = (0, 1),
                 cfg_options: Mapping[str, Any] | None = None,
                 crops: int = 0,
                 crop_scale: tuple[float, float] = CROP_SCALE,
                 precision: str = 'float16') -> None:
        cfg = settings.load_config(config, cfg_options, out, 'none')
        init_default_scope(cfg.get('default_scope', 'mmpretrain'))
        self.cfg, self.views, self.out, self.share = cfg, views, Path(out), share
        self.seed, self.precision = self._seed(config), precision
        self.crops: dict[str, Any] | None = dict(number=crops, scale=list(crop_scale)) if crops else None
        if crops:
            check_plain(cfg.train_dataloader.dataset.pipeline)
        preflight.check_data(cfg, 'train')
        self.images: UnlabelledImages = DATASETS.build(cfg.train_dataloader.dataset)
        self.device = get_device() if get_device() != 'cuda' else f'cuda:{os.environ.get("LOCAL_RANK", 0)}'
        self.preprocessor: nn.Module = MODELS.build(
            {**IMAGENET_PREPROCESSOR, **(cfg.model.get('data_preprocessor') or {})}).to(self.device)
        self.teacher: Teacher = MODELS.build(cfg.model.teacher)
        self.teacher.set_input_statistics(self.preprocessor.mean.cpu(), self.preprocessor.std.cpu())
        self.teacher.to(self.device)

    def fill(self) -> None:
        """Write this share's files that are not there yet.

        Raises:
            UserError: If the folder holds another cache, or the disk is full.
        """
        cache = TeacherCache.create(self.out, self._about())
        number, count = self.share
        ours = set(list(cache.parts())[number::count])
        missing = [part for part in cache.missing() if part in ours]
        total = sum(len(images) for *_, images in missing)
        boxes = sum(len(images) for _, images in cache.missing_boxes()) * boxes_type(cache.cuts).itemsize
        self._check_disk_space(total * cache.entry_type.itemsize + boxes)
        views, crops = ([(cut, images) for cut, _, images in missing if (cut < cache.views) == are_views]
                        for are_views in (True, False))
        entries = track(chain(self._entries(self._batches(views), cache.entry_type),
                              self._entries(self._crop_batches(crops, cache), cache.entry_type)), 'views', total)
        for cut, part, images in missing:
            block = np.zeros(len(images), cache.entry_type)
            for place in range(len(block)):
                block[place] = next(entries)
            cache.write(cut, part, block)
        next(entries, None)  # the last one is counted when another is asked for
        cache.write_boxes()
        left = len(cache.missing())
        keys = join(f'{key}.cache={self.out}' for key in ('model.teacher', 'train_dataloader.dataset'))
        kind = 'indexed_cached' if isinstance(self.images, IndexedImages) else 'cached'
        print(f'{left} files are left to other processes' if left else f'{self.out} is complete; train from it by '
              f'configs/lgd/r18_{kind}_pretrain.py or another such config, with --cfg-options {keys} and what was '
              'given here for the images')

    def plan(self) -> str:
        """What the cache will take, measured on a few batches.

        Returns:
            str: Size, time on this device, and from how many epochs on it pays.
        """
        count = min(len(self.images), (MEASURED + 1) * self.cfg.train_dataloader.batch_size)
        batches = iter(self._batches([(0, range(count))]))
        loading = embedding = 0.
        measured = 0
        for number in range(math.ceil(count / self.cfg.train_dataloader.batch_size)):
            began = time.perf_counter()
            batch = next(batches)
            loaded = time.perf_counter()
            self._embed(batch)
            if number or count <= self.cfg.train_dataloader.batch_size:
                loading, embedding = loading + loaded - began, embedding + time.perf_counter() - loaded
                measured += len(batch['view'])
        cuts = self.views + self._crops
        each, teacher = (loading + embedding) / measured, embedding / measured
        hours, saved = len(self.images) * cuts * each / 3600, len(self.images) * teacher / 3600
        return (f'{self._size(len(self.images))}, about {hours:.2f} h here '
                f'({1 / each:.0f} views/s, {teacher / each:.0%} of the time in the teacher); each epoch of a '
                f'student saves about {saved:.2f} h, so it pays from {math.ceil(hours / saved)} epochs on, of all '
                'runs together')

    def plan_for(self, images: int, rate: float, devices: int) -> str:
        """What a cache of other images will take, with nothing measured.

        Args:
            images (int): How many.
            rate (float): Views in a second of each device.
            devices (int): How many.

        Returns:
            str: Size, files and time.

        Raises:
            UserError: If one cache cannot hold as many.
        """
        cuts, parts = self.views + self._crops, -(-images // PART)
        if cuts * parts > FILES:
            raise UserError(f'{cuts} views of {images:,} images are {cuts * parts:,} files, and {FILES:,} are the most '
                            'of a cache: give fewer views, or make a cache of each part of the images')
        hours = images * cuts / rate / devices / 3600
        return (f'{self._size(images)} in {(cuts + 1) * parts:,} files, {hours:,.1f} h on {devices:,} devices of '
                f'{rate:,.0f} views/s each')

    @property
    def _crops(self) -> int:
        return self.crops['number'] if self.crops else 0

    def _size(self, images: int) -> str:
        """Of a cache of so many images."""
        cuts, row = self.views + self._crops, entry_type(self.teacher.embed_dim, precision=self.precision)
        size = images * (cuts * row.itemsize + boxes_type(cuts).itemsize) / 1e9
        what = f'{self.views} views' + (f' and {self._crops} crops' if self._crops else '')
        return f'{images:,} images x {what}: {size:,.2f} GB'

    def _seed(self, config: str) -> int:
        """The config's seed, if it is a config whose views can be kept."""
        pipeline = self.cfg.get('train_dataloader', {}).get('dataset', {}).get('pipeline') or []
        if 'teacher' not in self.cfg.get('model', {}) or [step.get('type') for step in pipeline][-2:] != [
                'lgd_mm.RandomView', 'lgd_mm.PackView']:
            raise UserError(f'{config} cannot be cached: a teacher cache needs a pre-training config whose train '
                            'pipeline ends with lgd_mm.RandomView and lgd_mm.PackView')
        kind = self.cfg.train_dataloader.dataset.get('type')
        if str(kind).split('.')[-1] not in CACHED:
            raise UserError(f'{config} cannot be cached: train_dataloader.dataset is {kind}, and a teacher cache needs '
                            f'the images themselves, as lgd_mm.{" or lgd_mm.".join(CACHED)}')
        seed = (self.cfg.get('randomness') or {}).get('seed')
        if seed is None:
            raise UserError(f'{config} has no seed, which the views depend on: give --cfg-options randomness.seed=0')
        return seed

    def _about(self) -> dict[str, Any]:
        """See :class:`lgd_mm.teacher_cache.store.TeacherCache`."""
        plain = Config(dict(teacher=self.cfg.model.teacher, pipeline=self.cfg.train_dataloader.dataset.pipeline))
        return dict(
            **plain.to_dict(),
            fingerprint=self.teacher.fingerprint,
            embed_dim=self.teacher.embed_dim,
            pictures=len(self.images),
            data=self.images.digest(),
            seed=self.seed,
            views=self.views,
            **(dict(crops=self.crops) if self.crops else {}),
            **(dict(precision=self.precision) if self.precision != 'float16' else {}))

    def _check_disk_space(self, needed: int) -> None:
        free = shutil.disk_usage(self.out).free
        if free < needed:
            raise UserError(f'the cache needs {needed / 1e9:.1f} GB and {self.out} has {free / 1e9:.1f} GB left: give '
                            'another --out or fewer --views')

    def _batches(self, parts: list[tuple[int, range]]) -> DataLoader[Any]:
        """Batches of one view of some images after another; none spans two parts, so that a part's bytes depend on
        nothing but its images."""
        return self._loader(self.images, parts)

    def _crop_batches(self, parts: list[tuple[int, range]], cache: TeacherCache) -> Iterable[dict[str, Any]]:
        """The same of crops, whose random numbers do not depend on how many views there are."""
        if not parts:
            return ()
        pipeline = copy.deepcopy(list(self.cfg.train_dataloader.dataset.pipeline))
        pipeline[-2].update(scale=tuple(cache.about['crops']['scale']), **UNCHANGED)
        images = copy.copy(self.images)
        images.pipeline = Compose(pipeline)
        return self._loader(images, [(FIRST_CROP + cut - cache.views, part) for cut, part in parts])

    def _loader(self, images: UnlabelledImages, parts: list[tuple[int, range]]) -> DataLoader[Any]:
        loader = self.cfg.train_dataloader
        size = loader.batch_size
        keys = ([ViewKey(index, view_seed(self.seed, view, index), view) for index in part[start:start + size]]
                for view, part in parts for start in range(0, len(part), size))
        return DataLoader(images, batch_sampler=keys, num_workers=loader.get('num_workers', 0),
                          collate_fn=default_collate, pin_memory=self.device.startswith('cuda'))

    def _embed(self, batch: dict[str, Any]) -> NDArray[Any]:
        """Embeddings (B, D) of a batch of views."""
        return self.teacher(self.preprocessor(batch)['inputs']).half().cpu().numpy()

    def _check_finite(self, embeddings: NDArray[Any], pictures: NDArray[Any]) -> None:
        """Raises:
            UserError: If an embedding is none: training from it would be lost.
        """
        odd = ~np.isfinite(embeddings).all(axis=1)
        if odd.any():
            image = self.images.get_data_info(int(pictures[odd.argmax()]))['img_path']
            raise UserError(f'model.teacher gives {image} an embedding that is NaN or beyond float16, and the cache '
                            'would hold it: give a teacher whose weights are whole')

    def _entries(self, batches: Iterable[dict[str, Any]], row: np.dtype[Any]) -> Iterator[np.void]:
        """Entries of one view of some images after another."""
        for batch in batches:
            block = np.zeros(len(batch['view']), row)
            embeddings = self._embed(batch)
            block['view'], block['picture'] = batch['view'].numpy(), batch['picture'].numpy()
            self._check_finite(embeddings, block['picture'])
            set_embeddings(block, embeddings)
            yield from block
