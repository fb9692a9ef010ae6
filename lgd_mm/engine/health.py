"""Signs that a pre-training learns nothing, told while it runs."""

from typing import Any

import torch
import torch.nn.functional as F
from mmengine.hooks import Hook
from mmengine.runner import Runner

from lgd_mm.language import Vocabulary
from lgd_mm.models.bare_model import bare_model
from lgd_mm.models.distiller import Distiller
from lgd_mm.models.many_students import ManyStudents
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
        """Find the students; a run that is resumed at its end has no epoch."""
        model = bare_model(runner.model)
        students = model.students if isinstance(model, ManyStudents) else {'': model}
        self._students = {f'student {name}: ' if name else '': student for name, student in students.items()
                          if isinstance(student, Distiller)}
        self._banks: dict[str, LGKA] = {name: student.lgka for name, student in self._students.items()
                                        if isinstance(getattr(student, 'lgka', None), LGKA)}

    def before_train_epoch(self, runner: Runner) -> None:
        """Remember the counts of pseudo labels."""
        self._counts = {name: lgka.counts.clone() for name, lgka in self._banks.items()}

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None,
                         outputs: dict[str, Any] | None = None) -> None:
        """Keep the last batch of the epoch."""
        if self.end_of_epoch(runner.train_dataloader, batch_idx):
            self._batch = data_batch

    def after_train_epoch(self, runner: Runner) -> None:
        """Tell what is wrong."""
        batch, self._batch = getattr(self, '_batch', None), None
        for which, student in self._students.items():
            cosine = None if batch is None else _mean_cosine(student, batch)
            if cosine is not None and cosine > CONSTANT:
                runner.logger.warning(f'{which}the student has collapsed: embeddings of different pictures have a mean '
                                      f'cosine of {cosine:.4f}; give a lower learning rate, and look at the pictures '
                                      'and the names')
        for which, lgka in self._banks.items():
            moved = lgka.counts - self._counts[which]
            total = int(moved.sum())
            if total and len(moved) > 1 and int(moved.max()) > ALONE * total:
                runner.logger.warning(f'{which}{int(moved.max())} of {total} pictures of this epoch were taken for '
                                      f'{_names(lgka)[int(moved.argmax())]!r}: give names that fit the pictures, or '
                                      'look whether the teacher gets what it expects')

    def after_train(self, runner: Runner) -> None:
        """Tell of rows of the visual banks that nothing has moved."""
        for which, lgka in self._banks.items():
            never = [name for name, count in zip(_names(lgka), lgka.counts.tolist()) if not count]
            if never:
                runner.logger.warning(f'{which}no picture was taken for {len(never)} of {len(lgka.counts)} categories, '
                                      f'whose rows in the visual bank are as they began: {", ".join(never[:10])}'
                                      f'{", ..." if len(never) > 10 else ""}')


@torch.no_grad()
def _mean_cosine(student: Distiller, batch: Any) -> float | None:
    """Of a student's embeddings of the different pictures of a batch."""
    student.eval()
    embeddings = F.normalize(student.embed(student.data_preprocessor(batch, True)['inputs']).float(), dim=1)
    student.train()
    pictures = len(embeddings)
    if pictures < 2:
        return None
    # The mean over all pairs is the squared length of the mean, which holds each picture with itself too.
    return float((embeddings.mean(dim=0).square().sum() * pictures - 1) / (pictures - 1))


def _names(lgka: LGKA) -> tuple[str, ...]:
    return Vocabulary.from_tensor(lgka.vocabulary).categories
