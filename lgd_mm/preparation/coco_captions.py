"""COCO's captions in the split of Karpathy and Fei-Fei, from its one file to those that the configs read."""

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from lgd_mm.console.words import some
from lgd_mm.errors import DataError
from lgd_mm.io.files import write_text
from lgd_mm.io.named_file import name_fault
from lgd_mm.io.texts import read_json
from lgd_mm.preparation.links import refuse_links
from lgd_mm.preparation.spec import DatasetSpec, Repair
from lgd_mm.preparation.tree import Tree

#: The file of all splits, in ``caption_datasets.zip``.
WHOLE = 'dataset_coco.json'
#: What each of the configs' files takes from it, and has entries: of training, each caption is one.
SPLITS = dict(train=('train', 'restval'), val=('val', ), test=('test', ))
COUNTS = dict(train=566_747, val=5_000, test=5_000)


def file_of(split: str) -> str:
    """Path of a split below the tree."""
    return f'annotations/coco_karpathy_{split}.json'


def missing_splits(tree: Tree, spec: DatasetSpec, folders: Sequence[Path]) -> Iterator[Repair]:
    """Splits that lie in Karpathy's file alone.

    Args:
        tree (Tree): The data set.
        spec (DatasetSpec): COCO's captions.
        folders (Sequence[Path]): The user's root first.

    Yields:
        Repair: Writes them, as published by others: ``image``, ``caption`` (of training one, else all of an image) and
            ``image_id``.

    Raises:
        UserError: If they would come to lie behind a link.
    """
    source = next((path for path in (tree / 'annotations' / WHOLE, tree / WHOLE) if path.is_file()), None)
    missing = [split for split in SPLITS if not (tree / file_of(split)).exists()]
    if source and missing:
        files = [file_of(split) for split in missing]
        refuse_links(folders[0], *(tree / file for file in files))
        yield Repair(f'{source.relative_to(tree.root)} is not divided into {some(files)}', files,
                     partial(_write, tree, source, missing))


def _write(tree: Tree, source: Path, missing: Sequence[str]) -> None:
    content = read_json(source)
    images = content.get('images') if isinstance(content, dict) else None
    try:
        texts = {split: json.dumps(entries_of(images or (), split)) for split in missing}
    except (KeyError, TypeError) as error:
        raise DataError(f'{source} is not of the form of {WHOLE} ({type(error).__name__}: {error}): unpack it again'
                        ) from error
    empty = [split for split, text in texts.items() if text == '[]']
    if empty:
        raise DataError(f'{source} has no images of the split {empty[0]!r}: unpack {WHOLE} again')
    for split, text in texts.items():
        write_text(tree / file_of(split), text)


def entries_of(images: Sequence[Mapping[str, Any]], split: str) -> list[dict[str, Any]]:
    """Entries of one of the configs' files.

    Args:
        images (Sequence[Mapping]): Of Karpathy's file: ``filepath``, ``filename``, ``cocoid``, ``split``, and
            ``sentences`` with ``raw``.
        split (str): Of :data:`SPLITS`.
    """
    entries = []
    for image in images:
        if image['split'] in SPLITS[split]:
            about = dict(image=f'{image["filepath"]}/{image["filename"]}', image_id=f'coco_{image["cocoid"]}')
            captions = [sentence['raw'] for sentence in image['sentences']]
            entries += [dict(about, caption=caption) for caption in (captions if split == 'train' else [captions])]
    return entries


def faults(split: str, tree: Tree) -> Iterator[str]:
    """What is wrong with one of the configs' files: form, number, and images that are not there.

    Raises:
        UserError: If it is no JSON.
    """
    path = file_of(split)
    entries = read_json(tree / path)
    if not isinstance(entries, list):
        yield f'{path} is no list of captions: take the published file'
        return
    odd = next((index for index, entry in enumerate(entries) if not _is_entry(entry)), None)
    if odd is not None:
        yield f'{path} has no valid image or caption in entry {odd}: take the published file'
        return
    if len(entries) != COUNTS[split]:
        yield f'{path} has {len(entries):,} entries instead of {COUNTS[split]:,}'
    names = sorted({entry['image'] for entry in entries})
    strange = next((name for name in names if name_fault(name)), None)
    if strange is not None:
        yield f'{path} names {strange!r}, which {name_fault(strange)}: take the published file'
        return
    there = {folder: set(tree.files(folder)) for folder in {str(PurePosixPath(name).parent) for name in names}}
    missing = [name for name in names if PurePosixPath(name).name not in there[str(PurePosixPath(name).parent)]]
    if missing:
        yield f'{path} names {len(missing):,} images that are not there: unpack or copy them ({some(missing, 3)})'


def _is_entry(entry: Any) -> bool:
    if not isinstance(entry, dict) or not isinstance(entry.get('image'), str):
        return False
    captions = entry.get('caption')
    return isinstance(captions, str) or (
        isinstance(captions, list) and bool(captions) and all(isinstance(caption, str) for caption in captions))
