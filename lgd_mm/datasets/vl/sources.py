"""Entries of the data sets of mmpretrain that texts are taken from."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

# These register themselves: mmpretrain asks them to only beside a transformers of its age, which they do without.
import mmpretrain.datasets.coco_caption
import mmpretrain.datasets.coco_vqa
import mmpretrain.datasets.gqa_dataset  # noqa: F401
from mmengine.registry import build_from_cfg

from lgd_mm.errors import DataError, UserError
from lgd_mm.io.texts import read_json
from lgd_mm.registry import DATASETS

#: What these read, for messages.
FORMS = dict(COCOCaption='a list of entries with image and caption (coco_karpathy_*.json)',
             COCOVQA='questions and annotations of VQA v2', GQA='a list of entries with image, question and answer')


def entries_of(source: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Entries of a data set of mmpretrain, without images.

    Args:
        source (Mapping[str, Any]): Its config.

    Raises:
        UserError: If there are none, a file is missing or of another form, or an image is not there.
    """
    kind = source['type'].rpartition('.')[2]
    dataset = build_from_cfg(dict(source, pipeline=[], lazy_init=True), DATASETS)
    try:
        entries = list(dataset.load_data_list())
    except (ArithmeticError, AssertionError, AttributeError, LookupError, OSError, TypeError, ValueError) as error:
        raise _told(kind, dataset, error) from error
    if not entries:
        raise DataError(f'{dataset.ann_file} has no entries: name the file of {kind}')
    return entries


def _told(kind: str, dataset: Any, error: Exception) -> UserError:
    """What is wrong with the files that a data set could not read."""
    files = [file for file in (getattr(dataset, 'question_file', ''), dataset.ann_file) if file]
    contents = [read_json(file) for file in files]  # is there, and JSON
    folder = dataset.data_prefix.get('img_path') or '.'
    if kind == 'COCOVQA' and not Path(folder).is_dir():
        return UserError(f'{folder} does not exist: put or link the images there, or set data_prefix')
    listed = _lists(contents)
    if kind == 'COCOVQA' and listed is not None:
        if len(listed) == 2 and [each.get('question_id') for each in listed[0]] != [
                each.get('question_id') for each in listed[1]]:
            return DataError(f'{files[1]} is not of the questions of {files[0]}, in their order: give both of the same '
                             'part')
        if isinstance(error, KeyError) and type(error.args[0]) is int:
            return DataError(f'{folder} has no image with the number {error.args[0]}, which {files[0]} asks about: '
                             'unpack it, or set data_prefix')
    return DataError(f'{" or ".join(files)} cannot be read as {kind} ({type(error).__name__}: {error}): give '
                     f'{FORMS.get(kind, "its files")}')


def _lists(contents: list[Any]) -> list[list[dict[str, Any]]] | None:
    """Questions and annotations of VQA v2; None if these are no such files."""
    found = [content.get(key) if isinstance(content, dict) else None
             for content, key in zip(contents, ('questions', 'annotations'))]
    lists = [each for each in found if isinstance(each, list) and all(isinstance(one, dict) for one in each)]
    return lists if len(lists) == len(contents) else None
