"""Regions of images that somebody gives, in memory."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from lgd_mm.datasets.regions import Regions
from lgd_mm.engine.regions.reading import Loading, Unreadable, tried_batches_of
from lgd_mm.engine.regions.source import check_features
from lgd_mm.errors import DataError


class Seen(NamedTuple):
    """An image and its regions.

    Attributes:
        path (str): Its file.
        regions (Regions): What was seen of it.
    """

    path: str
    regions: Regions


def regions_of_files(network: Any, paths: Sequence[str], loading: Loading,
                     unreadable: list[str]) -> Iterator[list[Seen]]:
    """What a network sees of images, one by one: none depends on its neighbours by being padded like them.

    Args:
        network (DetectorRegions | GridRegions): The network.
        paths (Sequence[str]): Of the images.
        loading (Loading): How they are read.
        unreadable (list[str]): What cannot be read, and why, is added to it.

    Yields:
        list[Seen]: Of the images of a batch that can be read, perhaps none.

    Raises:
        DataError: If none of the images can be read.
        UserError: If a feature is no number.
    """
    left = iter(paths)
    for batch in tried_batches_of(paths, [range(len(paths))], network.read, loading):
        seen = []
        for item, path in zip(batch, left):
            if isinstance(item, Unreadable):
                unreadable.append(f'{path}: {item.reason}')
                continue
            regions = network.regions([item])
            check_features(regions, [path])
            seen.append(Seen(path, regions[0]))
        yield seen
    if len(unreadable) == len(paths):
        raise DataError(f'none of {len(paths)} images can be read: {unreadable[0]}')
