"""What a run was, in a few lines."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config
from torch import nn

from lgd_mm.models.many_students import ManyStudents
from lgd_mm.report.history_charts import evaluated
from lgd_mm.runs.history import History


def run_facts(cfg: Config, model: nn.Module | None, history: History,
              teacher: Mapping[str, float]) -> list[tuple[str, str]]:
    """Names and values for the head of the page.

    Args:
        cfg (Config): Of the run.
        model (nn.Module, optional): As trained.
        history (History): What the run logged.
        teacher (Mapping[str, float]): The teacher's metrics, or nothing.

    Returns:
        list[tuple[str, str]]: What there is to tell.
    """
    facts = []
    students = model.students.items() if isinstance(model, ManyStudents) else [('', model)]
    configs = cfg.model.get('students') or {'': cfg.model}
    for name, student in students:
        backbone = configs[name].get('backbone') if name in configs else None
        if backbone:
            facts.append((f'student {name}'.strip(), network(backbone) + size_of(getattr(student, 'backbone', None))))
    if cfg.model.get('teacher'):
        facts.append(('teacher', network(cfg.model.teacher)))
    if history.training:
        last = history.training[-1]
        length = f'{last["epoch"]:,} epochs' if 'epoch' in last else f'{last["iter"]:,} iterations'
        facts.append(('training', f'{length}, {cfg.train_dataloader.batch_size:,} images a step in each process'))
        facts.append(('loss', f'{history.training[0]["loss"]:.4g} at first, {last["loss"]:.4g} at last'))
    looks = [record['seconds'] for record in history.evaluations if isinstance(record.get('seconds'), (int, float))]
    if looks:
        facts.append(('watched', f'{len(looks)} time{"s" if len(looks) > 1 else ""}, {sum(looks):.1f} s in all'))
    for key in evaluated(history):
        value = [record[key] for record in history.evaluations if key in record][-1]
        facts.append((key, f'{value:.1f}' + (f', teacher {teacher[key]:.1f}' if key in teacher else '')))
    return facts


def network(cfg: Mapping[str, Any]) -> str:
    """A network's config in a few words, such as ``ResNet 18`` or ``RN50/openai``."""
    kind = str(cfg['type']).split('.')[-1]
    if kind == 'OpenCLIPTeacher':
        model = str(cfg.get('model', 'RN50'))
        if model.startswith('local-dir:'):
            return '/'.join(Path(model).parts[-2:])
        return f'{model}/{cfg.get("pretrained", "openai")}'
    if kind == 'CachedTeacher':
        return f'from the cache {cfg["cache"]}'
    if kind == 'BackboneTeacher':
        return network(cfg['backbone'])
    return ' '.join([kind, *(str(cfg[key]) for key in ('depth', 'arch', 'model_name', 'widen_factor') if key in cfg)])


def size_of(backbone: nn.Module | None) -> str:
    """Its parameters, to follow its name."""
    return f', {sum(value.numel() for value in backbone.parameters()) / 1e6:.2f} M parameters' if backbone else ''
