"""A small file of weights takes no more memory or time than it has bytes, whatever it promises."""

import collections
import io
import pickle
import resource
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer

from lgd_mm.errors import UserError
from lgd_mm.io.safe_load import load_checkpoint_file, safe_torch_load
from lgd_mm.runs.checkpoints import read_training_state

SAVES = [dict(), dict(_use_new_zipfile_serialization=False)]


class Call:
    """Its pickle calls something."""

    def __init__(self, function: Any, *args: Any) -> None:
        self.call = function, args

    def __reduce__(self) -> tuple:
        return self.call


class Filled(Call):
    """Its pickle calls something, and fills what that gives."""

    def __init__(self, call: Call, state: Any) -> None:
        super().__init__(*call.call)
        self.state = state

    def __reduce__(self) -> tuple:
        return *self.call[:1], self.call[1], self.state


def refused(file: Path, reason: str) -> None:
    """In one sentence, and before memory was taken."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(UserError, match=f'^{file} {reason}'):
        load_checkpoint_file(file)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # kB


def save(file: Path, content: Any, **how: Any) -> Path:
    torch.save(content, file, **how)
    return file


def laughs(one: Any) -> Any:
    for _ in range(40):
        one = [one, one] if isinstance(one, list) else dict(a=one, b=one)
    return one


def itself(kind: type) -> Any:
    one = kind()
    one.append(one) if kind is list else one.update(a=one)
    return one


@pytest.mark.parametrize('how', SAVES)
@pytest.mark.parametrize('what, reason', [
    (itself(list), 'contains itself'), (itself(dict), 'contains itself'),
    (collections.OrderedDict(a=[itself(dict)]), 'contains itself'),
    (laughs([1]), 'stands in too many places'), (laughs(dict(a=1)), 'stands in too many places'),
])
def test_containers_without_end(what, reason, how, tmp_path):
    refused(save(tmp_path / 'a.pth', dict(state_dict={}, x=what), **how),
            f'is not a checkpoint, a list or dict in it {reason}')


@pytest.mark.parametrize('deep', [101, 2_000, 100_000])
def test_containers_within_containers(deep, tmp_path):
    """Written by hand: a pickler ends at a thousand."""
    file, content = tmp_path / 'a.pth', io.BytesIO()
    torch.save(dict(a=torch.zeros(1)), content)
    with zipfile.ZipFile(content) as old, zipfile.ZipFile(file, 'w') as new:
        for member in old.infolist():
            data = old.read(member)
            if member.filename.endswith('data.pkl'):
                data = b'\x80\x02' + b'}X\1\0\0\0a' * deep + data[2:-1] + b's' * deep + b'.'
            new.writestr(member.filename, data)
    refused(file, 'is not a checkpoint, a list or dict in it lies more than 100 deep')


def test_depth_is_that_of_the_longest_way(tmp_path):
    one: list = []
    every = [one]
    for _ in range(150):
        one = [one]
        every.append(one)
    refused(save(tmp_path / 'a.pth', dict(state_dict={}, x=every[::-1])), '.* lies more than 100 deep')
    refused(save(tmp_path / 'a.pth', dict(state_dict={}, x=every)), '.* lies more than 100 deep')


def test_what_training_saves_is_read(tmp_path):
    """Shared, nested and counted as usual, in both forms."""
    buffer = HistoryBuffer([1., 2.], [1, 1])
    shared = [0.9, 0.999]
    weight = torch.nn.Parameter(torch.arange(6.).reshape(2, 3))
    saved = dict(
        state_dict=collections.OrderedDict(a=weight, b=weight.t(), c=torch.tensor(3), d=torch.zeros(0, 4),
                                           e=torch.zeros(2, dtype=torch.bfloat16), f=torch.ones(3)[1:]),
        optimizer=dict(param_groups=[dict(betas=shared, params=[i]) for i in range(50)]),
        param_schedulers=[dict(milestones=collections.Counter([8, 11]), size=torch.Size([2, 3]))],
        message_hub=dict(log_scalars=dict(loss=buffer)), dtype=torch.float16, device=torch.device('cpu'),
        arrays=[np.float64(0.5), np.arange(3), np.array(['a', 'bc']), np.zeros((2, 2), bool),
                np.array(1.5)],
        names={'x', 'y'}, raw=bytearray(b'abc'), number=2**70, z=1j, part=slice(1, 2), text='ü', data=b'\0\xff')
    for how in SAVES:
        read = load_checkpoint_file(save(tmp_path / 'a.pth', saved, **how))
        torch.testing.assert_close(dict(read['state_dict']), {
            key: getattr(value, 'data', value) for key, value in saved['state_dict'].items()}, check_device=False)
        assert read['param_schedulers'] == saved['param_schedulers'] and read['names'] == {'x', 'y'}
        assert [array.tolist() for array in read['arrays']] == [array.tolist() for array in saved['arrays']]
        assert read['message_hub']['log_scalars']['loss'].mean() == 1.5
        assert all(read[key] == saved[key] for key in ('dtype', 'device', 'raw', 'number', 'z', 'part', 'text', 'data'))
        with (tmp_path / 'a.pth').open('rb') as file:
            assert safe_torch_load(file)['number'] == 2**70
        assert safe_torch_load(io.BytesIO((tmp_path / 'a.pth').read_bytes()))['number'] == 2**70


reconstruct, scalar = np._core.multiarray._reconstruct, np._core.multiarray.scalar
GROWING = {
    'bytearray': Call(bytearray, 3 * 2**30),
    'size of a bytearray': Call(torch.Size, Call(bytearray, b'x' * 30)),
    'set of a tensor': Call(set, torch.zeros(1)), 'counter of a tensor': Call(collections.Counter, torch.zeros(1)),
    'ordered dict of a tensor': Call(collections.OrderedDict, torch.zeros(1)),
    'tensor': Call(torch.Tensor, 2**30), 'tensor of doubles': Call(torch.DoubleTensor, 2**30),
    'storage': Call(torch.FloatStorage, 2**30), 'untyped storage': Call(torch.UntypedStorage, 2**30),
    'array': Call(np.ndarray, (2**30, )), 'array that is restored': Call(reconstruct, np.ndarray, (2**30, ), b'b'),
    'history': Call(HistoryBuffer, [1.], [1], 10**9),
    'scalar without data': Call(scalar, np.dtype('S1000')), 'type of a billion bytes': Call(np.dtype, 'S1000000000'),
    'type of a table': Call(np.dtype, '(1000000,)f8'),
    'type that grows': Filled(Call(np.dtype, 'S1'), (3, '|', None, None, None, 2**30, 1, 0)),
    'array of nothing': Filled(Call(reconstruct, np.ndarray, (0, ), b'b'), (
        1, (2**40, ), np.dtype('S1'), False, b'x')),
    'call within a call': Call(torch._tensor._rebuild_from_type_v2, bytearray, torch.Tensor, (2**30, ), {}),
    'cast of an expanded tensor': Call(torch._utils._rebuild_device_tensor_from_cpu_tensor, torch.zeros(1).expand(
        2**30), torch.float64, 'cpu', False),
    'encoding': Call(__import__('_codecs').encode, 'x' * 9, 'idna'),
}


@pytest.mark.parametrize('how', SAVES)
@pytest.mark.parametrize('name', GROWING)
def test_calls_that_make_much_of_little(name, how, tmp_path):
    refused(save(tmp_path / 'a.pth', dict(state_dict={}, x=GROWING[name]), **how),
            '(is no checkpoint, .* name a file saved by training|holds a tensor that is sparse|holds tensors of more)')


def test_a_pickle_that_is_no_file_of_torch_is_looked_at_as_well(tmp_path):
    (tmp_path / 'a.pth').write_bytes(pickle.dumps(Call(bytearray, 3 * 2**30), 2))
    refused(tmp_path / 'a.pth', 'is no checkpoint, builtins.bytearray in it')


def test_places_of_a_pickle_are_no_memory(tmp_path):
    """The faster reader of Python makes room for the highest."""
    (tmp_path / 'a.pth').write_bytes(b'\x80\x02Nr\xff\xff\xff\xff.')
    refused(tmp_path / 'a.pth', 'is cut off or not a checkpoint')


def bomb(file: Path, tail: bytes) -> None:
    content = io.BytesIO()
    torch.save(dict(state_dict={'a': torch.zeros(2**22)}), content)
    with zipfile.ZipFile(content) as old, zipfile.ZipFile(file, 'w', zipfile.ZIP_DEFLATED) as new:
        for member in old.infolist():
            new.writestr(member.filename, old.read(member))
    file.write_bytes(file.read_bytes() + tail)


@pytest.mark.parametrize('tail', [b'', b'PK\5\6', b'PK\5\6' + b'x' * 10, b'x', b'PK\5\6' + bytes(18)])
def test_a_zip_with_something_behind(tail, tmp_path):
    bomb(tmp_path / 'a.pth', tail)
    refused(tmp_path / 'a.pth', '(is compressed|is cut off or not a checkpoint)')


def test_a_zip_with_two_tables(tmp_path):
    """Python takes the one before the end, torch the one at the place that is told."""
    bomb(tmp_path / 'a.pth', b'')
    data = (tmp_path / 'a.pth').read_bytes()
    end = data[-22:]
    size, offset = struct.unpack('<II', end[12:20])
    (tmp_path / 'a.pth').write_bytes(data[:offset + size] + data[offset:offset + size] + end)
    refused(tmp_path / 'a.pth', 'is (compressed|cut off or not a checkpoint)')
    whole = save(tmp_path / 'b.pth', dict(state_dict={'a': torch.ones(2)})).read_bytes()
    size, offset = struct.unpack('<II', whole[-10:-2])
    (tmp_path / 'b.pth').write_bytes(whole[:offset] + bytes(8) + whole[offset:])
    refused(tmp_path / 'b.pth', 'is cut off or not a checkpoint')


def rewritten(file: Path, old: bytes, new: bytes) -> Path:
    """A file whose pickle says something else."""
    content = io.BytesIO(file.read_bytes())
    with zipfile.ZipFile(content) as before, zipfile.ZipFile(file, 'w') as after:
        for member in before.infolist():
            data = before.read(member)
            if member.filename.endswith('data.pkl'):
                assert old in data
                data = data.replace(old, new)
            after.writestr(member.filename, data)
    return file


def test_storages_that_promise_more_than_they_hold(tmp_path):
    file = save(tmp_path / 'a.pth', dict(state_dict={'a': torch.zeros(1000)}))
    number = b'M' + struct.pack('<H', 1000)
    refused(rewritten(file, number, b'J' + struct.pack('<i', 2**29)), 'promises more values than it holds')


@pytest.mark.parametrize('shape', [(2**20, ), (2**40, ), (1000, 1000)])
def test_tensors_that_make_their_storage_grow(shape, tmp_path):
    storage = torch.zeros(10).untyped_storage()
    assert storage.nbytes() == 40
    stride = torch.empty(shape, device='meta').stride()

    class Tensor(Call):
        """A tensor of another size."""

        def __reduce__(self) -> tuple:
            function, args = torch.zeros(10).__reduce_ex__(2)
            return function, (*args[:2], shape, stride, *args[4:])

    for how in SAVES:
        refused(save(tmp_path / 'a.pth', dict(state_dict={'a': Tensor(None)}), **how),
                'holds tensors of more values than it has room for')


@pytest.mark.parametrize('keys', [[], ['another']])
def test_the_older_form_fills_every_storage(keys, tmp_path):
    content = io.BytesIO()
    torch.save(dict(state_dict={'a': torch.ones(100)}), content, _use_new_zipfile_serialization=False)
    content.seek(0)
    parts, starts = [], [0]
    for _ in range(4):
        unpickler = pickle._Unpickler(content)
        unpickler.persistent_load = lambda pid: pid
        unpickler.find_class = lambda module, name: lambda *args: args
        parts.append(unpickler.load())
        starts.append(content.tell())
    assert len(parts) == 4
    (tmp_path / 'a.pth').write_bytes(content.getvalue()[:starts[4]] + pickle.dumps(keys, 2))
    refused(tmp_path / 'a.pth', 'promises more values than it holds')


def test_a_file_without_checksums_is_read(tmp_path):
    """As torch.save writes it where it is told to be quick."""
    torch.serialization.set_crc32_options(False)
    try:
        file = save(tmp_path / 'quick.pth', dict(state_dict=dict(a=torch.ones(2)), optimizer=None, meta=None))
    finally:
        torch.serialization.set_crc32_options(True)
    assert torch.equal(load_checkpoint_file(file)['state_dict']['a'], torch.ones(2))


@pytest.mark.parametrize('part', ['meta', 'optimizer', 'message_hub', 'state_dict'])
def test_a_part_that_is_none_is_not_there(part, tmp_path):
    """As in a checkpoint that somebody made smaller; it is read, and not gone on from."""
    whole = dict(meta=dict(epoch=1, iter=1), state_dict=dict(a=torch.ones(2)), optimizer={},
                 message_hub=dict(log_scalars={}, runtime_info={}, resumed_keys={}))
    read_training_state(save(tmp_path / 'whole.pth', whole))
    file = save(tmp_path / 'less.pth', {**whole, part: None})
    assert part not in load_checkpoint_file(file)
    with pytest.raises(UserError, match=f'cannot be resumed from, it has no {part}'):
        read_training_state(file)


@pytest.mark.parametrize('content, named', [(collections.deque([1, 2]), 'collections.deque'),
                                            (torch.nn.Linear(1, 1), 'torch.nn.modules.linear.Linear')])
@pytest.mark.parametrize('zipped', [True, False])
def test_what_would_run_is_named(content, named, zipped, tmp_path):
    file = save(tmp_path / 'x.pth', dict(state_dict=content), _use_new_zipfile_serialization=zipped)
    with pytest.raises(UserError, match=f'would run code .*{named}'):
        load_checkpoint_file(file)
