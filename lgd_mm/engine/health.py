"""Signs that a pre-training learns nothing, told while it runs."""

from typing import Any

import torch
import torch.nn.functional as F
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

from lgd_mm.language import Vocabulary
from lgd_mm.models.distiller import Distiller
from lgd_mm.models.necks.lgka import LGKA
from lgd_mm.registry import HOOKS

#: Mean cosine of the embeddings of different pictures from which a student counts as collapsed.
CONSTANT = 0.999
#: Share of the pseudo labels of an epoch from which one category counts as the only one.
ALONE = 0.95


@HOOKS.register_module()
class HealthHook(Hook):
    """Warns at the end of an epoch of a student whose embeddings are all the same, of pseudo labels that are all of one
    category, and, after the last epoch, of categories that no picture was ever taken for."""

    def before_train(self, runner: Runner) -> None:
        """Find the banks; a run that is resumed at its end has no epoch."""
        self._lgka = getattr(_model(runner), 'lgka', None)

    def before_train_epoch(self, runner: Runner) -> None:
        """Remember the counts of pseudo labels."""
        self._counts = None if self._lgka is None else self._lgka.counts.clone()

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None,
                         outputs: dict[str, Any] | None = None) -> None:
        """Keep the last batch of the epoch."""
        if self.end_of_epoch(runner.train_dataloader, batch_idx):
            self._batch = data_batch

    def after_train_epoch(self, runner: Runner) -> None:
        """Tell what is wrong."""
        cosine = self._mean_cosine(runner)
        if cosine is not None and cosine > CONSTANT:
            runner.logger.warning(f'the student has collapsed: embeddings of different pictures have a mean cosine of '
                                  f'{cosine:.4f}; give a lower learning rate, and look at the pictures and the names')
        if self._lgka is None:
            return
        moved = self._lgka.counts - self._counts
        total = int(moved.sum())
        if total and len(moved) > 1 and int(moved.max()) > ALONE * total:
            name = _names(self._lgka)[int(moved.argmax())]
            runner.logger.warning(f'{int(moved.max())} of {total} pictures of this epoch were taken for {name!r}: give '
                                  'names that fit the pictures, or look whether the teacher gets what it expects')

    def after_train(self, runner: Runner) -> None:
        """Tell of rows of the visual bank that nothing has moved."""
        if self._lgka is None:
            return
        never = [name for name, count in zip(_names(self._lgka), self._lgka.counts.tolist()) if not count]
        if never:
            runner.logger.warning(f'no picture was taken for {len(never)} of {len(self._lgka.counts)} categories, '
                                  f'whose rows in the visual bank are as they began: {", ".join(never[:10])}'
                                  f'{", ..." if len(never) > 10 else ""}')

    @torch.no_grad()
    def _mean_cosine(self, runner: Runner) -> float | None:
        """Of the student's embeddings of different pictures in the last batch."""
        model = _model(runner)
        batch, self._batch = getattr(self, '_batch', None), None
        if batch is None or not isinstance(model, Distiller):
            return None
        model.eval()
        embeddings = F.normalize(model.embed(model.data_preprocessor(batch, True)['inputs']).float(), dim=1)
        model.train()
        pictures = len(embeddings)
        if pictures < 2:
            return None
        # The mean over all pairs is the squared length of the mean, which holds each picture with itself too.
        return float((embeddings.mean(dim=0).square().sum() * pictures - 1) / (pictures - 1))


def _names(lgka: LGKA) -> tuple[str, ...]:
    return Vocabulary.from_tensor(lgka.vocabulary).categories


def _model(runner: Runner) -> Any:
    return runner.model.module if is_model_wrapper(runner.model) else runner.model
