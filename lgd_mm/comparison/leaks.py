"""Test images that are among the unlabelled ones."""

from collections.abc import Sequence
from pathlib import Path

from lgd_mm.api.images import images_in
from lgd_mm.io.same_content import found_among


def among(images: str, tested: Sequence[str]) -> list[str]:
    """Those of some images that a folder holds, by their content: under whichever names.

    Args:
        images (str): Folder of unlabelled images.
        tested (Sequence[str]): Paths.

    Returns:
        list[str]: Their paths.
    """
    found = found_among(map(Path, tested), map(Path, images_in(images)))
    return [path for path in dict.fromkeys(tested) if Path(path) in found]
