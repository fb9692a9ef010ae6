"""Do the masks of a set fit its images and its classes?"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tqdm import tqdm

from lgd_mm.console.words import some
from lgd_mm.datasets.image_size import AT_ONCE, check_orientations, image_sizes
from lgd_mm.datasets.mask_file import IGNORED, labels_in, mask_header
from lgd_mm.errors import DataError
from lgd_mm.own_data.check_labels import no_class, of_another_size


def check_masks(folder: Path, pairs: Sequence[tuple[Path, Path]], classes: Sequence[str], fewest: int) -> str | None:
    """Look at the header of every image and mask, and at the labels of masks until each class was seen.

    Args:
        folder (Path): Of the masks, for the sentences.
        pairs (Sequence[tuple[Path, Path]]): Images and their masks.
        classes (Sequence[str]): Names in the order of the labels.
        fewest (int): Classes that there must be.

    Returns:
        str, optional: Which classes no mask has.

    Raises:
        UserError: If a mask is none, is not as large as its image, or has a label that is no class; if EXIF turns
            images and nothing tells whether masks follow; or if there are too few classes.
    """
    images, masks = zip(*pairs)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        sizes = list(image_sizes(images, str(images[0].parent)))
        headers = tqdm(pool.map(mask_header, masks), desc=f'headers of {folder}', total=len(masks), disable=None,
                       leave=False, delay=1)
        for image, mask, size, header in zip(images, masks, sizes, headers):
            if size is not None and header[:2] != size[:2]:
                raise DataError(of_another_size(str(mask), header[:2], size[:2], str(image)))
    check_orientations(((str(image), size) for image, size in zip(images, sizes) if size is not None),
                       f'the masks in {folder}')
    return _absent(folder, masks, classes, fewest)


def _absent(folder: Path, masks: Sequence[Path], classes: Sequence[str], fewest: int) -> str | None:
    """Which classes no mask has; a set with all of them shows that soon."""
    seen: set[int] = set()
    every = set(range(len(classes)))
    with ThreadPoolExecutor() as pool:
        starts = range(0, len(masks), AT_ONCE)
        for start in tqdm(starts, desc=f'labels in {folder}', disable=None, leave=False, delay=1):
            batch = masks[start:start + AT_ONCE]
            for path, labels in zip(batch, pool.map(labels_in, batch)):
                strange = labels - every - {IGNORED}
                if strange:
                    raise DataError(no_class(str(path), min(strange), len(classes)))
                seen |= labels
            if every <= seen:
                return None
    absent = [f'{label} ({classes[label]})' for label in sorted(every - seen)]
    ignored = '; 255 is ignored' if IGNORED in seen else ''
    sentence = f'{folder}: no mask has label {some(absent)}{ignored}'
    if len(seen & every) < fewest:
        raise DataError(f'{sentence}: each pixel holds the number of a class, from 0 in the order of classes.txt')
    return sentence
