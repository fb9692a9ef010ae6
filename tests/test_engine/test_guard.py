"""Steps whose gradients are not finite leave no trace, whatever the optimiser."""

import copy
import weakref
from functools import partial

import pytest
import timm.optim as timm
import torch
from mmpretrain.engine import Lamb
from torch import nn, optim

from lgd_mm.engine.guarded_step import Guard, all_finite
from lgd_mm.engine.hooks.non_finite import _begin_momentum
from tests.test_engine.test_synchronisation import waits

OPTIMIZERS = {
    'SGD': partial(optim.SGD, lr=0.1, weight_decay=0.1),
    'SGD momentum': partial(optim.SGD, lr=0.1, momentum=0.9, dampening=0.2, weight_decay=0.1),
    'SGD fused': partial(optim.SGD, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.1, fused=True),
    'Adam': partial(optim.Adam, lr=0.1, amsgrad=True, weight_decay=0.1),
    'SGD fused dampening': partial(optim.SGD, lr=0.1, momentum=0.9, dampening=0.2, fused=True),
    'Adam fused': partial(optim.Adam, lr=0.1, amsgrad=True, fused=True),
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


def _steps(make, factors, part_of=lambda each: '', guarded=True):
    """Weights and whole state after steps whose gradients are multiplied with factors; a step skipped by hand is none
    at all."""
    torch.manual_seed(0)
    weights = [nn.Parameter(torch.randn(5, 3)), nn.Parameter(torch.randn(4))]
    optimizer = make(weights)
    _begin_momentum(optimizer)
    flags = []
    watching = Guard(optimizer, part_of, flags.append) if guarded else None
    for number, factor in enumerate(factors):
        generator = torch.Generator().manual_seed(number)
        for each in weights:
            each.grad = torch.randn(each.shape, generator=generator)
        if factor is None:
            continue
        weights[1].grad.view(-1)[2] *= factor
        optimizer.step()
    if watching:
        watching.remove()
        given = [factor == 1 for factor in factors if factor is not None]
        assert [all(map(bool, flag.values())) for flag in flags] == given
    state = copy.deepcopy(optimizer.state_dict())
    return [each.detach().clone() for each in weights], state


def _assert_same(one, other):
    (weights, state), (right, well) = one, other
    torch.testing.assert_close(weights, right, rtol=0, atol=0)
    torch.testing.assert_close(state['state'], well['state'], rtol=0, atol=0)
    assert state['param_groups'] == well['param_groups']


@pytest.mark.parametrize('name', OPTIMIZERS)
def test_a_skipped_step_leaves_no_trace(name):
    for skipped in ((NAN, 1, 1), (1, NAN, 1), (1, INF, NAN, 1, 1)):
        _assert_same(_steps(OPTIMIZERS[name], skipped),
                     _steps(OPTIMIZERS[name], [factor if factor == 1 else None for factor in skipped]))


@pytest.mark.parametrize('name', OPTIMIZERS)
def test_a_step_that_is_well_is_the_same_step(name):
    """Also of several parts, and in what a checkpoint holds."""
    plain = _steps(OPTIMIZERS[name], [1, 1, 1], guarded=False)
    for part_of in (lambda each: '', lambda each: str(each.dim())):
        _assert_same(_steps(OPTIMIZERS[name], [1, 1, 1], part_of), plain)


@pytest.mark.parametrize('fused', [False, True])
@pytest.mark.parametrize('make', [optim.AdamW, partial(optim.SGD, momentum=0.9)])
def test_parts_are_judged_apart(make, fused):
    ill, well, rest = (nn.Parameter(torch.ones(3)) for _ in range(3))
    optimizer = make([ill, well, rest], lr=0.1, fused=fused)
    _begin_momentum(optimizer)
    seen = []
    Guard(optimizer, {ill: 'ill', well: 'well', rest: 'rest'}.__getitem__, seen.append)
    moved = []
    for factor in (NAN, 1., NAN, 1.):
        before = [each.detach().clone() for each in (ill, well, rest)]
        ill.grad, well.grad, rest.grad = torch.full((3, ), factor), torch.ones(3), torch.ones(3)
        optimizer.step()
        moved.append([not torch.equal(old, new) for old, new in zip(before, (ill, well, rest))])
    assert moved == [[False, True, True], [True, True, True]] * 2
    assert [{name: bool(flag) for name, flag in flags.items()} for flags in seen] == [
        dict(ill=False, well=True, rest=True), dict(ill=True, well=True, rest=True)] * 2
    twice, thrice = (nn.Parameter(torch.ones(3)) for _ in range(2))
    alone = make([twice, thrice], lr=0.1, fused=fused)
    _begin_momentum(alone)
    for number in range(4):
        twice.grad, thrice.grad = torch.ones(3) if number % 2 else None, torch.ones(3)
        alone.step()
    assert torch.equal(ill, twice) and torch.equal(well, thrice) and torch.equal(rest, thrice)
    for one, other in ((ill, twice), (well, thrice)):
        torch.testing.assert_close(optimizer.state[one], alone.state[other], rtol=0, atol=0)


@pytest.mark.parametrize('make, parts', [
    (partial(optim.SGD, momentum=0.9), 1), (partial(optim.SGD, momentum=0.9), 2),
    (optim.AdamW, 1)])  # its kernel for the CPU reads the count
def test_nothing_waits_for_a_fused_optimiser(make, parts):
    """And another one waits for its flags alone, from the first step on."""
    for fused in (True, False):
        weights = [nn.Parameter(torch.ones(3)), nn.Parameter(torch.ones(3))]
        optimizer = make(weights, lr=0.1, fused=fused)
        _begin_momentum(optimizer)
        part_of = {weights[0]: 'a', weights[1]: 'b' if parts == 2 else 'a'}
        watching = Guard(optimizer, part_of.__getitem__, lambda flags: None)
        for factor in (1., NAN, 1., 1.):
            for each in weights:
                each.grad = torch.full((3, ), factor)
            with waits() as found:
                watching._before()
            watching._after()
            assert sum(found.values()) == (0 if fused else 2 * parts)


@pytest.mark.parametrize('fused', [False, True])
def test_nothing_is_held_between_two_steps(fused):
    weights = [nn.Parameter(torch.ones(3)), nn.Parameter(torch.ones(3))]
    optimizer = optim.SGD(weights, lr=0.1, fused=fused)
    Guard(optimizer, {weights[0]: 'a', weights[1]: 'b'}.__getitem__, lambda flags: None)
    for factor in (1., NAN):
        for each in weights:
            each.grad = torch.full((3, ), factor)
        held = [weakref.ref(each.grad) for each in weights]
        optimizer.step()
        optimizer.zero_grad()
        assert [reference() for reference in held] == [None, None] and not hasattr(optimizer, 'found_inf')


def test_a_flag_is_of_one_step():
    """The second step has another part, and the third is not looked at."""
    first, second = nn.Parameter(torch.ones(3)), nn.Parameter(torch.ones(3))
    optimizer = optim.SGD([first, second], lr=0.1, fused=True)
    watching = Guard(optimizer, {first: 'first', second: 'second'}.__getitem__, lambda flags: None)
    first.grad = torch.full((3, ), NAN)
    optimizer.step()
    first.grad, second.grad = torch.ones(3), torch.ones(3)
    optimizer.step()
    torch.testing.assert_close([first.detach(), second.detach()], [torch.full((3, ), 0.9)] * 2)
    first.grad.fill_(NAN)
    watching.remove()
    optimizer.step()
    assert first.isnan().all() and not second.isnan().any()


@pytest.mark.parametrize('values, finite', [
    ([1e30, 3.], True), ([NAN], False), ([1., -INF], False), ([], True)])
def test_all_finite(values, finite):
    """A sum of squares would overflow at 1e30."""
    assert bool(all_finite([torch.tensor(values), torch.ones(2)])) == finite


def test_half_precision_and_sparse_gradients():
    assert all_finite([torch.full((100, ), 6e4, dtype=torch.half)])
    sparse = torch.sparse_coo_tensor([[0, 2]], [1., NAN], (4, ))
    assert not all_finite([sparse]) and all_finite([]) and all_finite([torch.empty(0)])
