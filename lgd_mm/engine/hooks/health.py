"""Signs that a pre-training learns nothing, told while it runs."""

import math
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.dist import all_reduce
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor

from lgd_mm.console.words import some
from lgd_mm.engine.hooks.non_finite import LOWER_RATE
from lgd_mm.engine.hooks.precise_bn import batch_statistics
from lgd_mm.models.bare_model import bare_model
from lgd_mm.models.distiller import Distiller
from lgd_mm.models.features import mean_pool
from lgd_mm.models.many_students import whose
from lgd_mm.models.pseudo_labels import ALONE, banks_of, distillers_of, names_of
from lgd_mm.registry import HOOKS
from lgd_mm.students.export import trained_model

#: Mean cosine of the features or embeddings of different images from which a student counts as collapsed.
CONSTANT = 0.999
COLLAPSED = ('the student has collapsed: {} of different images have a mean cosine of {:.4f}; give a lower learning '
             'rate, and look at the images and the names')
LAGGING = ('in eval mode, {} of different images have a mean cosine of {:.4f}, and of {:.4f} with the statistics of '
           "their batch: those of the batch norms are not of these weights; put dict(type='lgd_mm.PreciseBNHook') into "
           'custom_hooks, or train longer')


@HOOKS.register_module()
class HealthHook(Hook):
    """Warns of a student that makes all images the same: of features and embeddings at the end of an epoch, as its
    batch norms see a batch, and of either after the last one, as it is exported; of pseudo labels that are all of one
    category, and, after the last epoch, of categories that no image was ever taken for."""

    priority = 'VERY_LOW'  # after PreciseBNHook, also if another hook has ended the training early

    def before_train(self, runner: Runner) -> None:
        """Find the students; a run that is resumed at its end has no epoch."""
        self._students = distillers_of(bare_model(runner.model))
        self._banks = banks_of(self._students)
        self._batch: Any = None
        self._told: set[str] = set()
        self._broken: dict[str, str] = {}

    def broken(self) -> dict[str, str]:
        """Why a student is of no use, by name."""
        return self._broken

    def before_train_epoch(self, runner: Runner) -> None:
        """Remember the counts of pseudo labels."""
        self._counts = {name: lgka.counts.clone() for name, lgka in self._banks.items()}

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None,
                         outputs: dict[str, Any] | None = None) -> None:
        """Keep the last batch of the epoch."""
        if self.end_of_epoch(runner.train_dataloader, batch_idx) or self.is_last_train_iter(runner):
            self._batch = data_batch

    def after_train_epoch(self, runner: Runner) -> None:
        """Tell what is wrong."""
        self._told = set()
        for name, student in self._students.items() if self._batch is not None else ():
            with batch_statistics(student):  # the running ones lag behind, but only those of the end are exported
                cosines = _mean_cosines(student, self._batch)
            # Embeddings alone may be alike for a while, on the way to a student that is well.
            if cosines and all(cosine > CONSTANT for cosine in cosines.values()):
                self._told.add(name)
                runner.logger.warning(whose(name) + COLLAPSED.format('embeddings', cosines['embeddings']))
        for name, lgka in self._banks.items():
            moved = lgka.counts - self._counts[name]
            total = int(moved.sum())
            if total and len(moved) > 1 and int(moved.max()) >= ALONE * total:
                runner.logger.warning(f'{whose(name)}{int(moved.max())} of {total} images of this epoch were taken '
                                      f'for {names_of(lgka)[int(moved.argmax())]!r}: give names that fit the images, '
                                      'or look whether the teacher gets what it expects')

    def after_train(self, runner: Runner) -> None:
        """Tell what is wrong with what is exported, and of rows of the visual banks that nothing has moved."""
        for name, student in distillers_of(trained_model(runner)[0]).items():
            finite = self._batch is None or self._look(runner, name, student)
            broken = torch.tensor(int(not finite))
            all_reduce(broken, 'max')  # each process has a batch of its own, and all end or none
            if broken:
                self._broken[name] = (f'{whose(name)}in eval mode, features or embeddings are not finite: '
                                      f'{LOWER_RATE}')
        for name, lgka in self._banks.items():
            never = [each for each, count in zip(names_of(lgka), lgka.counts.tolist()) if not count]
            if never:
                runner.logger.warning(f'{whose(name)}no image was taken for {len(never)} of {len(lgka.counts)} '
                                      f'categories, whose rows in the visual bank are as they began: '
                                      f'{some(never, 10)}')

    def _look(self, runner: Runner, name: str, student: Distiller) -> bool:
        """Tell of features or embeddings that are all the same; returns whether they are finite."""
        student.eval()
        cosines = _mean_cosines(student, self._batch)
        with batch_statistics(student):
            own = _mean_cosines(student, self._batch)
        student.train()
        constant = [what for what, cosine in cosines.items() if cosine > CONSTANT]
        lagging = [what for what in constant if own[what] <= CONSTANT]
        for what in lagging[:1]:
            runner.logger.warning(whose(name) + LAGGING.format(what, cosines[what], own[what]))
        for what in constant[:1] if not lagging and name not in self._told else ():
            runner.logger.warning(whose(name) + COLLAPSED.format(what, cosines[what]))
        return all(map(math.isfinite, cosines.values()))


@torch.no_grad()
def _mean_cosines(student: Distiller, batch: Any) -> dict[str, float]:
    """Of a student's pooled features and embeddings of the different images of a batch; empty for a single one."""
    inputs = student.data_preprocessor(batch)['inputs']
    if len(inputs) < 2:
        return {}
    features = student.backbone(inputs)
    return {'features': _mean_cosine(mean_pool(features[-1])), 'embeddings': _mean_cosine(student.neck(features))}


def _mean_cosine(vectors: Tensor) -> float:
    """Over all pairs: the squared length of the mean, which holds each vector with itself too."""
    count = len(vectors)
    return float((F.normalize(vectors.float(), dim=1).mean(dim=0).square().sum() * count - 1) / (count - 1))
