"""mmpretrain's models of images and texts need transformers 4; beside a newer one, its import would fail."""

from types import ModuleType


def leave_out_multimodal(dependency_module: ModuleType) -> None:
    """Have mmpretrain pass them over, as it does without transformers, if transformers is of another age.

    Args:
        dependency_module (ModuleType): ``mmpretrain.utils.dependency``.
    """
    if dependency_module.satisfy_requirement('transformers>=5'):
        dependency_module.WITH_MULTIMODAL = False  # type: ignore[attr-defined]
