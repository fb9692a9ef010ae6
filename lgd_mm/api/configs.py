"""Where the ready configs lie: in the checkout, or within an installed package."""

from pathlib import Path

from lgd_mm.errors import UserError

PACKAGE = Path(__file__).resolve().parents[1]
#: A config that every copy has; other packages have folders called ``configs`` too.
WITNESS = 'lgd/r18_pretrain.py'


def config_root() -> Path:
    """The folder of the ready configs.

    Returns:
        Path: ``configs`` of the checkout, or ``lgd_mm/.mim/configs`` of an installed package.

    Raises:
        UserError: If the package was installed without them.
    """
    for root in (PACKAGE.parent / 'configs', PACKAGE / '.mim' / 'configs'):
        if (root / WITNESS).is_file():
            return root
    raise UserError(f'the ready configs are neither beside {PACKAGE} nor in its folder .mim: install lgd_mm again, '
                    'from a wheel or with `pip install -e .` in a checkout')


def ready_config(name: str) -> Path:
    """The file of a ready config.

    Args:
        name (str): Below the folder of configs, such as ``'lgd/r18_pretrain.py'``.

    Returns:
        Path: The file.

    Raises:
        UserError: If the package was installed without it.
    """
    return config_root() / name


def ready_configs() -> list[str]:
    """Names of all ready configs that can be run, sorted."""
    root = config_root()
    names = (path.relative_to(root) for path in root.rglob('*.py'))
    return sorted(str(name) for name in names if name.parts[0] != '_base_')
