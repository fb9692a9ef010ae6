"""Every 'auto', in numbers."""

import math

import pytest
import torch
from mmpretrain.models import ResNet

from lgd_mm.api.auto import Facts, Settings
from lgd_mm.api.memory import bytes_per_image
from lgd_mm.api.methods import Recipe
from lgd_mm.errors import UserError


def settle(given=None, earlier=None, pictures=1_281_167, processes=8, teacher=224, student=None, memory=(1, 10**12)):
    facts = Facts(pictures, processes, teacher, student, lambda size: memory)
    return Settings(given or {}, facts, earlier)


def test_the_published_run():
    """ImageNet on 8 GPUs with room: 8 x 256 images, 200 epochs, SGD at 0.24."""
    values = settle().values
    assert {name: values[name] for name in ('image_size', 'batch_size', 'accumulate', 'epochs', 'optimizer')} == dict(
        image_size=224, batch_size=256, accumulate=1, epochs=200, optimizer='sgd')
    assert math.isclose(values['lr'], 0.24)


@pytest.mark.parametrize(('pictures', 'processes', 'memory', 'batch', 'accumulate'), [
    (200, 1, 10**12, 16, 1),  # 200 / 8 = 25
    (10, 1, 10**12, 8, 1),  # no batch larger than the images
    (3, 1, 10**12, 2, 1),
    (1, 1, 10**12, 1, 1),
    (4000, 1, 10**12, 256, 1),
    (4000, 4, 10**12, 64, 1),  # 500 of all processes
    (4000, 1, 200, 64, 4),  # half of the memory holds 100
    (4000, 1, 1, 1, 256),
])
def test_batches(pictures, processes, memory, batch, accumulate):
    """By images, processes and memory; a step has the images that were wanted."""
    settings = settle(pictures=pictures, processes=processes, memory=(1, memory))
    assert (settings.values['batch_size'], settings.values['accumulate']) == (batch, accumulate)
    assert settings.batch == batch * accumulate * processes


def test_short_runs_take_adamw():
    """Below 10,000 steps; its rate grows with the root of the batch."""
    short, long = settle(pictures=200, processes=1), settle(dict(epochs=1000), pictures=200, processes=1)
    assert (short.values['optimizer'], short.values['lr']) == ('adamw', 5e-4)
    assert (long.values['optimizer'], long.values['lr']) == ('sgd', 0.03 * 16 / 256)
    assert settle(dict(batch_size=64, optimizer='adamw')).values['lr'] == round(5e-4 * math.sqrt(64 * 8 / 16), 6)
    assert settle(pictures=12_811_670).values['epochs'] == 20  # no more views than the published run


def test_another_method_has_defaults_of_its_own():
    """Each reason tells them."""
    recipe = Recipe(epochs=32, images=1000, batch=64, lr=0.5, image_size=112, least_steps=100, adamw_lr=1e-3)
    facts = Facts(1000, 1, 224, None, lambda size: (1, 10**12))
    settings = Settings({}, facts, recipe=recipe)
    assert {name: settings.values[name] for name in ('image_size', 'batch_size', 'epochs', 'optimizer', 'lr')} == dict(
        image_size=112, batch_size=64, epochs=32, optimizer='sgd', lr=0.5)
    for name, number in dict(image_size=112, batch_size=64, epochs=32, lr=0.5).items():
        assert f'published {number}' in settings.reasons[name]
    short = Settings(dict(epochs=1), facts, recipe=recipe)
    assert short.values['optimizer'] == 'adamw' and short.values['lr'] == round(1e-3 * math.sqrt(64 / 16), 6)


def test_sizes():
    """The teacher's up to 224, unless the student takes one alone."""
    assert [settle(teacher=size).values['image_size'] for size in (64, 224, 336)] == [64, 224, 224]
    assert settle(teacher=64, student=224).values['image_size'] == 224


def test_given_goes_before_earlier_before_auto():
    """And the reason says which it was."""
    settings = settle(dict(epochs=7), dict(epochs=3, batch_size=32))
    assert settings.record()['epochs'] == dict(value=7, why='given')
    assert settings.record()['batch_size'] == dict(value=32, why='auto: as in the run that is resumed')
    assert settings.record()['lr']['why'].startswith('auto: ')


@pytest.mark.parametrize('given', [
    dict(batch_size=0), dict(workers=-1), dict(image_size=8), dict(accumulate=1.5), dict(epochs=True), dict(lr=0),
    dict(lr=float('nan')),
    dict(lr=math.inf), dict(epochs=math.inf), dict(epochs=2.0), dict(optimizer='lamb')])
def test_values_that_cannot_be(given):
    """Named, with what may be given."""
    (name, value), = given.items()
    with pytest.raises(UserError, match=f'^{name} is {value!r}: give auto'):
        settle(given)


def test_workers_are_started_at_once():
    assert settle(dict(workers=256)).record()['workers']['value'] == 256
    with pytest.raises(UserError, match='^workers is 100000, and 256 processes .* are the most that are started'):
        settle(dict(workers=100_000))


def test_bytes_of_a_image():
    """Of a plain network they can be counted by hand; of a ResNet they grow with the area, and it stays as it was."""
    plain = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3, padding=1, bias=False), torch.nn.Sigmoid())
    assert bytes_per_image(plain, 16) == 4 * 16 * 16 * (3 + 8)  # the input and the sigmoid's output
    network = ResNet(18, stem_channels=8, base_channels=8)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    small, large = (bytes_per_image(network, size) for size in (64, 128))
    assert 3.9 < large / small < 4.1
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())
