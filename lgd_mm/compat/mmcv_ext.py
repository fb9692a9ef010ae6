"""A stand-in for mmcv's compiled module ``mmcv._ext`` where mmcv was installed without a compiler."""

import sys
from collections.abc import Callable
from importlib import import_module
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from lgd_mm.errors import UserError

NAME = 'mmcv._ext'
KERNELS = 'lgd_mm.compat.torchvision_kernels'


def has_compiled_ext() -> bool:
    """Whether the installed mmcv brings its own compiled operators (looked up without importing mmcv)."""
    mmcv = find_spec('mmcv')
    return mmcv is not None and PathFinder.find_spec(NAME, mmcv.submodule_search_locations) is not None


def install_mmcv_ext() -> None:
    """Put the stand-in into ``sys.modules`` unless a compiled ``mmcv._ext`` is installed or loaded."""
    if NAME not in sys.modules and not has_compiled_ext():
        sys.modules[NAME] = _StandIn(NAME)


class _StandIn(ModuleType):
    """Has every operator that mmcv may ask for; those that torchvision lacks raise when they are called."""

    def __init__(self, name: str) -> None:
        super().__init__(name, __doc__)
        self.__spec__ = ModuleSpec(name, loader=None, origin='torchvision kernels')

    def __getattr__(self, name: str) -> Callable[..., Any]:
        # Not imported before an operator is asked for: `import lgd_mm` stays without torch.
        if name.startswith('__'):
            raise AttributeError(name)
        kernels = import_module(KERNELS)
        return getattr(kernels, name) if name in kernels.__all__ else _missing(name)


def _missing(name: str) -> Callable[..., Any]:
    def operator(*args: Any, **kwargs: Any) -> Any:
        raise UserError(
            f'the mmcv operator {name!r} needs compiled mmcv, but the installed mmcv has no compiled operators: '
            'run `make mmcv-ops` in the checkout of lgd_mm to build and install them'
        )

    operator.__name__ = name
    return operator
