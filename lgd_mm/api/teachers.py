"""Names of teachers: ``MODEL/TAG`` of open_clip, or a local folder."""

from pathlib import Path
from typing import Any

import open_clip

from lgd_mm.api.nearest import did_you_mean
from lgd_mm.errors import UserError

LOCAL = 'local-dir:'
#: The tiny teacher of the generated world, which comes with the package.
SHAPES = 'shapes'
SHAPES_FOLDER = Path(__file__).resolve().parents[1] / 'datasets' / 'shapes' / 'teacher'


def teacher_names() -> list[str]:
    """``MODEL/TAG`` of every teacher of open_clip, as they are downloaded."""
    return [f'{model}/{tag}' for model, tag in open_clip.list_pretrained()]


def teacher_model(name: str) -> dict[str, Any]:
    """The config of a teacher; nothing is loaded or fetched.

    Args:
        name (str): ``'MODEL/TAG'`` of open_clip, ``'MODEL/FILE'`` with a file of weights, ``'local-dir:FOLDER'`` with
            an open_clip model, or ``'shapes'``.

    Returns:
        dict[str, Any]: For ``model.teacher``.

    Raises:
        UserError: If there is no such teacher; names the nearest.
    """
    if name == SHAPES:
        return _local(SHAPES_FOLDER)
    if name.startswith(LOCAL):
        return _local(Path(name.removeprefix(LOCAL)))
    model, _, tag = name.partition('/')
    tags = open_clip.list_pretrained_tags_by_model(model)
    if model in open_clip.list_models():
        if tag in tags:
            return dict(type='lgd_mm.OpenCLIPTeacher', model=model, pretrained=tag)
        if tag and Path(tag).is_file():
            return dict(type='lgd_mm.OpenCLIPTeacher', model=model, pretrained=str(Path(tag).resolve()))
        near = did_you_mean(tag, tags)
        raise UserError(f'teacher {name!r}: {model} has no such tag; {near}give {model}/TAG with one of '
                        f'{", ".join(tags) or "none"}, or {model}/FILE with a file of its weights')
    near = did_you_mean(name, [SHAPES, *teacher_names()])
    raise UserError(f'no teacher is called {name!r}; {near}give MODEL/TAG of open_clip (`lgd-mm list teachers`), '
                    f'MODEL/FILE with a file of its weights, {LOCAL}FOLDER, or {SHAPES}')


def teacher_size(model: str) -> int:
    """Side of the pictures a teacher takes, in pixels.

    Args:
        model (str): As open_clip calls it.

    Returns:
        int: The longer side.
    """
    size = open_clip.get_model_config(model)['vision_cfg'].get('image_size', 224)
    return int(max(size) if isinstance(size, (list, tuple)) else size)


def _local(folder: Path) -> dict[str, Any]:
    if not (folder / 'open_clip_config.json').is_file():
        raise UserError(f'teacher {LOCAL}{folder}: the folder holds no open_clip_config.json: give the folder of an '
                        'open_clip model')
    return dict(type='lgd_mm.OpenCLIPTeacher', model=f'{LOCAL}{folder.resolve()}')
