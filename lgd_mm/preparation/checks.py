"""Looking at a data set: counts, names, labels, and a sample of the files. Each finding is one sentence."""

import random
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from lgd_mm.console.words import some
from lgd_mm.errors import UserError
from lgd_mm.io.image_files import EXTENSIONS
from lgd_mm.io.images import open_image
from lgd_mm.preparation.check_annotations import check_annotations
from lgd_mm.preparation.spec import Annotations, DatasetSpec, Masks, Part, Pictures, TextFile
from lgd_mm.preparation.tree import Tree

#: Files of each folder that are decoded, drawn with seed 0.
SAMPLE = 200


def check_part(part: Part, tree: Tree) -> Iterator[str]:
    """What is wrong with a part.

    Args:
        part (Part): What it should be.
        tree (Tree): The data set.

    Yields:
        str: A sentence for each fault, with the path and what to do.
    """
    if not (tree / part.path).exists():
        if is_required(part):
            made = f'; it is made here of {some(part.rests_on)}' if isinstance(part, TextFile) and part.made else ''
            yield f'{part.path} is missing{made}'
    elif isinstance(part, Pictures):
        yield from _check_images(part, tree)
    elif isinstance(part, Masks):
        yield from _check_masks(part, tree)
    elif isinstance(part, TextFile):
        try:
            yield from part.faults(tree)
        except UserError as error:
            yield str(error)
    else:
        yield from check_annotations(part, tree)


def is_required(part: Part) -> bool:
    """Whether a data set is not whole without a part."""
    return not isinstance(part, (Pictures, TextFile)) or part.required


def rests_on(part: Part, spec: DatasetSpec) -> list[str]:
    """Paths of the parts that a part describes, or is made of."""
    if isinstance(part, TextFile):
        return list(part.rests_on)
    if isinstance(part, Masks):
        return [part.images]
    if isinstance(part, Annotations):
        return [part.folder] if part.folder else [each.path for each in spec.parts if isinstance(each, Pictures)]
    return []


def is_filled(part: Part, tree: Tree) -> bool:
    """Whether all of a part is there, judged by the number of its files."""
    if isinstance(part, (Annotations, TextFile)):
        return (tree / part.path).is_file()
    return part.count is not None and len(part_files(part, tree)) == part.count


def foreign_classes(part: Part, tree: Tree, folder: str) -> bool:
    """Whether a folder cannot be the part, as none of the sub-folders that are there has the name of a class."""
    if not isinstance(part, Pictures) or not part.class_pattern:
        return False
    names = [name for name in tree.subfolders(folder) if name != Path(part.path).name]
    return bool(names) and not any(re.fullmatch(part.class_pattern, name) for name in names)


def part_files(part: Pictures | Masks, tree: Tree) -> list[str]:
    """The files of a part that are where its images or masks should be."""
    suffixes = tuple(part.suffixes) if isinstance(part, Pictures) else (part.mask_suffix.lower(), )
    return [name for name in tree.with_suffix(part.path, suffixes) if name.count('/') == part.nested]


def _check_images(part: Pictures, tree: Tree) -> Iterator[str]:
    names = part_files(part, tree)
    yield from _check_count(part, len(names), 'images')
    strange = sorted(set(tree.with_suffix(part.path, EXTENSIONS)) - set(names))
    if strange:
        place = 'one sub-folder' if part.nested else 'the folder itself'
        yield (f'{part.path} has {len(strange):,} images that do not lie in {place} as {some(part.suffixes)}: move '
               f'or remove them ({some(strange)})')
    if part.nested:
        yield from _check_classes(part, tree, {name.split('/')[0] for name in names})
    for name in _sample(names, part.path):
        error = _decode(tree / part.path / name)[1]
        if error:
            yield f'{part.path}/{name} cannot be decoded ({error}): unpack or copy it again'


def _check_classes(part: Pictures, tree: Tree, filled: set[str]) -> Iterator[str]:
    folders = tree.subfolders(part.path)
    expected = list(part.classes()) if part.classes else folders
    missing, unknown = sorted(set(expected) - set(folders)), sorted(set(folders) - set(expected))
    if part.class_pattern:
        unknown = [folder for folder in folders if not re.fullmatch(part.class_pattern, folder)] or unknown
    empty = [folder for folder in folders if folder not in filled and folder not in unknown]
    if missing:
        yield f'{part.path} lacks {len(missing):,} folders of classes: copy or unpack them ({some(missing)})'
    if unknown:
        yield (f'{part.path} has {len(unknown):,} folders that are no class, and would shift the labels: move them '
               f'elsewhere ({some(unknown)})')
    if part.class_count is not None and len(folders) != part.class_count and not unknown:
        yield f'{part.path} has {len(folders):,} folders of classes instead of {part.class_count:,}'
    if empty:
        yield f'{part.path} has {len(empty):,} folders without an image: fill or remove them ({some(empty)})'


def _check_masks(part: Masks, tree: Tree) -> Iterator[str]:
    names = part_files(part, tree)
    yield from _check_count(part, len(names), f'masks *{part.mask_suffix}')
    found = [name for name in tree.files(part.images)
                if name.endswith(part.image_suffix) and name.count('/') == part.nested]
    of = {f'{name.removesuffix(part.image_suffix)}{part.mask_suffix}': name for name in found}
    without = sorted(set(of) - set(names))
    if without and names:
        yield (f'{part.path} lacks the masks of {len(without):,} images of {part.images}: unpack them again '
               f'({some(without)})')
    alone = sorted(set(names) - set(of))
    if alone and found:
        yield f'{part.path} has {len(alone):,} masks without an image in {part.images} ({some(alone)})'
    for name in _sample(names, part.path):
        yield from (f'{part.path}/{name} {fault}' for fault in _mask_faults(part, tree, name, of.get(name)))


def _mask_faults(part: Masks, tree: Tree, name: str, image: str | None) -> Iterator[str]:
    mask, error = _decode(tree / part.path / name)
    if error:
        yield f'cannot be decoded ({error}): unpack or copy it again'
    elif mask.ndim != 2:
        yield f'has {mask.shape[2]} channels instead of one: save it as a grey or palette PNG'
    else:
        strange = sorted(set(np.unique(mask).tolist()) - part.labels)
        if strange:
            yield f'holds the label {strange[0]}, and labels are {_ranges(part.labels)}: unpack it again'
        pixels = _decode(tree / part.images / image)[0] if image else mask
        if pixels.size and mask.shape != pixels.shape[:2]:  # what cannot be decoded is told of the images
            yield ('is {1} x {0} and its image {3} x {2}: unpack both again'.format(*mask.shape, *pixels.shape))


def _check_count(part: Pictures | Masks, found: int, what: str) -> Iterator[str]:
    if found == 0:
        yield f'{part.path} holds no {what}'
    elif part.count is not None and found != part.count:
        yield f'{part.path} holds {found:,} {what} instead of {part.count:,}'


def _sample(names: Sequence[str], path: str) -> Iterable[str]:
    chosen = sorted(random.Random(0).sample(names, SAMPLE)) if len(names) > SAMPLE else names
    return tqdm(chosen, desc=f'decoding some of {path}', disable=None, leave=False)


def _decode(path: Path) -> tuple[NDArray[Any], str]:
    """Its pixels, or why there are none."""
    try:
        with open_image(path) as image:
            return np.asarray(image), ''
    except Exception as error:  # Pillow's decoders raise whatever a broken file makes them stumble over
        return np.empty(0), f'{type(error).__name__}: {error}'


def _ranges(labels: frozenset[int]) -> str:
    """``0 to 18, 255`` for those numbers."""
    ordered = sorted(labels)
    starts = [label for label in ordered if label - 1 not in labels]
    ends = [label for label in ordered if label + 1 not in labels]
    return ', '.join(f'{start} to {end}' if start != end else f'{start}' for start, end in zip(starts, ends))
