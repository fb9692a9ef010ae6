"""Figures of small networks, measured in this process and in one of its own."""

import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnxruntime
import pytest
import torch
from click.testing import CliRunner
from mmcv.cnn.bricks.conv2d_adaptive_padding import Conv2dAdaptivePadding
from torch import nn

import lgd_mm
from lgd_mm.cli import cli
from lgd_mm.costs import on_cpu, onnx_process, passes
from lgd_mm.costs.files import read_cost
from lgd_mm.costs.measure import _built, cost_key, measure_cost
from lgd_mm.costs.on_gpu import time_on_gpu
from lgd_mm.costs.report import Cost, Timing
from lgd_mm.costs.request import cores
from lgd_mm.costs.table import busy_sentence, cost_notes
from lgd_mm.errors import UserError

SLIM = dict(type='mmpretrain.ResNet', depth=18, stem_channels=8, base_channels=8)


@pytest.fixture
def quick(monkeypatch):
    """No process of its own, but a thread, for the session takes subnormals for zero there; passes of an instant."""
    monkeypatch.setattr(passes, 'SECONDS', 0.01)
    with ThreadPoolExecutor(1) as other:
        monkeypatch.setattr(on_cpu, '_measure', lambda arguments: other.submit(
            onnx_process.measure, *map(str, arguments[:2]), *map(int, arguments[2:])).result())
        yield
    assert np.nextafter(0.0, 1.0) + 0.0 > 0


def test_the_clock(monkeypatch):
    """Passes of 4 and 8 ms, on a clock that they move."""
    now, calls = [0.0], [0]

    def run():
        calls[0] += 1
        now[0] += 0.004 if calls[0] % 4 else 0.008

    monkeypatch.setattr(passes.time, 'perf_counter', lambda: now[0])
    latency = passes.latency(run)
    assert latency == (passes.PASSES, pytest.approx(4), pytest.approx(4), pytest.approx(5))
    images_per_second, count = passes.throughput(run, batch=10)  # 5 ms on average
    assert count / 10 == pytest.approx(passes.SECONDS / 0.005, rel=0.01)
    assert images_per_second == pytest.approx(2000, rel=0.01)


def test_every_slow_pass_counts_to_the_fewest(monkeypatch):
    monkeypatch.setattr(passes, 'SECONDS', 0.0)
    assert passes.latency(lambda: None).passes == passes.FEWEST


def test_figures(quick):
    cost = measure_cost('slim', SLIM, size=64, batch=3, threads=[1])
    assert cost.architecture == 'mmpretrain.ResNet, depth 18, base_channels 8' and (cost.size, cost.batch) == (64, 3)
    timing, = cost.timings
    assert (timing.device, timing.threads) == ('CPU', 1) and 'onnxruntime' in timing.runtime
    assert 0 < timing.lower <= timing.milliseconds <= timing.upper and timing.images_per_second > 0
    assert timing.no_joules or timing.joules > 0
    assert any(note.startswith('Latency: one image') and 'batches of 3' in note for note in cost_notes(cost))
    assert cost.key == cost_key(SLIM, 64, 3, [1]) != cost_key(SLIM, 64, 3, [1, 2])


@pytest.mark.parametrize('out_indices, same', [((1, 2, 3), True), ([3], True), ((0, 1), False)])
def test_earlier_maps_cost_nothing(out_indices, same):
    assert (cost_key(dict(SLIM, out_indices=out_indices), 64, 3, [1]) == cost_key(SLIM, 64, 3, [1])) is same


def test_energy_is_of_the_passes_that_are_counted(monkeypatch):
    """Slow ones, of which there are two: each takes 6 J, and has 3 images."""
    joules = [0.0]

    class Session:
        def run(self, outputs, inputs):
            joules[0] += 2 * len(inputs['images'])

    class Energy:
        missing = None

        def read(self):
            return joules[0]

        def joules_since(self, before):
            return joules[0] - before

    monkeypatch.setattr(passes, 'SECONDS', 0)
    monkeypatch.setattr(onnx_process, '_session', lambda file, threads: Session())
    monkeypatch.setattr(onnx_process, 'Energy', Energy)
    assert onnx_process.measure('one', 'many', 8, 3, 1).joules == 2


class Same(nn.Module):
    """Pads as TensorFlow does: by the size of the image."""

    def __init__(self):
        super().__init__()
        self.conv = Conv2dAdaptivePadding(3, 4, 3, stride=2)

    def forward(self, images):
        return (images, self.conv(images))


@pytest.mark.parametrize('size', [64, 45])
@pytest.mark.parametrize('kind', ['slim', 'padded'])
def test_what_is_measured_is_the_network(kind, size, tmp_path):
    torch.manual_seed(0)
    network = _built(SLIM, size)[0] if kind == 'slim' else Same()
    images = torch.rand(3, 3, size, size)
    expected = network(images)[-1].detach()
    single, batched = on_cpu._write(on_cpu._LastMap(network), size, 3, tmp_path)
    for file, count in ((single, 1), (batched, 3)):
        session = onnxruntime.InferenceSession(file, providers=['CPUExecutionProvider'])
        found, = session.run(None, {'images': images[:count].numpy()})
        assert np.abs(found - expected[:count].numpy()).max() <= 1e-3 * expected.abs().max()


class OneSize(nn.Module):
    """torch.export cannot leave its number of images open."""

    def forward(self, images):
        assert images.shape[0] in (1, 4)
        return (images.reshape(images.shape[0], -1)[:, :5], )


def test_a_graph_for_each_number_where_it_must_be(tmp_path):
    single, batched = on_cpu._write(on_cpu._LastMap(OneSize()), 8, 4, tmp_path)
    assert single != batched
    for file, count in ((single, 1), (batched, 4)):
        assert onnxruntime.InferenceSession(file).get_inputs()[0].shape == [count, 3, 8, 8]


def test_a_network_that_onnx_cannot_have_is_counted_all_the_same(quick, monkeypatch):
    def refuse(*args):
        raise UserError('the backbone cannot be brought to ONNX (no such operator)')

    monkeypatch.setattr(on_cpu, '_write', refuse)
    cost = measure_cost('slim', SLIM, size=64, batch=2, threads=[1])
    assert cost.timings == [] and cost.multiply_adds > 0
    assert cost.missing[0] == 'Not measured on the CPU: the backbone cannot be brought to ONNX (no such operator).'


def test_on_a_gpu(monkeypatch):
    """The same calls on the CPU in the place of a GPU."""
    monkeypatch.setattr(passes, 'SECONDS', 0.01)
    for name, value in dict(memory_allocated=2**20, max_memory_allocated=3 * 2**20, reset_peak_memory_stats=None,
                            synchronize=None, get_device_name='a GPU').items():
        monkeypatch.setattr(torch.cuda, name, lambda device, value=value: value)
    seen = []

    class Watched(nn.Conv2d):
        def forward(self, images):
            seen.append((tuple(images.shape), images.dtype, images.is_contiguous(memory_format=torch.channels_last)))
            return super().forward(images)

    timing = time_on_gpu(Watched(3, 8, 3), 16, 4, device='cpu')
    assert timing.device == 'GPU' and timing.threads is None and timing.memory_mb == 2.0
    assert 'float16, channels last, a GPU' in timing.runtime
    assert set(seen) == {((1, 3, 16, 16), torch.float16, True), ((4, 3, 16, 16), torch.float16, True)}
    assert timing.joules is None and timing.no_joules


@pytest.mark.parametrize('others, said', [
    (0.6, 'other work took 60 % of a core: times are upper bounds'), (1.72, 'took 1.7 cores'), (0.05, None),
    (None, 'is not known')])
def test_a_busy_machine_is_told(others, said):
    timing = Timing('CPU', 'onnxruntime', 1, 20, 1.0, 0.9, 1.1, 800.0, others=others)
    sentence = busy_sentence(Cost('slim', 'ResNet', 64, 2, 1000, 1000, [timing]))
    assert sentence is None if said is None else said in sentence


@pytest.mark.parametrize('given, said', [
    (dict(threads=[cores() + 1]), f'threads is {cores() + 1}, and this process may use'),
    (dict(threads=[]), 'threads is empty'),
    (dict(threads=[0]), 'threads is 0'),
    (dict(size=0), 'size is 0: give a number of 1 to 4096'),
    (dict(batch=10**9), 'batch is 1000000000'),
    (dict(student='resnet19'), "no student is called 'resnet19'; did you mean"),
    (dict(student='timm/swin_tiny_patch4_window7_224', size=100), None)])
def test_mistakes(given, said, monkeypatch):
    monkeypatch.setattr('lgd_mm.costs.measure.time_on_cpu', lambda *args: [])
    if said is None:
        assert lgd_mm.cost(**given).size == 100  # lgd_mm's networks of windows pad
        return
    with pytest.raises(UserError, match=said.replace('(', r'\(')):
        lgd_mm.cost(**(dict(student='resnet18') | given))


def test_a_size_that_the_network_does_not_take(monkeypatch):
    with pytest.raises(UserError, match=r'takes no images of 100 x 100 pixels: give it those of 224 \(--size 224\)'):
        lgd_mm.cost('timm/mixer_s32_224', size=100)


def test_as_it_is_typed(tmp_path, monkeypatch):
    for place in ('lgd_mm.api.costing.backbone_named', 'lgd_mm.cli.early.check_backbone'):
        monkeypatch.setattr(place, lambda name: SLIM)
    file = tmp_path / 'cost.json'
    words = ['cost', 'slim', '--size', '64', '--batch', '4', '--threads', '1', '--json', str(file)]
    done = CliRunner().invoke(cli, words, catch_exceptions=False)
    assert 'million parameters' in done.output and 'CPU, 1 thread' in done.output
    cost = read_cost(file)
    assert cost.student == 'slim' and cost.timings[0].passes >= passes.FEWEST
    assert 0 < cost.timings[0].memory_mb < 200  # nothing of this process


def test_no_other_file_is_replaced(tmp_path):
    other = tmp_path / 'results.json'
    other.write_text(json.dumps(dict(cells=[])))
    with pytest.raises(UserError, match='is no cost of a student'):
        CliRunner().invoke(cli, ['cost', 'resnet18', '--json', str(other)], catch_exceptions=False)
    with pytest.raises(UserError, match='is no folder'):
        CliRunner().invoke(cli, ['cost', 'resnet18', '--json', str(tmp_path / 'no' / 'a.json')], catch_exceptions=False)
