"""Checkpoints of every library are written whole or not at all; mmengine's own are cut off when a run is killed."""

import sys
from types import ModuleType
from typing import Any

from lgd_mm.io.files import save_torch


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
