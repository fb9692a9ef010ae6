"""An image or mask that a loader could not read, told in one sentence."""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from mmengine.config import Config

from lgd_mm.datasets.loading import UnreadableImage
from lgd_mm.datasets.of_config import datasets_of

#: What Python and mmcv say; a loader's worker hands over its whole traceback as the message.
LOST = re.compile(r"No such file or directory: '([^']+\.(?:jpe?g|png|bmp|tiff?|webp|ppm|pgm|gif|jp2|avif))'",
                  re.IGNORECASE)
BROKEN = re.compile(r'failed to load image: (.+)')
#: What lgd_mm.io.files.read_plain says.
NO_FILE = re.compile(r"it is (a \w+) and no plain file: '([^']+)'")
#: What lgd_mm.LoadImage says.
UNREADABLE = re.compile(r'^(?:lgd_mm\.datasets\.loading\.UnreadableImage: )?(.+?): \w*Error: .*\Z', re.MULTILINE)


class Owner(NamedTuple):
    """The data set that names a file: its key and config, the annotation file, and whether the file is a mask."""

    key: str
    dataset: Mapping[str, Any]
    annotations: str
    mask: bool


def bad_image(cfg: Config, error: Exception) -> str | None:
    """Say which image or mask is missing or broken, who names it, and the cure.

    Args:
        cfg (Config): The whole config.
        error (Exception): Of the run.

    Returns:
        str, optional: The sentence; None if the error is of something else.
    """
    text = str(error).strip()
    lost, strange = LOST.search(text), NO_FILE.search(text)
    broken = (UNREADABLE if isinstance(error, UnreadableImage) else BROKEN).search(text)
    found = lost or broken or strange
    if not found:
        return None
    path = found[found.lastindex or 1]
    owner = _owner(cfg, path)
    source = owner.annotations if owner else ''
    out = f'take it out of {source or "the data"}'
    if strange:
        return f'{path} is {strange[1]} and no plain file: put the file itself there, or {out}'
    if broken:
        return f'{path} cannot be decoded: replace it, or {out}'
    if owner and owner.mask:
        return f'mask {path} is missing: put it back, or take its image out of {source or "the data"}'
    cure = f'{path} is missing{f", and {source} names it" if source else ""}: put it back'
    skip = _skip(owner) if owner else None
    if skip:
        return f'{cure}, {out}, or leave missing images out of training with --cfg-options {skip}'
    return f'{cure}, or {out}: evaluation skips no image'


def _owner(cfg: Config, path: str) -> Owner | None:
    """The data set below whose folders a file lies; of several, the first whose annotations name it."""
    owners = list(_owners(cfg, Path(path).absolute()))
    naming = (owner for owner in owners
              if os.path.isfile(owner.annotations) and _stem(path) in Path(owner.annotations).read_bytes())
    return next(naming, owners[0] if owners else None)


def _owners(cfg: Config, path: Path) -> Iterator[Owner]:
    for split in ('train', 'val', 'test'):
        for key, dataset in datasets_of(cfg, split):
            root, prefix = dataset.get('data_root') or '', dataset.get('data_prefix') or ''
            for part, folder in (prefix if isinstance(prefix, Mapping) else dict(img=prefix)).items():
                if isinstance(folder, str) and path.is_relative_to(Path(root, folder).absolute()):
                    file = dataset.get('ann_file')
                    annotations = os.path.join(root, file) if isinstance(file, str) and file else ''
                    yield Owner(key, dataset, annotations, 'seg' in part)


def _stem(path: str) -> bytes:
    """A file's name without its ending, which lists of names leave out."""
    return Path(path).stem.encode()


def _skip(owner: Owner) -> str | None:
    """The option with which training draws another image; mmengine's evaluation cannot."""
    steps = [step['type'].rpartition('.')[2] for step in owner.dataset.get('pipeline') or ()]
    if not owner.key.startswith('train') or 'LoadImageFromFile' not in steps:
        return None
    return f'{owner.key}.pipeline.{steps.index("LoadImageFromFile")}.ignore_empty=True'
