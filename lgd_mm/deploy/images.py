"""Images that an exported network is compared and calibrated on."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from mmengine.dataset import Compose
from mmengine.registry import DATASETS, DefaultScope
from PIL import Image

from lgd_mm.console.quiet import quietly
from lgd_mm.datasets.loading import of_the_machine
from lgd_mm.datasets.shapes.scene import draw_scene
from lgd_mm.deploy.predict import upright
from lgd_mm.deploy.source import FineTuned
from lgd_mm.errors import DataError, UserError

#: Height and width of images that are drawn where there are no others.
DRAWN = (240, 320), (300, 200), (131, 157)


class Images(NamedTuple):
    """Files of images.

    Attributes:
        files (list[Path]): In order.
        told (str): Where they are from, in words.
    """

    files: list[Path]
    told: str


@contextmanager
def check_images(network: FineTuned, given: Sequence[str | Path] | None, most: int) -> Iterator[Images]:
    """Images to compare with: those given, else of the network's own test set, else drawn.

    Args:
        network (FineTuned): The network.
        given (Sequence[str | Path], optional): By the user.
        most (int): How many, spread over all there are.

    Yields:
        Images: They are there while the block lasts.

    Raises:
        UserError: If none of those given can be read.
    """
    if given is not None:
        files = spread(list(map(Path, given)), most)
        if not files:
            raise DataError(f'none of the images to compare on can be read, such as {given[0]}: give others')
        yield Images(files, 'that were given')
        return
    own = spread(own_images(network, 'test'), most)
    if own:
        yield Images(own, 'of its test set')
        return
    with drawn_images() as files:
        yield Images(files, 'that were drawn, as its test set is not there')


@contextmanager
def drawn_images() -> Iterator[list[Path]]:
    """Images of several heights and widths, always the same.

    Yields:
        list[Path]: They are there while the block lasts.
    """
    with tempfile.TemporaryDirectory() as made:
        files = [Path(made) / f'{number}.png' for number in range(len(DRAWN))]
        for number, (file, (height, width)) in enumerate(zip(files, DRAWN)):
            scene = draw_scene(np.random.default_rng(number), max(height, width), most=4).image[:height, :width]
            Image.fromarray(scene).save(file)
        yield files


def own_images(network: FineTuned, split: str) -> list[Path]:
    """Images of one of a network's own sets; none if it is not where it was."""
    dataset = own_dataset(network, split)
    if dataset is None:
        return []
    files = [Path(dataset.get_data_info(index).get('img_path', '')) for index in range(len(dataset))]
    return [file for file in files if file.is_file()]


def own_dataset(network: FineTuned, split: str) -> Any:
    """One of a network's own sets, as its config says; None if it is not where it was."""
    loader = network.cfg.get(f'{split}_dataloader')
    if not loader:
        return None
    try:
        with DefaultScope.overwrite_default_scope(network.cfg.default_scope), quietly():
            dataset = DATASETS.build(loader['dataset'])
            return dataset if len(dataset) and isinstance(dataset.pipeline, Compose) else None
    except (AttributeError, KeyError, OSError, TypeError, UserError, ValueError):
        return None


def spread(files: list[Path], most: int) -> list[Path]:
    """As many of them as are wanted, from the first to the last, without those that cannot be read."""
    if len(files) > most:
        files = [files[index] for index in np.linspace(0, len(files) - 1, most).round().astype(int)]
    return [file for file in files if _is_whole(file)]


def _is_whole(file: Path) -> bool:
    try:
        upright(str(file))
    except Exception as error:  # whatever a broken file makes decoders stumble over
        if of_the_machine(error):
            raise
        return False
    return True
