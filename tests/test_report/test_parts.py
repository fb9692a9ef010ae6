"""The parts of a pre-training's report, one by one."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmengine.config import Config
from PIL import Image

from lgd_mm.language import Vocabulary
from lgd_mm.models.distiller import Distiller
from lgd_mm.models.necks.lgka import LGKA
from lgd_mm.models.pseudo_labels import one_sided
from lgd_mm.report.charts import Curve, curve_chart
from lgd_mm.report.history_charts import accuracy_charts, training_charts, training_values
from lgd_mm.report.images import PlainImages, as_batch, embed_images, view_size
from lgd_mm.report.neighbours import nearest_images, shown_categories
from lgd_mm.report.pseudo_labels import pseudo_label_histogram
from lgd_mm.report.run_facts import network
from lgd_mm.report.similarity import draw_maps, similarity_map
from lgd_mm.runs.history import History


def test_few_categories_have_bars_with_their_shares() -> None:
    histogram = pseudo_label_histogram('h', ['a', 'b', 'c'], torch.tensor([1, 0, 3]))
    assert (histogram.total, histogram.names, histogram.seen, histogram.most) == (4, 3, 2, [])
    texts = re.findall('<text[^>]*>(.*?)</text>', histogram.chart)
    assert texts == ['c', 'a', 'b', '75.0', '25.0', '0.0']


def test_many_categories_have_a_curve_and_lists() -> None:
    names = [f'name {index}' for index in range(100)]
    histogram = pseudo_label_histogram('h', names, torch.arange(100))
    assert (histogram.total, histogram.seen) == (4950, 99)
    assert histogram.most[:2] == [('name 99', 99), ('name 98', 98)]
    assert histogram.least[:2] == [('name 0', 0), ('name 1', 1)]
    assert len(histogram.most) == len(histogram.least) == 10


def test_one_line_of_log_is_values_and_no_empty_axes() -> None:
    """What was logged twice has a curve."""
    once = dict(step=8, iter=8, loss=2.44517, loss_visual=1.3, lr=5e-4, time=0.1)
    history = History([once], [])
    assert training_charts(history) == []
    assert training_values(history) == [
        ('loss', '2.445 at iteration 8'), ('loss_visual', '1.3 at iteration 8'),
        ('learning rate', '0.0005 at iteration 8'), ('seconds per iteration', '0.1 at iteration 8')]
    history = History([once, dict(step=16, loss=2.)], [])
    assert [title for title, _ in training_charts(history)] == ['loss']
    assert [title for title, _ in training_values(history)] == ['loss_visual', 'learning rate', 'seconds per iteration']
    assert training_charts(History([], [])) == training_values(History([], [])) == []


def test_a_curve_of_one_point_is_a_dot() -> None:
    """In the charts of several runs, too."""
    assert 'fill: var(--series-0)' in curve_chart('x', [Curve(0, [1], [2])], 'x')
    assert 'fill: var(--series-0)' not in curve_chart('x', [Curve(0, [1, 2], [2, 3])], 'x')


def test_names_in_other_scripts_are_text_and_warn_of_nothing(recwarn: pytest.WarningsRecorder) -> None:
    histogram = pseudo_label_histogram('h', ['模型', 'قط', 'a$b$'], torch.tensor([1, 2, 3]))
    assert re.findall('<text[^>]*>(.*?)</text>', histogram.chart)[:3] == ['a$b$', 'قط', '模型']
    assert not list(recwarn)


@pytest.mark.parametrize(('counts', 'said'), [
    ([20, 0], "all of 20 pseudo labels are 'cat', so the names have taught nothing: give names of"),
    ([1, 19], "95 % of 20 pseudo labels are 'dog', so the names have taught little"),
    ([9, 1], "90 % of 10 pseudo labels are 'cat'"), ([8, 2], None), ([0, 0], None), ([5], None)])
def test_labels_of_one_name_are_a_warning(counts: list[int], said: str | None) -> None:
    lgka, model = LGKA.__new__(LGKA), Distiller.__new__(Distiller)
    torch.nn.Module.__init__(lgka)
    torch.nn.Module.__init__(model)
    lgka.counts = torch.tensor(counts)
    lgka.vocabulary = Vocabulary(('cat', 'dog')[:len(counts)], ('a {}.', )).to_tensor()
    model.lgka, model.backbone = lgka, torch.nn.Identity()
    told = one_sided(model)
    assert (told[0] if told else None) == said or (said and told[0].startswith(said))
    assert one_sided(None) == []


def test_shown_categories_are_seen_and_span_the_frequencies() -> None:
    assert shown_categories(torch.tensor([2, 0, 5, 2])) == [2, 0, 3]
    assert shown_categories(torch.zeros(3)) == []
    chosen = shown_categories(torch.arange(100))
    assert len(chosen) == 12 and (chosen[0], chosen[-1]) == (99, 1)


def test_nearest_images_come_first(tmp_path: Path) -> None:
    angles = torch.linspace(0, 1.5, 8)
    embeddings = torch.stack([angles.cos(), angles.sin()], dim=1)

    class Pictures:
        def image(self, index: int) -> Image.Image:
            return Image.new('RGB', (8, 8))

    bank = torch.tensor([[3., 0.], [0., 1.]])
    first, second = nearest_images(['x', 'y'], torch.tensor([9, 1]), bank, Pictures(), list(range(8)), embeddings)
    assert (first.category, first.views, second.category) == ('x', 9, 'y')
    assert [cosine for _, cosine in first.images] == pytest.approx(angles.cos()[:6].tolist(), abs=1e-5)
    assert [cosine for _, cosine in second.images] == pytest.approx(angles.sin().flip(0)[:6].tolist(), abs=1e-5)
    assert first.images[0][0].startswith(b'RIFF')


def test_similarity_map_is_fine_and_in_place() -> None:
    """A network of stride 8 sees the first of two channels in a corner and the second elsewhere."""
    inputs = torch.zeros(1, 3, 32, 32)
    inputs[:, 1] = 1
    inputs[:, 0, :16, :16], inputs[:, 1, :16, :16] = 1, 0
    embed = lambda images: F.avg_pool2d(images[:, :2], 8)
    found = similarity_map(embed, inputs, torch.tensor([1., 0.]))
    assert found.shape == (16, 16)
    assert torch.allclose(found[:6, :6], torch.ones(6, 6)) and not found[10:].any() and not found[:, 10:].any()
    # Where the border lies between two cells, their windows of 8 pixels have 5 and 3 on this side.
    torch.testing.assert_close(found[7:9, 0], torch.tensor([5., 3.]) / 34**.5)


def test_maps_say_their_range() -> None:
    tiles = draw_maps(Image.new('RGB', (32, 32)), dict(teacher=torch.tensor([[-0.5, 0.25]])))
    assert [title for title, _ in tiles] == ['image', 'teacher: \u22120.50\xa0to\xa00.25']
    assert all(data.startswith(b'RIFF') for _, data in tiles)


@pytest.mark.parametrize(('pipeline', 'size'), [
    ([dict(type='lgd_mm.LoadImage'), dict(type='lgd_mm.RandomView', size=96)], 96),
    ([dict(type='lgd_mm.LoadImage'), dict(type='RandomResizedCrop', scale=64)], 64),
    ([dict(type='RandomResizedCrop', scale=(128, 160))], 128),
    ([dict(type='lgd_mm.LoadImage')], 224),
])
def test_size_is_that_of_the_views(pipeline: list[dict], size: int) -> None:
    assert view_size(pipeline) == size


def test_images_are_the_middle_and_broken_ones_are_left_out(tmp_path: Path) -> None:
    wide = np.zeros((40, 80, 3), np.uint8)
    wide[:, 20:60] = (200, 100, 50)
    for name in ('a', 'c'):
        Image.fromarray(wide).save(tmp_path / f'{name}.png')
    (tmp_path / 'b.png').write_bytes(b'no image')
    pictures = PlainImages(Config(dict(train_dataloader=dict(dataset=dict(
        type='lgd_mm.UnlabelledImages', data_root=str(tmp_path),
        pipeline=[dict(type='lgd_mm.LoadImage'), dict(type='lgd_mm.RandomView', size=20)])))))
    image = pictures.image(0)
    assert image.size == (20, 20) and np.asarray(image)[10, 2:18].tolist() == [[200, 100, 50]] * 16
    assert torch.equal(as_batch(image)[0], pictures[0])
    assert pictures[1] is None and pictures.sample(2) == [0, 2] and pictures.sample(9) == [0, 1, 2]

    mean = lambda inputs: inputs.float().mean(dim=(2, 3))
    indices, embeddings = embed_images(pictures, [0, 1, 2], lambda data, training: data, mean, workers=0)
    assert indices == [0, 2]
    torch.testing.assert_close(embeddings, F.normalize(torch.tensor([[50., 100., 200.]] * 2), dim=1), atol=.02, rtol=0)
    assert len(embed_images(pictures, [1], lambda data, training: data, mean, workers=0)[1]) == 0


def test_curves_of_what_was_logged() -> None:
    training = [dict(step=step, iter=step, epoch=1, lr=.1, time=.5, loss=1., loss_a=2.) for step in (1, 2)]
    history = History(training, [{'step': 1, 'accuracy/top1': 50., 'time': 1.}, {'step': 2, 'accuracy/top1': 60.}])
    assert [title for title, _ in training_charts(history)] == ['loss', 'loss_a', 'learning rate',
                                                                'seconds per iteration']
    for teacher, lines in ({}, 0), ({'accuracy/top1': 90.}, 1):
        (title, chart, compared), = accuracy_charts(history, teacher)
        assert (title, compared) == ('accuracy/top1', lines == 1)
        assert ('stroke: var(--series-0)' in chart) == compared
        assert 'epoch' in chart


@pytest.mark.parametrize(('cfg', 'words'), [
    (dict(type='mmpretrain.ResNet', depth=18), 'ResNet 18'),
    (dict(type='mmpretrain.TIMMBackbone', model_name='test_vit'), 'TIMMBackbone test_vit'),
    (dict(type='lgd_mm.OpenCLIPTeacher'), 'RN50/openai'),
    (dict(type='lgd_mm.OpenCLIPTeacher', model='local-dir:/a/b/shapes/teacher'), 'shapes/teacher'),
    (dict(type='lgd_mm.BackboneTeacher', backbone=dict(type='mmpretrain.ResNet', depth=50)), 'ResNet 50'),
])
def test_networks_in_words(cfg: dict, words: str) -> None:
    assert network(cfg) == words
