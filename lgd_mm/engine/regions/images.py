"""The images whose regions are extracted: those of a data set of a config, or of a folder."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mmengine.config import Config
from PIL import UnidentifiedImageError

from lgd_mm.console.printable import shown
from lgd_mm.console.progress import still
from lgd_mm.console.words import first_line, some
from lgd_mm.datasets.loading import of_the_machine
from lgd_mm.datasets.of_config import datasets_of
from lgd_mm.engine.checks import preflight
from lgd_mm.errors import DataError, UserError
from lgd_mm.io.files import open_plain
from lgd_mm.io.image_files import EXTENSIONS, files_below
from lgd_mm.io.image_head import open_head
from lgd_mm.registry import DATASETS

#: Broken images that are named.
NAMED = 20


def images_of(cfg: Config, split: str) -> dict[str, str]:
    """All images of a split, with and without objects, whatever wraps its data sets.

    Args:
        cfg (Config): The whole config.
        split (str): ``'train'``, ``'val'`` or ``'test'``.

    Returns:
        dict[str, str]: Name below the data set's folder of images -> path, in order.

    Raises:
        UserError: If there is no such split, its files are missing, or an image is there twice.
    """
    preflight.check_data(cfg, split)
    found: list[tuple[str, str]] = []
    for key, config in datasets_of(cfg, split):
        if 'dataset' in config or 'datasets' in config:
            continue
        # of a test, so that nothing is left out: words can be about images without objects
        dataset: Any = DATASETS.build({**config, 'pipeline': [], 'test_mode': True})
        if not len(dataset):
            raise UserError(f'{key} has no images: put some there, or set its data_root, data_prefix or ann_file')
        prefix = dataset.data_prefix
        root = prefix.get('img') or prefix.get('img_path') or dataset.data_root or ''
        paths = [dataset.get_data_info(index).get('img_path') for index in range(len(dataset))]
        if None in paths:
            raise UserError(f'{key} is {config["type"]}, which has no files of images: give --images FOLDER')
        found += [(_name(path, root), path) for path in paths]
    if not found:
        raise UserError(f'the config has no {split}_dataloader, whose images are taken: give --images FOLDER, or '
                        'another --split')
    return _once(found)


def images_below(folder: str) -> dict[str, str]:
    """All images below a folder.

    Args:
        folder (str): Is there.

    Returns:
        dict[str, str]: Name below it -> path, sorted.

    Raises:
        UserError: If it holds none.
    """
    paths = sorted(path for path in files_below(Path(folder)) if path.lower().endswith(EXTENSIONS))
    if not paths:
        raise UserError(f'--images {folder} holds no image ({", ".join(EXTENSIONS)}): give a folder with images')
    return _once((_name(path, folder), path) for path in paths)


def check_heads(images: dict[str, str], folder: str) -> None:
    """See that all files are images, as far as their first bytes tell, before any is seen by a detector: a store is of
    all of them, so that one that is taken out later makes it another one.

    Args:
        images (dict[str, str]): Of :func:`images_below`.
        folder (str): Theirs, for messages.

    Raises:
        DataError: If some are none; names them.
    """
    with still(f'looking at {len(images):,} images'):
        broken = [f'{name} ({reason})' for name, path in images.items() if (reason := _no_image(path))]
    if broken:
        raise DataError(f'{len(broken)} of {len(images):,} files below --images {folder} cannot be read as images: '
                        f'{some(broken, NAMED)}: replace them, or take them out')


def _no_image(path: str) -> str:
    """Why a file is no image; empty if its head is that of one."""
    try:
        with open_plain(path) as file:
            if not os.fstat(file.fileno()).st_size:
                return 'the file is empty'
            open_head(file)
            return ''
    except UnidentifiedImageError:
        return 'no image of a known format'
    except Exception as error:  # whatever Pillow's plug-ins stumble over
        if of_the_machine(error):
            raise
        return getattr(error, 'strerror', None) or first_line(error)


def chosen(images: dict[str, str], names: Iterable[str], store: Path) -> dict[str, str]:
    """The images of a store, in its order.

    Args:
        images (dict[str, str]): Name -> path.
        names (Iterable[str]): Of the store.
        store (Path): Its folder, for messages.

    Raises:
        UserError: If one is none of the images.
    """
    names = list(names)
    lost = next((name for name in names if name not in images), None)
    if lost is not None:
        raise UserError(f'image {shown(lost)} of the store of boxes {store} is none of these {len(images):,} images: '
                        'give the images that the store was made of, by --images or --split')
    return {name: images[name] for name in names}


def _name(path: str, root: str) -> str:
    """Of an image below the folder of its data set."""
    name = os.path.relpath(path, root) if root and '://' not in path else path
    return path if Path(name).parts[0] == os.pardir else name


def _once(found: Iterable[tuple[str, str]]) -> dict[str, str]:
    images: dict[str, str] = {}
    for name, path in found:
        if '\n' in name:
            raise UserError(f'image {shown(name)} has an end of line in its name: rename it')
        if name in images:
            raise UserError(f'image {shown(name)} is there twice ({images[name]} and {path}), and regions are looked '
                            'up by name: take one out, or give --images FOLDER with both below it')
        images[name] = path
    return images
