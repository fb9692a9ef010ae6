"""A finished run -> a model of the local zoo."""

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from mmengine.config import Config
from mmpretrain.apis import get_model, list_models

from lgd_mm.engine.checks.preflight import check_weights
from lgd_mm.errors import UserError
from lgd_mm.io.digests import file_digest
from lgd_mm.io.files import read_plain, save_torch, write_text
from lgd_mm.io.new_folder import new_folder
from lgd_mm.safety.bounded_build import bounded_build
from lgd_mm.safety.config_text import write_config
from lgd_mm.version import __version__
from lgd_mm.zoo.finished import FinishedModel, read_run
from lgd_mm.zoo.index import SHA256, zoo_folder

#: All there is to say in the zoo's own index: a model is there once its folder is.
INDEX = {'Import': ['*/metafile.yml']}


class AddedModel(NamedTuple):
    """One model of the local zoo.

    Attributes:
        name (str): For ``mmpretrain.get_model``.
        config (Path): Its config file.
        weights (Path): Its file of weights.
    """

    name: str
    config: Path
    weights: Path


def add_run(run_dir: str | Path, name: str | None = None, zoo: str | Path | None = None) -> list[AddedModel]:
    """Add a finished run to the local zoo, for ``mmpretrain.get_model(NAME, pretrained=True)``.

    A pre-training adds ``NAME_headless`` and, where the student has the names of its pre-training,
    ``NAME_zero-shot``; every other run of ``tools/train.py`` adds ``NAME``.

    Args:
        run_dir (str | Path): Its work dir.
        name (str, optional): Defaults to the name of the work dir, in small letters.
        zoo (str | Path, optional): Folder of the zoo. Defaults to ``$LGD_ZOO_DIR``, else
            ``~/.local/share/lgd_mm/zoo``.

    Returns:
        list[AddedModel]: What was added; all of it, or nothing when an error is raised.

    Raises:
        UserError: If the run is not finished or cannot be read, the name is taken or has odd letters, or the zoo
            cannot be written to.
    """
    run, folder = Path(run_dir), Path(zoo) if zoo else zoo_folder()
    name = _checked_name(name or re.sub(r'[^a-z0-9._-]+', '-', run.resolve().name.lower()).strip('-._'))
    models = read_run(run, name)
    taken = {model.name for model in models}.intersection(list_models())
    if (folder / name).exists() or taken:
        raise UserError(f'{min(taken, default=name)} is the name of another model (of the zoo {folder}, lgd_mm or '
                        f'mmpretrain): give another --name, or remove {folder / name} if it is there')
    _check_index(folder / 'model-index.yml')
    with _new_folder(folder, name) as part:
        files = [_write(model, part) for model in models]
        content = dict(Models=[_entry(model, file, name) for model, file in zip(models, files)])
        (part / 'metafile.yml').write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True))
    return [AddedModel(model.name, folder / name / f'{model.name}.py', folder / name / file.name)
            for model, file in zip(models, files)]


def _checked_name(name: str) -> str:
    if not re.fullmatch(r'[a-z0-9][a-z0-9._-]*', name):
        raise UserError(f'--name {name!r}: a name in the zoo has small letters, digits and . _ - only')
    return name


def _check_index(file: Path) -> None:
    """See that the index of a folder, which is written anew, is that of a zoo.

    Raises:
        UserError: If it is another one.
    """
    if not os.path.lexists(file):
        return
    try:
        ours = yaml.safe_load(read_plain(file, limit=1 << 16)) == INDEX
    except (OSError, ValueError, RecursionError, yaml.YAMLError):
        ours = False
    if not ours:
        raise UserError(f'{file} is the index of something else, and would be replaced by that of a zoo: give another '
                        'folder by --zoo or LGD_ZOO_DIR')


@contextmanager
def _new_folder(zoo: Path, name: str) -> Iterator[Path]:
    """A folder of the zoo that appears when the block has ended, whole, or not at all."""
    try:
        with new_folder(zoo / name) as part:  # hidden, and the index passes over hidden folders
            yield part
            write_text(zoo / 'model-index.yml', yaml.safe_dump(INDEX))
    except OSError as error:
        if error.errno in (errno.EEXIST, errno.ENOTEMPTY):
            raise UserError(f'{name} is the name of another model, which was added to the zoo {zoo} meanwhile: give '
                            'another --name') from error
        raise UserError(f'the zoo {zoo} cannot be written to ({error}): name a folder with disk space that you may '
                        'write to, by --zoo or LGD_ZOO_DIR') from error


def _write(model: FinishedModel, folder: Path) -> Path:
    """Write config and weights; the name of the latter ends with a digest."""
    config, weights = folder / f'{model.name}.py', folder / 'weights.pth'
    write_config(Config(model.config), config)
    model.metadata['Parameters'] = _fit(model, config)
    meta = dict(model.meta, cfg=config.read_text(), lgd_mm=__version__)
    save_torch(weights, dict(meta=meta, state_dict=model.state))
    return weights.rename(folder / f'{model.name}-{file_digest(weights)[:8]}.pth')


def _fit(model: FinishedModel, config: Path) -> int:
    """See ``get_model`` build the config for these weights; returns the number of its parameters."""
    try:
        with bounded_build(model.state.values(), model.source):
            built = get_model(str(config))
    except (AssertionError, AttributeError, ImportError, KeyError, RuntimeError, TypeError, ValueError) as error:
        raise UserError(f'mmpretrain.get_model cannot build the model of {model.source} ({error}): give a run that '
                        'this version of the libraries has trained') from error
    check_weights(built, model.state, model.source)
    return sum(parameter.numel() for parameter in built.parameters())


def _entry(model: FinishedModel, weights: Path, name: str) -> dict[str, Any]:
    """The model in OpenMMLab's format; paths begin at the zoo."""
    return {
        'Name': model.name,
        'Metadata': {**model.metadata, SHA256: file_digest(weights)},
        'Results': [model.results] if model.results else None,
        'Weights': f'{name}/{weights.name}',
        'Config': f'{name}/{model.name}.py',
    }
