"""Loss scaling of one of several optimisers."""

from types import SimpleNamespace

import pytest
import torch
from mmengine.optim import OptimWrapper, OptimWrapperDict
from torch import nn

from lgd_mm.engine.hooks.non_finite import CURE, SCALED, NonFiniteHook


class Scaled(OptimWrapper):
    """mmengine's loss scaling, in the little that the hook sees of it."""

    loss_scaler = SimpleNamespace(is_enabled=lambda: True, get_scale=lambda: 1.)


@pytest.mark.parametrize('several', [False, True])
def test_steps_of_a_scaled_optimiser_are_seen(several):
    """It alone is asked for its device, and nothing is left at it afterwards."""
    model = nn.ModuleDict(dict(plain=nn.Linear(2, 2), scaled=nn.Linear(2, 2)))
    optimizers = {name: torch.optim.SGD(part.parameters(), lr=0.1) for name, part in model.items()}
    scaled = Scaled(optimizer=optimizers['scaled'])
    wrapper = OptimWrapperDict(plain=OptimWrapper(optimizers['plain']), scaled=scaled) if several else scaled
    runner = SimpleNamespace(model=model, optim_wrapper=wrapper, hooks=[], iter=0, max_iters=9,
                             train_dataloader=[0] * 9, train_loop=SimpleNamespace(max_iters=9), logger=None)
    hook = NonFiniteHook()
    hook.before_train(runner)
    for runner.iter, passes in enumerate((True, False, True)):
        hook.before_train_iter(runner, runner.iter)
        for parameter in model.parameters():
            parameter.grad = torch.ones_like(parameter)
        optimizers['plain'].step()
        if passes:
            optimizers['scaled'].step()
        hook.after_train_iter(runner, runner.iter)
        assert hook._in_a_row[SCALED] == (not passes)
    assert hook._taken[SCALED] == 3
    hook.after_train(runner)
    assert not any(hooks for each in optimizers.values() for hooks in (
        each._optimizer_step_pre_hooks, each._optimizer_step_post_hooks))


def test_the_cure_is_one_that_a_run_can_take():
    """One that goes on keeps its rate, see lgd_mm.engine.checks.same_run."""
    assert 'lower learning rate (optim_wrapper.optimizer.lr) in a new run, that is without --resume' in CURE
    assert '--resume FILE' not in CURE
