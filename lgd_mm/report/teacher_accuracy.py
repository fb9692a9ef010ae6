"""The teacher's own zero-shot accuracy, which the student's is measured by."""

import hashlib
import json
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.dataset import default_collate
from mmengine.registry import DATASETS, METRICS
from torch import nn
from torch.utils.data import DataLoader

from lgd_mm.io.files import write_text
from lgd_mm.models.common import with_scores
from lgd_mm.models.lgd import LGD
from lgd_mm.watching.loop import StudentValLoop, check_figures, looked_at, names_of

FILE = 'teacher_zero_shot.json'


def teacher_metrics(model: LGD, teacher: Any, cfg: Config, work_dir: Path) -> dict[str, float]:
    """Evaluate the teacher as the student is evaluated while it trains.

    It is done once: the result is kept in the work dir, and found again while teacher, names and data are the same. No
    other process takes part.

    Args:
        model (LGD): Its names, head and preprocessor are used.
        teacher (Any): An image tower that takes the student's images.
        cfg (Config): With ``val_dataloader`` and ``val_evaluator``.
        work_dir (Path): Of the run.

    Returns:
        dict[str, float]: The metrics, named as the student's.
    """
    file = work_dir / FILE
    decisive = Config(dict(dataset=cfg.val_dataloader.dataset, evaluator=cfg.val_evaluator)).pretty_text
    names = bytes(model.lgka.vocabulary.cpu().numpy())
    key = hashlib.sha256(decisive.encode() + names + teacher.fingerprint.encode()).hexdigest()
    if file.is_file() and (kept := json.loads(file.read_text()))['key'] == key:
        metrics: dict[str, float] = kept['metrics']
        return metrics
    metrics = _evaluate(model, teacher, cfg)
    write_text(file, json.dumps(dict(key=key, metrics=metrics), indent=1) + '\n')
    return metrics


@torch.no_grad()
def _evaluate(model: LGD, teacher: nn.Module, cfg: Config) -> dict[str, float]:
    dataset = DATASETS.build(cfg.val_dataloader.dataset)
    loader = DataLoader(dataset, cfg.val_dataloader.batch_size, num_workers=cfg.val_dataloader.get('num_workers', 0),
                        collate_fn=default_collate, generator=torch.Generator())
    evaluators = cfg.val_evaluator if isinstance(cfg.val_evaluator, (list, tuple)) else [cfg.val_evaluator]
    metrics = [METRICS.build(evaluator) for evaluator in evaluators]
    for metric in metrics:
        metric.dataset_meta = dataset.metainfo
    watched = str((cfg.get('val_cfg') or {}).get('type')).endswith(StudentValLoop.__name__)
    numbers = check_figures(metrics, dataset, names_of(model)) if watched else []
    for batch in loader:
        data = model.data_preprocessor(batch, False)
        embeddings = teacher(data['inputs'])
        if watched:
            samples = looked_at(model, embeddings, embeddings, data['data_samples'], numbers)
        else:
            scores = model.head.predict(model.lgka.textual_similarity(embeddings))
            samples = [sample.to_dict() for sample in with_scores(scores.cpu(), data['data_samples'])]
        for metric in metrics:
            metric.process(batch, samples)
    # Not evaluate(), in which all processes meet.
    return {f'{metric.prefix}/{name}' if metric.prefix else name: float(value)
            for metric in metrics for name, value in metric.compute_metrics(metric.results).items()}
