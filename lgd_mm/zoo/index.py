"""Model indices in OpenMMLab's format: the shipped one and the local zoo's."""

import os
import warnings
from functools import cache
from pathlib import Path

import yaml
from modelindex.load_model_index import load
from modelindex.models.Model import Model

from lgd_mm.errors import UserError
from lgd_mm.io.digests import file_digest
from lgd_mm.zoo.imports import check_imports

PACKAGE = Path(__file__).resolve().parents[1]
#: Key in the metadata of a local model: the digest of its file of weights.
SHA256 = 'SHA256'


class ModelEntry(Model):
    """One model of an index, as mmpretrain's hub keeps it; its paths are whole."""

    @property
    def weights(self) -> str:
        """File or URL of the weights, which ``get_model(..., pretrained=True)`` asks for.

        Raises:
            UserError: If there are none, or the file is not what was added.
        """
        weights = self.data.get('Weights')
        if weights is None:
            raise UserError(f'no weights of {self.name} are published: give pretrained=FILE, of a training of your own')
        digest = self.metadata.data.get(SHA256) if self.metadata else None
        if digest is not None:
            _check_file(Path(weights), digest, self.name)
        return str(weights)


def known_models() -> list[ModelEntry]:
    """The shipped models, then those of the local zoo; a zoo that cannot be read is left out with a warning."""
    models = list(_shipped_models())
    local = zoo_folder() / 'model-index.yml'
    if local.is_file():
        try:
            models += read_index(local)
        except UserError as error:
            warnings.warn(f'the local zoo is left out: {error}', stacklevel=2)
    return models


@cache
def _shipped_models() -> tuple[ModelEntry, ...]:
    return tuple(read_index(shipped_index()))


def shipped_index() -> Path:
    """``model-index.yml`` of the installed package, or of the checkout."""
    installed = PACKAGE / '.mim' / 'model-index.yml'
    return installed if installed.is_file() else PACKAGE.parent / 'model-index.yml'


def zoo_folder() -> Path:
    """The local zoo: ``$LGD_ZOO_DIR``, by default ``~/.local/share/lgd_mm/zoo``; it may not exist."""
    return Path(os.environ.get('LGD_ZOO_DIR') or '~/.local/share/lgd_mm/zoo').expanduser()


def read_index(file: Path) -> list[ModelEntry]:
    """Read an index and the metafiles that it imports.

    Args:
        file (Path): ``model-index.yml``; the paths of configs and weights below it begin at its folder.

    Returns:
        list[ModelEntry]: The models of all metafiles.

    Raises:
        UserError: If the index or a metafile cannot be read, or is not in the format.
    """
    try:
        check_imports(file)
        index = load(str(file))
        mistakes = index.check(silent=True)
        mistakes += [f'{model.name} has no Config' for model in index.models if not model.config]
    except (OSError, ValueError, TypeError, AttributeError, KeyError, RecursionError,
            yaml.YAMLError) as error:  # of a file in another format
        raise UserError(f'{file} or a metafile that it imports cannot be read ({error}): put it right or remove it'
                        ) from error
    if mistakes:
        raise UserError(f'{file} has a mistake ({mistakes[0]}): put it right')
    root = file.resolve().parent
    for model in index.models:
        model.__class__ = ModelEntry
        config = os.path.normpath(root / model.config)
        if not Path(config).is_relative_to(root):
            raise UserError(f'{file}: the config of {model.name} ({model.config}) lies outside of {root}: a zoo has '
                            'its configs, which are programs, in its own folder')
        model.config = config
        if model.data.get('Weights') and '://' not in model.data['Weights']:
            model.data['Weights'] = str(root / model.data['Weights'])
    return list(index.models)


def _check_file(file: Path, digest: str, name: str) -> None:
    if not file.is_file():
        raise UserError(f'{file}, the weights of {name}, is gone: remove {file.parent} and add the run again')
    if file_digest(file) != digest:
        raise UserError(f'{file}, the weights of {name}, is not what was added (its SHA-256 differs): remove '
                        f'{file.parent} and add the run again')
