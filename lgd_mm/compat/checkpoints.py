"""Checkpoints of every library are read as data, and written whole or not at all; mmengine does neither."""

import pickle
import sys
from types import ModuleType
from typing import Any

import mmengine

from lgd_mm.errors import UserError
from lgd_mm.io.files import save_torch
from lgd_mm.io.safe_load import allowed_types, diagnosis, safe_torch_load


def refuse_unsafe_checkpoints(checkpoint_module: ModuleType) -> None:
    """Put the safe loaders into ``mmengine.runner.checkpoint``, so that the Runner's resume and load use them.

    Args:
        checkpoint_module (ModuleType): ``mmengine.runner.checkpoint``.

    Raises:
        ImportError: If it has no such loaders to replace: files would be loaded unsafely.
    """
    for name in ('_safe_torch_load', 'load_url'):
        if not hasattr(checkpoint_module, name):
            raise ImportError(f'mmengine {mmengine.__version__} reads checkpoints in another way than lgd_mm knows (no '
                              f'{checkpoint_module.__name__}.{name}): install the version that lgd_mm requires')
    load_url = checkpoint_module.load_url

    def safe_load_url(url: str, *args: Any, **kwargs: Any) -> Any:
        """As torch's, for http(s), torchvision and open-mmlab names, but it never runs code."""
        import torch

        with torch.serialization.safe_globals(allowed_types()):
            try:
                return load_url(url, *args, **{**kwargs, 'weights_only': True})
            except pickle.UnpicklingError as error:
                raise UserError(f'{url} {diagnosis(error)}') from error

    checkpoint_module._safe_torch_load = safe_torch_load  # type: ignore[attr-defined]
    checkpoint_module.load_url = safe_load_url  # type: ignore[attr-defined]


def write_whole_checkpoints(checkpoint_module: ModuleType) -> None:
    """Put a safe writer into ``mmengine.runner.checkpoint``, from which the Runner takes it.

    Args:
        checkpoint_module (ModuleType): ``mmengine.runner.checkpoint``.
    """
    save_elsewhere = checkpoint_module.save_checkpoint

    def save_checkpoint(checkpoint: dict[str, Any], filename: str, file_client_args: dict[str, Any] | None = None,
                        backend_args: dict[str, Any] | None = None) -> None:
        """As mmengine's; a file of this machine is written beside, synced and renamed."""
        if file_client_args or backend_args or '://' in filename:
            save_elsewhere(checkpoint, filename, file_client_args, backend_args)
        else:
            save_torch(filename, checkpoint)

    checkpoint_module.save_checkpoint = save_checkpoint  # type: ignore[attr-defined]
    if 'mmengine.runner.runner' in sys.modules:  # imported before this package: it has taken the other one
        sys.modules['mmengine.runner.runner'].save_checkpoint = save_checkpoint  # type: ignore[attr-defined]
