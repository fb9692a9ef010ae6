"""Version guard: the installed libraries against the ranges stated in ``requirements/``."""

import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

from lgd_mm.errors import MissingError

REQUIREMENTS = Path(__file__).parents[2] / 'requirements'
FILES = ('runtime.txt', 'openmmlab.txt')
GUARDED = ('torch', 'torchvision', 'open_clip_torch')
#: How the command is called while this package is imported: by its script, and by ``python -m lgd_mm``.
COMMANDS = ('lgd-mm', '-m')
FAMILY = 'onedl-'  # prefix of the maintained continuation of OpenMMLab; the rest of the name is the original's


def required() -> dict[str, Requirement]:
    """The guarded libraries' requirements by name: from the checkout's files, else from the installed package's."""
    if all((REQUIREMENTS / name).is_file() for name in FILES):
        lines = [line for name in FILES for line in (REQUIREMENTS / name).read_text().splitlines()]
        lines = [line for line in lines if line and not line.startswith('#')]
    else:
        lines = [line for line in metadata.requires('lgd_mm') or [] if 'extra ==' not in line]
    requirements = [Requirement(line) for line in lines]
    return {each.name: each for each in requirements if each.name in GUARDED or each.name.startswith(FAMILY)}


def check_versions() -> None:
    """Compare the installed libraries with the supported ranges.

    Of the command, ``lgd-mm doctor`` names all that are wrong, and every other one the first, without a traceback.

    Raises:
        ImportError: Naming the first library that is missing, of the original OpenMMLab family, or of another
            version than the supported ones.
    """
    if not (found := list(problems())):
        return
    if Path(sys.argv[0]).name in COMMANDS:
        doctor = sys.argv[1:2] == ['doctor']
        for sentence in found if doctor else found[:1]:
            print(f'!! {sentence}' if doctor else f'error: {sentence}', file=sys.stdout if doctor else sys.stderr)
        sys.exit(1 if doctor else MissingError.code)
    raise ImportError(found[0])


def problems() -> Iterator[str]:
    """What is wrong with the installed libraries, each with its cure."""
    for name, requirement in required().items():
        original = name.removeprefix(FAMILY)
        if original != name and (other := _installed(original)):
            yield (
                f'{original} {other} is installed, but lgd_mm needs {requirement} and the two families of OpenMMLab '
                f'cannot be mixed: run `pip uninstall {original}`, then `pip install --force-reinstall "{requirement}"`'
            )
            continue
        version = _installed(name)
        if version is None:
            yield (
                f'{name} is not installed, but lgd_mm needs {requirement}: run `pip install "{requirement}"`'
            )
        elif not requirement.specifier.contains(version, prereleases=True):
            yield (
                f'{name} {version} is installed, but lgd_mm needs {requirement}: run `pip install "{requirement}"`'
            )


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
