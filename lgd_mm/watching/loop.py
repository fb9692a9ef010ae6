"""mmengine's validation, of the student of a pre-training."""

import time
from collections.abc import Sequence
from typing import Any

import torch
from mmengine.runner import ValLoop
from mmengine.runner.amp import autocast
from torch import Tensor

from lgd_mm.datasets.image_folder import preserved_random_states
from lgd_mm.errors import UserError
from lgd_mm.language import Vocabulary
from lgd_mm.models.bare_model import bare_model
from lgd_mm.models.distiller import Distiller
from lgd_mm.models.features import mean_pool
from lgd_mm.models.lgd import LGD
from lgd_mm.registry import LOOPS
from lgd_mm.watching.metrics import StudentMetric
from lgd_mm.watching.names import no_neighbours, no_zero_shot, numbers_of


@LOOPS.register_module()
class StudentValLoop(ValLoop):
    """mmengine's, which hands the metrics of this package what the student makes of each image, in eval mode, with the
    weights and the batch norms' averages that a checkpoint of the moment has.

    The training is not changed by it: every random state is as it was before. With the metrics it logs the ``seconds``
    that it took.

    Args:
        runner (Runner): Of a :class:`lgd_mm.models.distiller.Distiller`.
        dataloader (DataLoader | dict): Of :class:`lgd_mm.watching.WatchedImages`.
        evaluator (Evaluator | dict | list): Of :class:`lgd_mm.watching.RankMe` and others of this package.
        fp16 (bool): Look with autocast. Defaults to False.

    Raises:
        UserError: If a figure cannot be measured on these images.
    """

    def __init__(self, runner: Any, dataloader: Any, evaluator: Any, fp16: bool = False) -> None:
        super().__init__(runner, dataloader, evaluator, fp16)
        self.student = bare_model(runner.model)
        if not isinstance(self.student, Distiller):
            raise UserError(f'val_cfg.type=lgd_mm.StudentValLoop watches one student that a teacher teaches, and '
                            f'{type(self.student).__name__} is none: leave val_cfg, val_dataloader and val_evaluator '
                            'out')
        dataset = self.dataloader.dataset
        self.numbers = check_figures(self.evaluator.metrics, dataset, names_of(self.student))

    def run(self) -> dict[str, float]:
        """Look at all images."""
        begin = time.perf_counter()
        with preserved_random_states():  # the iterator of a loader draws a number
            self.runner.call_hook('before_val')
            self.runner.call_hook('before_val_epoch')
            self.runner.model.eval()
            for index, batch in enumerate(self.dataloader):
                self.run_iter(index, batch)
            metrics: dict[str, float] = self.evaluator.evaluate(len(self.dataloader.dataset))
        metrics['seconds'] = time.perf_counter() - begin
        self.runner.call_hook('after_val_epoch', metrics=metrics)
        self.runner.call_hook('after_val')
        return metrics

    @torch.no_grad()
    def run_iter(self, idx: int, data_batch: Any) -> None:
        """Look at a batch."""
        self.runner.call_hook('before_val_iter', batch_idx=idx, data_batch=data_batch)
        data = self.student.data_preprocessor(data_batch, False)
        with autocast(enabled=self.fp16):
            maps = self.student.features(data['inputs'])
            pooled = mean_pool(maps[-1])
            embeddings = pooled if self.student.neck is None else self.student.neck(maps)
        outputs = looked_at(self.student, pooled, embeddings, data['data_samples'], self.numbers)
        self.evaluator.process(data_samples=outputs, data_batch=data_batch)
        self.runner.call_hook('after_val_iter', batch_idx=idx, data_batch=data_batch, outputs=outputs)


def names_of(student: Distiller) -> tuple[str, ...]:
    """Category names that a student is taught with; empty for a method without names."""
    return Vocabulary.from_tensor(student.lgka.vocabulary).categories if isinstance(student, LGD) else ()


def check_figures(metrics: Sequence[Any], dataset: Any, names: Sequence[str]) -> list[int | None]:
    """See that figures can be measured.

    Args:
        metrics (Sequence[BaseMetric]): The figures.
        dataset (WatchedImages): The images.
        names (Sequence[str]): Category names of the pre-training.

    Returns:
        list[int | None]: The place among the names of each class.

    Raises:
        UserError: If one needs what the images or the run do not have.
    """
    folders = getattr(dataset, 'labelled', [])
    lacking = dict(names=no_zero_shot(folders, names), classes=no_neighbours(folders), nothing=None)
    for metric in metrics:
        if not isinstance(metric, StudentMetric):
            raise UserError(f'val_evaluator has {type(metric).__name__}, which lgd_mm.StudentValLoop has nothing for: '
                            'give lgd_mm.RankMe, lgd_mm.NeighbourAccuracy or lgd_mm.ZeroShotAccuracy')
        if reason := lacking[metric.needs]:
            raise UserError(f'lgd_mm.{type(metric).__name__} cannot be measured on {dataset.img_prefix}: {reason}; '
                            'take it out of val_evaluator, or give other images')
    return numbers_of(dataset.metainfo['classes'], names) if folders else []


def looked_at(student: Distiller, pooled: Tensor, embeddings: Tensor, samples: Sequence[Any],
              numbers: Sequence[int | None]) -> list[dict[str, Any]]:
    """What metrics are given of each image of a batch.

    Args:
        student (Distiller): Its names, if it has some, and how it compares with them.
        pooled (Tensor): Features (B, d).
        embeddings (Tensor): In the teacher's space (B, D), not normalised.
        samples (Sequence[DataSample]): With ``gt_label``, if the images have labels.
        numbers (Sequence[int | None]): The place of each class among the names.

    Returns:
        list[dict[str, Any]]: ``feature`` (d, ) and ``embedding`` (D, ), float32 on the CPU; with labels ``label``, and
        with names as well ``taken_for`` and ``name``, places among the names.
    """
    found = [dict(feature=feature, embedding=embedding)
             for feature, embedding in zip(pooled.float().cpu(), embeddings.float().cpu())]
    if not numbers:
        return found
    guesses = student.lgka.textual_similarity(embeddings).argmax(dim=1).tolist() if isinstance(
        student, LGD) else [None] * len(found)
    for item, sample, guess in zip(found, samples, guesses):
        label = int(sample.gt_label)
        item.update(label=label, taken_for=guess, name=numbers[label])
    return found
