"""Steps whose gradients are not finite leave no trace, whatever the optimiser."""

import copy
from functools import partial

import pytest
import timm.optim as timm
import torch
from mmpretrain.engine import Lamb
from torch import nn, optim

from lgd_mm.engine import guard
from lgd_mm.engine.guard import Guard, all_finite
from tests.test_engine.test_synchronisation import waits

OPTIMIZERS = {
    'SGD': partial(optim.SGD, lr=0.1, weight_decay=0.1),
    'SGD momentum': partial(optim.SGD, lr=0.1, momentum=0.9, dampening=0.2, weight_decay=0.1),
    'SGD fused': partial(optim.SGD, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.1, fused=True),
    'Adam': partial(optim.Adam, lr=0.1, amsgrad=True, weight_decay=0.1),
    'AdamW': partial(optim.AdamW, lr=0.1),
    'AdamW foreach': partial(optim.AdamW, lr=0.1, foreach=True),
    'AdamW fused': partial(optim.AdamW, lr=0.1, fused=True),
    'NAdam': partial(optim.NAdam, lr=0.1),
    'RAdam': partial(optim.RAdam, lr=0.1),
    'Adamax': partial(optim.Adamax, lr=0.1),
    'Adadelta': optim.Adadelta,
    'Adagrad': partial(optim.Adagrad, lr=0.1, lr_decay=0.1),
    'Adafactor': partial(optim.Adafactor, lr=0.1),
    'ASGD': partial(optim.ASGD, lr=0.1, t0=1),
    'Rprop': partial(optim.Rprop, lr=0.1),
    'RMSprop': partial(optim.RMSprop, lr=0.1, momentum=0.9, centered=True),
    'Lion of timm': partial(timm.Lion, lr=0.1, weight_decay=0.1),
    'Lamb of timm': partial(timm.Lamb, lr=0.1, weight_decay=0.1),
    'Adan of timm': partial(timm.Adan, lr=0.1),
    'Lamb of mmpretrain': partial(Lamb, lr=0.1, weight_decay=0.1),
}
NAN, INF = float('nan'), float('inf')


@pytest.fixture(params=[False, True], ids=['cpu', 'as on a gpu'])
def on_gpu(request, monkeypatch):
    """What is done for a GPU works on a CPU as well, but for torch's counting on the device."""
    if request.param:
        monkeypatch.setattr(guard, '_count_on_device', lambda optimizer: None)
        monkeypatch.setattr(guard, '_on_gpu', lambda parameters: True)


def _steps(make, factors):
    """Weights and whole state after steps whose gradients are multiplied with factors; a step skipped by hand is none
    at all. The second weight is of a part that is always well."""
    torch.manual_seed(0)
    weights = [nn.Parameter(torch.randn(5, 3)), nn.Parameter(torch.randn(4))]
    optimizer = make(weights)
    flags = []
    watching = Guard(optimizer, lambda each: '', flags.append)
    for number, factor in enumerate(factors):
        generator = torch.Generator().manual_seed(number)
        for each in weights:
            each.grad = torch.randn(each.shape, generator=generator)
        if factor is None:
            continue
        weights[1].grad.view(-1)[2] *= factor
        optimizer.step()
    watching.remove()
    assert [bool(flag['']) for flag in flags] == [factor == 1 for factor in factors if factor is not None]
    optimizer.__dict__.pop('found_inf', None)
    state = copy.deepcopy(optimizer.state_dict())
    return [each.detach().clone() for each in weights], state


@pytest.mark.parametrize('name', OPTIMIZERS)
def test_a_skipped_step_leaves_no_trace(name, on_gpu):
    make = OPTIMIZERS[name]
    if 'fused' in name:  # whose own flag is for a GPU; here the general way takes its place
        make = lambda weights: _without_flag(OPTIMIZERS[name](weights))  # noqa: E731
    for skipped in ((NAN, 1, 1), (1, NAN, 1), (1, INF, NAN, 1, 1)):
        weights, state = _steps(make, skipped)
        right, well = _steps(make, [factor if factor == 1 else None for factor in skipped])
        torch.testing.assert_close(weights, right, rtol=0, atol=0)
        torch.testing.assert_close(state['state'], well['state'], rtol=0, atol=0)
        assert state['param_groups'] == well['param_groups']


def _without_flag(optimizer):
    for group in optimizer.param_groups:
        group['fused'] = None
    return optimizer


def test_parts_are_judged_apart(on_gpu):
    torch.manual_seed(0)
    ill, well = nn.Parameter(torch.ones(3)), nn.Parameter(torch.ones(3))
    optimizer = optim.AdamW([ill, well], lr=0.1)
    seen = []
    Guard(optimizer, {ill: 'ill', well: 'well'}.__getitem__, seen.append)
    moved = []
    for factor in (1., NAN, 1.):
        before = ill.detach().clone(), well.detach().clone()
        ill.grad, well.grad = torch.full((3, ), factor), torch.ones(3)
        optimizer.step()
        moved.append([not torch.equal(old, new) for old, new in zip(before, (ill, well))])
    assert moved == [[True, True], [False, True], [True, True]]
    assert [{name: bool(flag) for name, flag in flags.items()} for flags in seen] == [
        dict(ill=True, well=True), dict(ill=False, well=True), dict(ill=True, well=True)]
    assert (int(optimizer.state[ill]['step']), int(optimizer.state[well]['step'])) == (2, 3)


def test_nothing_waits_on_a_gpu_after_the_first_step(monkeypatch):
    monkeypatch.setattr(guard, '_count_on_device', lambda optimizer: None)
    monkeypatch.setattr(guard, '_on_gpu', lambda parameters: True)
    weight = nn.Parameter(torch.ones(3))
    optimizer = optim.SGD([weight], lr=0.1, momentum=0.9)
    Guard(optimizer, lambda each: '', lambda flags: None)
    counted = []
    for _ in range(3):
        weight.grad = torch.full((3, ), NAN if counted else 1.)
        with waits() as found:
            optimizer.step()
        counted.append(sum(found.values()))
    assert counted[0] and counted[1:] == [0, 0]


@pytest.mark.parametrize('values, finite', [
    ([1e30, 3.], True), ([NAN], False), ([1., -INF], False), ([], True)])
def test_all_finite(values, finite):
    """A sum of squares would overflow at 1e30."""
    assert bool(all_finite([torch.tensor(values), torch.ones(2)])) == finite


def test_half_precision_and_sparse_gradients():
    assert all_finite([torch.full((100, ), 6e4, dtype=torch.half)])
    sparse = torch.sparse_coo_tensor([[0, 2]], [1., NAN], (4, ))
    assert not all_finite([sparse]) and all_finite([]) and all_finite([torch.empty(0)])
