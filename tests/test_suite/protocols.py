"""A task's protocol as a number: what decides a figure beside the student."""

import hashlib
import json
from typing import Any

from lgd_mm.suite.definition import ROOT, resolved
from lgd_mm.suite.task_registry import RegisteredTask

#: Parts of a config that decide what is measured.
PARTS = ('model', 'train_dataloader', 'optim_wrapper', 'param_scheduler', 'train_cfg', 'custom_hooks', 'auto_scale_lr')
#: What only decides how fast it goes.
SPEED = ('num_workers', 'persistent_workers', 'pin_memory', 'prefetch_factor')


def protocol(task: RegisteredTask) -> str:
    """The first twelve digits of a SHA-256 of the resolved config and the metrics."""
    cfg = resolved(task.card.config, ()).to_dict()
    split = 'test' if task.card.test_only else 'val'
    parts = [*PARTS, f'{split}_dataloader', f'{split}_evaluator']
    content = [{part: _plain(cfg.get(part)) for part in parts}, [vars(metric) for metric in task.card.metrics],
               task.card.test_only, task.card.test_images]
    text = json.dumps(content, sort_keys=True, default=str).replace(str(ROOT), '')
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _plain(node: Any) -> Any:
    if isinstance(node, dict):
        return {str(key): _plain(value) for key, value in node.items() if key not in SPEED}
    return [_plain(value) for value in node] if isinstance(node, (list, tuple)) else node
