"""What is wrong with images as files."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lgd_mm.console.progress import track
from lgd_mm.console.words import first_line
from lgd_mm.datasets.image_size import AT_ONCE, UPRIGHT
from lgd_mm.inspection.class_counts import evenly
from lgd_mm.inspection.facts import EXAMPLES, Inspection, Problem
from lgd_mm.io.images import open_image

#: Images whose pixels are decoded, at even distances: a copy that was cut off has a whole head.
DECODED = 300
#: Side, in pixels, below which a network of stride 32 sees a single cell.
SMALL = 32


def look_at_images(found: Inspection, paths: Sequence[Path]) -> list[Problem]:
    """Look at heads, and at the pixels of some.

    Args:
        found (Inspection): Sizes.
        paths (Sequence[Path]): The images whose heads were read.

    Returns:
        list[Problem]: Images that cannot be read, are turned or very small.
    """
    broken = [found.named(path) for path in paths if path not in found.sizes]
    whole = [path for path in paths if path in found.sizes]
    some = evenly(whole, DECODED)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        faults = list(track(pool.map(_fault, some), 'decoding', len(some)))
    cut = [f'{found.named(path)} ({fault})' for path, fault in zip(some, faults) if fault]
    of = f'of {len(some)} that were decoded ' if len(some) < len(whole) else ''
    has_places = found.form not in ('images', 'csv', 'folders')  # a label of the whole image lies in no place
    turned = [found.named(path) for path in whole if has_places and found.sizes[path].orientation != 1]
    small = [f'{found.named(path)} ({found.sizes[path]})' for path in whole
             if min(found.sizes[path].width, found.sizes[path].height) < SMALL]
    kinds = (
        (broken, 'images cannot be read', 'copy them again, or remove them'),
        (cut, f'images {of}are damaged: the head can be read, the rest cannot', 'copy them again, or remove them'),
        (turned, 'images are turned by their EXIF when read, and labels must lie as shown', UPRIGHT),
        (small, f'images have a side below {SMALL} pixels', 'leave them out, unless objects are as small'))
    return [Problem(what, len(names), names[:EXAMPLES], cure) for names, what, cure in kinds if names]


def _fault(path: Path) -> str | None:
    """Why an image cannot be decoded; JPEGs are decoded at an eighth of their size."""
    try:
        with open_image(path) as image:
            image.draft('RGB', (1, 1))
            image.load()
    except Exception as error:  # Pillow's decoders raise whatever a broken file makes them stumble over
        return first_line(error)
    return None
