"""What a checkpoint claims to hold, and does not."""

import zipfile

import pytest
import torch
from torch import nn

from lgd_mm.errors import UserError
from lgd_mm.io.safe_load import load_checkpoint_file, too_long
from lgd_mm.language import Vocabulary


@pytest.mark.parametrize(('tensor', 'reason'), [
    (torch.zeros(1).expand(2**40), 'more values than it has room for'),
    (torch.zeros(4, 1).expand(4, 2**20), 'more values than it has room for'),
    (torch.empty(2**40, device='meta'), 'without values'),
    (torch.sparse_coo_tensor(torch.zeros(1, 0), torch.zeros(0), (2**40, )), 'sparse'),
], ids=['expanded', 'expanded rows', 'meta', 'sparse'])
@pytest.mark.parametrize('nest', [lambda value: dict(state_dict=dict(x=value)),
                                  lambda value: dict(state_dict={}, optimizer=dict(state={0: [value]}))],
                         ids=['weights', 'optimiser'])
def test_tensors_without_their_values_are_refused(tmp_path, tensor, reason, nest):
    torch.save(nest(tensor), tmp_path / 'x.pth')
    with pytest.raises(UserError, match=reason):
        load_checkpoint_file(tmp_path / 'x.pth')


def test_many_views_of_one_storage_are_refused(tmp_path):
    values = torch.zeros(1000)
    torch.save(dict(state_dict={str(index): values.view(10, 100) for index in range(20)}), tmp_path / 'x.pth')
    with pytest.raises(UserError, match='more values than it has room for'):
        load_checkpoint_file(tmp_path / 'x.pth')


def test_tied_weights_and_views_are_read(tmp_path):
    """As of a text tower, and of buffers such as numbers of positions."""
    network = nn.ModuleDict(dict(a=nn.Linear(4, 4), b=nn.Linear(4, 4)))
    network.b.weight = network.a.weight
    state = dict(network.state_dict(), positions=torch.arange(7).expand(1, -1), part=torch.arange(12.)[3:9],
                 turned=torch.arange(6.).view(2, 3).T, empty=torch.zeros(0, 5))
    torch.save(dict(state_dict=state), tmp_path / 'x.pth')
    for key, value in load_checkpoint_file(tmp_path / 'x.pth')['state_dict'].items():
        assert torch.equal(value, state[key]), key


def test_a_compressed_file_is_refused(tmp_path):
    torch.save(dict(state_dict=dict(x=torch.zeros(10_000))), tmp_path / 'x.pth')
    with zipfile.ZipFile(tmp_path / 'x.pth') as plain, zipfile.ZipFile(
            tmp_path / 'small.pth', 'w', zipfile.ZIP_DEFLATED) as packed:
        for member in plain.infolist():
            packed.writestr(member.filename, plain.read(member), zipfile.ZIP_DEFLATED)
    assert (tmp_path / 'small.pth').stat().st_size < 5000
    with pytest.raises(UserError, match='is compressed'):
        load_checkpoint_file(tmp_path / 'small.pth')


@pytest.mark.parametrize('text', ['x=' + '1<' * 2**20 + '1', 'x=a' + '()' * 2**20, 'x=' * 2**20 + '1',
                                  "x=['" + "','" * 2**20 + "']"], ids=['compared', 'called', 'assigned', 'listed'])
def test_texts_that_take_long_are_not_parsed(text):
    assert too_long(text)


def test_three_hundred_thousand_names_are_a_config():
    assert not too_long(f'names = {[f"category, number {index}" for index in range(300_000)]}')


@pytest.mark.parametrize('tensor', [
    torch.empty(10**9, device='meta', dtype=torch.uint8), torch.zeros(3), torch.zeros(2, 2, dtype=torch.uint8),
    torch.tensor(list(b'{"categories": 5}'), dtype=torch.uint8), torch.tensor(list(b'[]'), dtype=torch.uint8),
    torch.tensor(list(b'\xff\xfe'), dtype=torch.uint8), torch.tensor(list(b'[' * 5000), dtype=torch.uint8)])
def test_names_that_are_none(tensor):
    with pytest.raises(UserError, match='names of a checkpoint'):
        Vocabulary.from_tensor(tensor)
