"""What mmengine does again and again at the start of a run, done once."""

import functools
import os
from types import ModuleType
from typing import Any


def format_once(module: ModuleType) -> None:
    """Format a config once: a run asks half a dozen times for its text, and each takes yapf about a second.

    Args:
        module (ModuleType): ``yapf.yapflib.yapf_api``.
    """
    slow = module.FormatCode

    @functools.lru_cache(maxsize=16)
    def remembered(text: str, style: tuple[tuple[str, Any], ...]) -> Any:
        return slow(text, style_config=dict(style))

    @functools.wraps(slow)
    def format_code(text: str, *args: Any, **options: Any) -> Any:
        style = options.get('style_config')
        if args or len(options) != 1 or not isinstance(style, dict):
            return slow(text, *args, **options)  # not mmengine's call
        return remembered(text, tuple(sorted(style.items())))

    module.FormatCode = format_code  # type: ignore[attr-defined]


def read_metafiles_once(module: ModuleType) -> None:
    """Read the metafiles of a library once, not again for each base of a config that is written ``mmdet::...``.

    Args:
        module (ModuleType): ``mmengine.config.utils``.
    """
    slow = module.load

    @functools.lru_cache(maxsize=512)
    def remembered(path: str, written: int, size: int) -> Any:
        return slow(path)

    def load(path: str) -> Any:
        facts = os.stat(path)
        return remembered(str(path), facts.st_mtime_ns, facts.st_size)

    module.load = load  # type: ignore[attr-defined]
