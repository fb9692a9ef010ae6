"""Regions of all images of a data set, written once: by any number of processes, each of which may stop and go on."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.registry import init_default_scope

from lgd_mm.console.progress import track
from lgd_mm.console.rank_zero import print_rank0
from lgd_mm.datasets.regions import RegionStore
from lgd_mm.datasets.regions.row import row_type
from lgd_mm.datasets.regions.store import parts_of
from lgd_mm.engine import settings
from lgd_mm.engine.failures import user_errors
from lgd_mm.engine.regions.checkpoint import DetectorFile, read_detector
from lgd_mm.engine.regions.detector import DetectorRegions
from lgd_mm.engine.regions.grid import GridRegions
from lgd_mm.engine.regions.images import check_heads, chosen, images_below, images_of
from lgd_mm.engine.regions.reading import Loading, batches_of
from lgd_mm.engine.regions.source import check_features, ready
from lgd_mm.errors import UserError

#: Images at a time, at most: a batch of a pre-training has a thousand.
BATCH = 64


class RegionExtractor:
    """A detector or a grid, the images and the folder of a store.

    Args:
        config (str): Of a two-stage detector of mmdet; with ``grid``, of any model with a backbone, or a pre-training.
        checkpoint (str, optional): The detector's or the student's. None: with ``grid``, the config's teacher.
        out (str): Folder of the store.
        images (str, optional): Folder of the images. Defaults to None: those of the config.
        split (str): ``'train'``, ``'val'`` or ``'test'``, whose images are taken. Defaults to ``'test'``.
        boxes (str, optional): Store of another detector, at whose boxes features are taken. Defaults to None: the
            detector's own.
        grid (int, optional): Cells of a row and of a column in place of boxes. Defaults to None.
        most (int): Boxes of an image. Defaults to 50.
        with_map (bool): Features have the mean of the region's map behind what the box head makes of it, which forgets
            what its classes do not tell, such as colours. Defaults to False.
        share (tuple[int, int]): Which of how many equal shares of the files to write, from (0, 1). Defaults to all.
        cfg_options (Mapping[str, Any], optional): Keys to overwrite in the config. Defaults to None.

    Raises:
        UserError: If the config is of no such model, the checkpoint of another, or there are no such images.
    """

    def __init__(self, config: str, checkpoint: str | None, out: str, *, images: str | None = None,
                 split: str = 'test', boxes: str | None = None, grid: int | None = None, most: int = 50,
                 with_map: bool = False, share: tuple[int, int] = (0, 1),
                 cfg_options: Mapping[str, Any] | None = None) -> None:
        self.cfg: Config = settings.load_config(config, cfg_options, out, 'none')
        init_default_scope(self.cfg.get('default_scope', 'mmdet'))
        self.out, self.share, self.grid = Path(out), share, grid
        self.boxes = _boxes(boxes) if boxes else None
        self._source: DetectorFile | GridRegions
        tags: list[str] = []
        if grid:
            self._source, most = GridRegions(self.cfg, config, checkpoint, grid), grid**2
        else:
            assert checkpoint is not None
            self._source = read_detector(self.cfg, config, checkpoint, with_map)
            tags = self._source.tags
        if self.boxes:
            most, tags = self.boxes.about['most'], self.boxes.about['tags']
        self._folder = images
        self.images = images_below(images) if images else images_of(self.cfg, split)
        if self.boxes:
            self.images = chosen(self.images, self.boxes.names, self.boxes.folder)
        self.about: dict[str, Any] = dict(detector=self._source.detector, boxes=self._origin, tags=tags, grid=grid,
                                          width=self._source.width, most=most,
                                          **(dict(with_map=True) if with_map else {}))
        loaders = (self.cfg.get(f'{each}_dataloader') for each in (split, 'test', 'val', 'train'))
        loader: Mapping[str, Any] = next(filter(None, loaders), {})
        self._loading = Loading(min(loader.get('batch_size') or 1, BATCH), loader.get('num_workers') or 0)

    def plan(self) -> str:
        """How large the store will be, and what of it is missing; nothing is written, and no detector is built.

        Raises:
            UserError: If the folder holds another store.
        """
        parts = list(parts_of(len(self.images)))
        if (self.out / 'regions.json').exists():
            missing = RegionStore.create(self.out, self.about, list(self.images)).missing()
        else:
            missing = parts
        what = f'{self.grid} x {self.grid} cells' if self.grid else f'at most {self.about["most"]} boxes'
        left = sum(len(images) for _, images in missing)
        return (f'{len(self.images):,} images x {what}, features of width {self.about["width"]:,}: '
                f'{len(parts):,} files, {self._megabytes(len(self.images))}; {len(missing):,} of them are missing, of '
                f'{left:,} images, {self._megabytes(left)}')

    def extract(self) -> None:
        """Write this share's files that are not there yet.

        Raises:
            UserError: If the folder holds another store, an image cannot be read, or the disk is full.
        """
        with user_errors(self.cfg, '; the same command goes on'):
            if self._folder and not (self.out / 'regions.json').exists():
                check_heads(self.images, self._folder)
            network = ready(self._source, self.cfg, self.about['most'])  # one that does not fit leaves no folder
            store = RegionStore.create(self.out, self.about, list(self.images))
            number, count = self.share
            ours = set(list(store.parts())[number::count])
            missing = [part for part in store.missing() if part in ours]
            self._check_disk_space(sum(len(images) for _, images in missing))
            if missing:
                self._write(store, missing, network)
        left = len(store.missing())
        print_rank0(f'{left} files are left to other processes' if left else
                    f'{self.out} is complete: regions of {len(store):,} images')

    def _write(self, store: RegionStore, missing: list[tuple[int, range]],
               network: DetectorRegions | GridRegions) -> None:
        paths = list(self.images.values())
        total = sum(len(images) for _, images in missing)
        done = track(self._regions(store, [images for _, images in missing], network, paths), 'images', total)
        for part, images in missing:
            found = [next(done) for _ in images]
            check_features(found, [paths[image] for image in images])
            store.write(part, found)
        next(done, None)  # the last one is counted when another is asked for

    def _regions(self, store: RegionStore, parts: list[range], network: Any, paths: list[str]) -> Any:
        """Of the images of some parts, one after another."""
        names = (store.names[image] for images in parts for image in images)
        for batch in batches_of(paths, parts, network.read, self._loading):
            given = [self.boxes.row(next(names)) for _ in batch] if self.boxes else None
            yield from network.regions(batch, given)

    @property
    def _origin(self) -> str | None:
        """Fingerprint of the store for which the boxes were found."""
        return (self.boxes.about['boxes'] or self.boxes.about['fingerprint']) if self.boxes else None

    def _check_disk_space(self, images: int) -> None:
        free = shutil.disk_usage(self.out).free
        if free < images * self._row:
            raise UserError(f'the store needs {self._megabytes(images)} and {self.out} has {free / 1e6:,.0f} MB left: '
                            'give another --out, or fewer regions with --most')

    @property
    def _row(self) -> int:
        """Bytes of an image."""
        return row_type(self.about['width'], self.about['most']).itemsize

    def _megabytes(self, images: int) -> str:
        return f'{images * self._row / 1e6:,.1f} MB'


def _boxes(folder: str) -> RegionStore:
    """A store whose boxes are taken."""
    store = RegionStore(folder)
    if store.about['grid']:
        raise UserError(f'--boxes {folder} is a store of cells, which are the same for every network: give --grid '
                        f'{store.about["grid"]} in its place')
    store.check_complete()
    return store
