"""Version guard: the installed libraries against the ranges stated in ``requirements/``."""

from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

REQUIREMENTS = Path(__file__).parents[2] / 'requirements'
FILES = ('runtime.txt', 'openmmlab.txt')
GUARDED = ('torch', 'torchvision', 'open_clip_torch')
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

    Raises:
        ImportError: Naming the first library that is missing, of the original OpenMMLab family, or of another
            version than the supported ones.
    """
    for name, requirement in required().items():
        original = name.removeprefix(FAMILY)
        if original != name and (other := _installed(original)):
            raise ImportError(
                f'{original} {other} is installed, but lgd_mm needs {requirement} and the two families of OpenMMLab '
                f'cannot be mixed: run `pip uninstall {original}`, then `pip install --force-reinstall "{requirement}"`'
            )
        version = _installed(name)
        if version is None:
            raise ImportError(
                f'{name} is not installed, but lgd_mm needs {requirement}: run `pip install "{requirement}"`'
            )
        if not requirement.specifier.contains(version, prereleases=True):
            raise ImportError(
                f'{name} {version} is installed, but lgd_mm needs {requirement}: run `pip install "{requirement}"`'
            )


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
