"""An index of images, by which runs of any size begin at once."""

import os
from pathlib import Path

from lgd_mm.api.images import check_folder
from lgd_mm.datasets.index import ImageIndex, build_index
from lgd_mm.storage.urls import is_url


def index(images: str | Path, out: str | Path, *, jobs: int | None = None, checked: bool = True) -> ImageIndex:
    """Write down where each image of a folder lies, or each in the shards (``*.tar``) below it: the result takes the
    place of the folder in :func:`lgd_mm.pretrain`. Stopped at any moment, the same call goes on.

    Args:
        images (str | Path): The folder, or its URL in an object store.
        out (str | Path): New folder of the index.
        jobs (int, optional): Processes. Defaults to None: one for each CPU core.
        checked (bool): Read all images, so that one that is damaged later is skipped, and named, instead of being
            taught. Defaults to True.

    Returns:
        ImageIndex: The index.

    Raises:
        UserError: If there is no image, one cannot be read, or the index cannot be written.
    """
    if not is_url(images):
        check_folder(Path(images))
    build_index(images, out, jobs or len(os.sched_getaffinity(0)), checked)
    return ImageIndex(out)
