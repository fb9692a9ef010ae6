"""The end of a training that has stopped to gain, also of one that was resumed."""

import math
from typing import Any

from mmengine.hooks import EarlyStoppingHook as MMEngineEarlyStoppingHook
from mmengine.runner import Runner

from lgd_mm.registry import HOOKS


@HOOKS.register_module()
class EarlyStoppingHook(MMEngineEarlyStoppingHook):
    """mmengine's, which forgets with every resume how long it has waited; this one is kept in the checkpoints.

    Takes the arguments of :class:`mmengine.hooks.EarlyStoppingHook`.
    """

    best_score: float
    wait_count: int

    def before_train(self, runner: Runner) -> None:
        """Go on with what a checkpoint has."""
        kept = runner.message_hub.runtime_info.get(self._key) if runner._resume else None
        self._judged = -1
        if kept is not None:
            self.best_score, self.wait_count, self._judged = kept

    def after_val_epoch(self, runner: Runner, metrics: dict[str, Any] | None = None) -> None:
        """Decide; a validation that a resumed run repeats has been counted."""
        if self._judged != runner.iter:
            super().after_val_epoch(runner, metrics)
            self._judged = runner.iter
            runner.message_hub.update_info(self._key, [self.best_score, self.wait_count, self._judged])
        elif self.wait_count >= self.patience:
            runner.train_loop.stop_training = True

    def _check_stop_condition(self, current_score: float) -> tuple[bool, str]:
        """As mmengine's; unless it is to stop the training, a figure that is no number is none that is better."""
        if not self.check_finite and math.isnan(current_score):
            current_score = -math.inf if self.rule == 'greater' else math.inf
        decision: tuple[bool, str] = super()._check_stop_condition(current_score)
        return decision

    @property
    def _key(self) -> str:
        return f'early_stopping_{self.monitor}'
