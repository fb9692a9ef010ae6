"""Names of teachers: ``MODEL/TAG`` of open_clip, or a local folder."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lgd_mm.api.known_names import models_of_open_clip, tags_of_open_clip
from lgd_mm.console.rank_zero import print_rank0
from lgd_mm.console.words import did_you_mean, some
from lgd_mm.errors import UserError

LOCAL = 'local-dir:'
#: The tiny teacher of the generated world, which comes with the package.
SHAPES = 'shapes'
#: What it knows: :data:`lgd_mm.datasets.shapes.SHAPES` in :data:`~lgd_mm.datasets.shapes.COLOURS`.
WORLD = ('circle', 'crescent', 'cross', 'diamond', 'ring', 'square', 'star', 'triangle',
         'blue', 'green', 'orange', 'purple', 'red', 'yellow')
SHAPES_FOLDER = Path(__file__).resolve().parents[1] / 'datasets' / 'shapes' / 'teacher'


def teacher_names() -> list[str]:
    """``MODEL/TAG`` of every teacher of open_clip, as they are downloaded."""
    import open_clip
    return [f'{model}/{tag}' for model, tag in open_clip.list_pretrained()]


def check_teacher(name: str) -> None:
    """Refuse what cannot be a teacher's name, within milliseconds: open_clip, which knows the tags, is not imported.

    Args:
        name (str): As of :func:`teacher_model`.

    Raises:
        UserError: If open_clip has no such model or tag, or a local folder holds none; names the nearest.
    """
    if name.startswith(LOCAL):
        _local(Path(name.removeprefix(LOCAL)).expanduser())
        return
    if name == SHAPES:
        return
    models = models_of_open_clip()
    model, slash, tag = name.partition('/')
    if model not in models:
        near = did_you_mean(name, [SHAPES, *(f'{each}{slash}{tag}' for each in models)])
        near += f'for the folder give {LOCAL}{name}; ' if Path(name).is_dir() else ''
        raise UserError(f'no teacher is called {name!r}; {near}give MODEL/TAG of open_clip (`lgd-mm list teachers`), '
                        f'MODEL/FILE with a file of its weights, {LOCAL}FOLDER, or {SHAPES}')
    tags = tags_of_open_clip().get(model, ())
    if tag in tags or tag and Path(tag).expanduser().is_file():
        return
    given, is_given, file = tag.partition('=')
    if not is_given or given not in tags:
        raise UserError(f'teacher {name!r}: {model} has no such tag; {did_you_mean(tag, tags)}give {model}/TAG with '
                        f'one of {", ".join(tags) or "none"}, or {model}/FILE with a file of its weights that is there')
    if not Path(file).expanduser().is_file():
        raise UserError(f'teacher {name!r}: there is no file {Path(file).expanduser()}: give the file of the weights '
                        f'of {given}')


def teacher_model(name: str) -> dict[str, Any]:
    """The config of a teacher; nothing is loaded or fetched.

    Args:
        name (str): ``'MODEL/TAG'`` of open_clip, ``'MODEL/FILE'`` with a file of weights, ``'MODEL/TAG=FILE'`` if the
            model's tags differ in what their weights need, ``'local-dir:FOLDER'`` with an open_clip model, or
            ``'shapes'``.

    Returns:
        dict[str, Any]: For ``model.teacher``.

    Raises:
        UserError: If there is no such teacher; names the nearest. If the tags differ and none is given.
    """
    check_teacher(name)
    if name == SHAPES:
        return _local(SHAPES_FOLDER)
    if name.startswith(LOCAL):
        return _local(Path(name.removeprefix(LOCAL)).expanduser())
    model, _, tag = name.partition('/')
    if tag in tags_of_open_clip().get(model, ()):
        return dict(type='lgd_mm.OpenCLIPTeacher', model=model, pretrained=tag)
    file = Path(tag).expanduser()
    if file.is_file():
        from lgd_mm.models.teachers.tags import tag_of_file  # brings open_clip
        return _of_file(model, tag_of_file(model, file, f'--teacher {model}/TAG={tag}'), file)
    tag, _, path = tag.partition('=')
    return _of_file(model, tag, Path(path).expanduser())


def about_shapes(names: Sequence[str]) -> str:
    """What the tiny teacher is for, and which names it has never seen.

    Args:
        names (Sequence[str]): Of the categories.

    Returns:
        str: One or two sentences.
    """
    known = (f'teacher {SHAPES} is tiny and for trying commands: it knows {", ".join(WORLD)}, such as "red star", and '
             'nothing else')
    unknown = [name for name in names if not set(name.casefold().split()) <= set(WORLD)]
    if not unknown:
        return known
    return (f'{known}\nwarning: {len(unknown)} of {len(names)} names mean nothing to it ({some(unknown)}): take '
            'another teacher for them, such as RN50/openai')


def teacher_size(model: str) -> int:
    """Side of the images a teacher takes, in pixels.

    Args:
        model (str): As open_clip calls it.

    Returns:
        int: The longer side.
    """
    import open_clip
    size = open_clip.get_model_config(model)['vision_cfg'].get('image_size', 224)
    return int(max(size) if isinstance(size, (list, tuple)) else size)


def _of_file(model: str, tag: str | None, file: Path) -> dict[str, Any]:
    """The file as it is called: where a link leads to may have no ending."""
    path = str(file.absolute())
    if tag is None:
        return dict(type='lgd_mm.OpenCLIPTeacher', model=model, pretrained=path)
    print_rank0(f'teacher {path}: with the activation and image statistics of {model}/{tag}')
    return dict(type='lgd_mm.OpenCLIPTeacher', model=model, pretrained=tag, checkpoint=path)


def _local(folder: Path) -> dict[str, Any]:
    if not (folder / 'open_clip_config.json').is_file():
        found = 'the folder holds no open_clip_config.json' if folder.is_dir() else 'there is no such folder'
        raise UserError(f'teacher {LOCAL}{folder}: {found}: give the folder of an '
                        'open_clip model')
    return dict(type='lgd_mm.OpenCLIPTeacher', model=f'{LOCAL}{folder.resolve()}')
