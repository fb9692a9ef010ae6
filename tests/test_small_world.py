"""The study of the generated world against real images: its tasks, and the agreement of two orders, by hand."""

import json
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from lgd_mm.errors import UserError
from lgd_mm.students.read import StudentFile


@pytest.fixture(autouse=True)
def _scripts(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / 'benchmarks'))


def write_coco(root, split, seed):
    """Three images of 96 x 64: on noise a bright animal, a dark vehicle, and small, crowded or no instances."""
    generator = np.random.default_rng(seed)
    boxes = {0: [(8, 8, 40, 40, 1, 0, 220), (60, 20, 30, 30, 2, 0, 20)], 1: [(0, 0, 96, 30, 2, 1, 90),
             (10, 34, 26, 26, 1, 0, 220), (70, 40, 10, 23, 2, 0, 20)], 2: []}
    content = dict(categories=[dict(id=1, name='cat', supercategory='animal'),
                               dict(id=2, name='car', supercategory='vehicle')], images=[], annotations=[])
    (root / f'{split}2017').mkdir(parents=True)
    (root / 'annotations').mkdir(exist_ok=True)
    for image, found in boxes.items():
        pixels = generator.integers(100, 140, (64, 96, 3), np.uint8)
        content['images'].append(dict(id=image, file_name=f'{image}.png', width=96, height=64))
        for x, y, w, h, category, crowd, value in found:
            pixels[y:y + h, x:x + w] = value
            content['annotations'].append(dict(
                id=len(content['annotations']) + 1, image_id=image, category_id=category, iscrowd=crowd, area=w * h,
                bbox=[x, y, w, h], segmentation=[[x, y, x + w, y, x + w, y + h, x, y + h]]))
        Image.fromarray(pixels).save(root / f'{split}2017' / f'{image}.png')
    (root / f'annotations/instances_{split}2017.json').write_text(json.dumps(content))


def test_window():
    from coco_objects import window
    assert window([40, 40, 20, 10], 200, 100) == pytest.approx((38, 33, 62, 57))  # 24 around (50, 45)
    assert window([0, 95, 10, 5], 200, 100) == pytest.approx((0, 88, 12, 100))  # moved into the image
    assert window([20, 10, 150, 50], 200, 100) == pytest.approx((5, 0, 185, 100))  # cut to its height


def test_position_labels():
    """The centres of positions are 4, 12, ... of 224; the smaller of two masks is on top, whatever their order."""
    from coco_objects import position_labels
    large, small = np.zeros((448, 224), np.uint8), np.zeros((448, 224), np.uint8)
    large[:, :12] = 1  # ends before the second centre
    small[8:24, :8] = 1  # the second centre of 448 is 24, the first is 8
    for instances in ([(3, large), (5, small)], [(5, small), (3, large)]):
        labels = position_labels(instances, 448, 224)
        assert labels.shape == (28, 28) and labels[0, 0] == 5
        assert (labels[1:, 0] == 3).all() and not labels[:, 1:].any()


def test_split(tmp_path):
    """Crowds and what is below 24 pixels give no crop; positions of crowds do not count, unless an object is there."""
    from coco_objects import IGNORED, read_split
    write_coco(tmp_path / 'coco', 'train', 0)
    split, names = read_split(tmp_path / 'coco', 'train', tmp_path / 'out')
    assert names == ['animal', 'vehicle']
    assert split.objects.labels.tolist() == [0, 1, 0] and split.objects.sources.tolist() == [0, 0, 1]
    assert [path.name for path in sorted((tmp_path / 'out/train').rglob('*.png'))] == ['1.png', '4.png', '2.png']
    assert (tmp_path / 'out/train.csv').read_text().split() == [
        'crop,image', 'train/animal/1.png,0.png', 'train/vehicle/2.png,0.png', 'train/animal/4.png,1.png']
    middles = split.objects.images[:, :, 24:40, 24:40].float().mean(dim=(1, 2, 3))
    assert middles.tolist() == pytest.approx([220, 20, 220], abs=1)
    assert split.positions.unique().tolist() == [0, 1, 2, IGNORED]
    assert not split.positions[2].any()


def test_measures_of_drawn_images():
    from coco_objects import Objects
    from frozen_students import PerImage, accuracy
    objects = Objects(torch.zeros(4), torch.tensor([0, 0, 1, 1]), torch.tensor([0, 0, 0, 2]))
    told = torch.tensor([0, 1, 1, 0])
    weights = np.array([[1., 1, 1], [2, 0, 1], [0, 2, 1]])
    # Two objects of four; four of seven; one, wrong.
    assert accuracy(told, objects, 1).values(weights) == pytest.approx([50, 400 / 7, 0])
    # Classes: 1/2 and 1/2; 2/4 and 2/3; the second alone, and the third is nowhere: they do not count.
    assert accuracy(told, objects, 3).values(weights) == pytest.approx([50, 100 * (1 / 2 + 2 / 3) / 2, 0])
    ious = PerImage(np.array([[3., 1, 0], [1, 0, 0]]), np.array([[4., 2, 0], [4, 1, 0]]))
    assert ious.value == pytest.approx(100 * (4 / 8 + 1 / 3) / 2)


def tau_by_hand(first, second):
    """Kendall (1945): concordant less discordant pairs, by the root of the pairs that are no ties of each."""
    signs = [np.sign(np.subtract.outer(each, each))[np.triu_indices(len(first), 1)] for each in (first, second)]
    return (signs[0] * signs[1]).sum() / np.sqrt((signs[0] != 0).sum() * (signs[1] != 0).sum())


def test_agreement_by_hand():
    from frozen_students import PerImage
    from rank_agreement import agreement, differences, draw

    def accuracy(*right):
        return PerImage(np.array(right, float)[:, None], np.ones((len(right), 1)))

    first = [[10., 12], [20], [30, 34, 35], [28]]
    second = [[accuracy(0, 1, 0, 0, 0), accuracy(0, 0, 0, 0, 0)], [accuracy(1, 1, 0, 0, 0)],
              [accuracy(1, 1, 1, 0, 0)] * 3, [accuracy(1, 1, 1, 0, 0)]]
    draws = draw(first, second, 400)
    means = [[11, 20, 33, 28], [10, 40, 60, 60]]
    found = agreement(*means, draws)
    assert found.tau == pytest.approx(tau_by_hand(*means)) == pytest.approx(5 / np.sqrt(30))
    orders = [tau_by_hand(order, means[1]) for order in permutations(means[0])]
    assert found.p == pytest.approx(np.mean(np.abs(orders) >= found.tau - 1e-9))  # 4 of 24
    taus = [tau_by_hand(*pair) for pair in zip(draws.first.T, draws.second.T)
            if all(len(set(each)) > 1 for each in pair)]
    assert (found.low, found.high) == pytest.approx(tuple(np.percentile(taus, (2.5, 97.5))))
    # Seeds are drawn: of two there are three means; the same seed and the same images go into both measures.
    assert set(draws.first[0]) == {10, 11, 12}
    assert (draws.second[0][draws.first[0] == 12] == 0).all() and (draws.second[0] > 0).any()
    assert (draws.second[2] == draws.second[3]).all() and (draws.second[1] <= draws.second[2]).all()
    # Differences: -3 always; 1, 0, -1, whose interval is 1.9 wide; 4, 3, 2, likewise.
    assert differences(np.array([[1., 2, 3], [4, 5, 6], [0, 2, 4]])) == (2, pytest.approx(0.95))
    again = draw(first, second, 400)
    assert (again.first == draws.first).all() and (again.second == draws.second).all()


def test_least_p_of_six():
    """Of six, an order and the reverse are 2 of 720; of five, 2 of 120."""
    from rank_agreement import Draws, agreement
    for count, p in ((6, 2 / 720), (5, 2 / 120)):
        order = list(range(count))
        drawn = np.array(order, float)[:, None].repeat(3, axis=1)
        assert agreement(order, order, Draws(drawn, drawn)) == pytest.approx((1, 1, 1, p))


def test_students_are_measured(tmp_path):
    """A bright and a dark object are told even by random weights; a seed gives the same twice, another does not."""
    from coco_objects import read_split
    from frozen_students import frozen, random_student, tell_objects, tell_positions
    for seed, split in enumerate(('train', 'val')):
        write_coco(tmp_path, split, seed)
    train, test = (read_split(tmp_path, split, tmp_path / 'out')[0] for split in ('train', 'val'))
    known = type(train.objects)(*(part.repeat(8, *(1, ) * (part.ndim - 1)) for part in train.objects))
    backbone = dict(type='mmpretrain.ResNet', depth=18, stem_channels=8, base_channels=8)
    like = StudentFile('', '', 'backbone.', {}, {}, {}, dict(backbone=backbone), {}, (), None, None)
    students = [frozen(random_student(like, seed)) for seed in (0, 0, 1)]
    once, twice, other = (tell_positions(student, train, test, 3).value for student in students)
    assert once == twice != other
    assert 100 / 3 < once <= 100
    found = tell_objects(students[0], known, test.objects, 2)
    assert list(found) == ['k-NN', 'probe', 'k-NN, mean of classes', 'probe, mean of classes']
    assert found['probe'].value == found['probe, mean of classes'].value == 100


def test_figures_of_the_generated_world():
    from small_world import generated_figures
    folders = [Path(__file__).parents[1] / 'docs/results/suite']
    sizes = {'random weights': 3, 'LGD': 3, 'dense LGD': 5, 'supervised': 5}
    found = generated_figures(folders, sizes)
    assert list(found) == ['Mask R-CNN: box AP', 'Mask R-CNN: mask AP', 'UPerNet: mIoU']
    assert found['UPerNet: mIoU']['LGD'] == pytest.approx([32.14, 34.49, 31.89])
    with pytest.raises(UserError, match='LGD has 2 students and 3 figures of Mask R-CNN: box AP'):
        generated_figures(folders, {**sizes, 'LGD': 2})
    with pytest.raises(UserError, match='no measure has all of LGD, DINO'):
        generated_figures(folders, {'LGD': 3, 'DINO': 1})


def test_comparison_is_written():
    """Each measure of one world with each of the other, with random weights and without them."""
    from frozen_students import PerImage
    from small_world import compare, show
    real = {label: [{'objects': PerImage(np.eye(4)[:, :1] * right, np.ones((4, 1)))}] * 2
            for label, right in (('random weights', 0), ('SEED', 1), ('LGD', 2))}
    generated = {'mIoU': {'random weights': [10., 12], 'SEED': [20., 24], 'LGD': [30., 36]}}
    report = json.loads(json.dumps(compare(generated, real, 50), allow_nan=False))
    assert report['figures']['objects'] == {'random weights': [0, 0], 'SEED': [25, 25], 'LGD': [50, 50]}
    assert report['intervals']['mIoU']['SEED'] == [20, 24]
    assert (report['pairs'], report['told_apart']) == (3, {'mIoU': 3, 'objects': 0})  # the image may not be drawn
    assert [(row['generated'], row['real'], row['n'], row['tau'], row['p']) for row in report['agreement']] == [
        ('mIoU', 'objects', 3, pytest.approx(1), pytest.approx(1 / 3)),
        ('mIoU', 'objects', 2, pytest.approx(1), pytest.approx(1))]
    show(report)


def test_published_agreement():
    """The tables of docs/results are those of the file beside them."""
    folder = Path(__file__).parents[1] / 'docs/results'
    report = json.loads((folder / 'small_world/agreement.json').read_text())
    text = (folder / 'README.md').read_text().split('## Does the order hold')[1].replace('−', '-')
    rows = {}
    for line in text.splitlines():
        label, *cells = (cell.strip() for cell in line.strip('|').split('|'))
        rows.setdefault(label, cells)
    tasks = [name for name in report['figures'] if name.startswith(('objects', 'positions'))]
    columns = ['UPerNet: mIoU', 'frozen: probe', *tasks]
    for label, seeds in report['figures']['UPerNet: mIoU'].items():
        assert rows[label] == [f'{len(seeds)}', *(
            f'{np.mean(report["figures"][name][label]):.1f} ({low:.1f}-{high:.1f})'
            for name in columns for low, high in [report['intervals'][name][label]])]
    assert rows['pairs told apart, of 15'][1:] == [str(report['told_apart'][name]) for name in columns]
    for task in tasks:
        found = [row for row in report['agreement'] if (row['generated'], row['real']) == ('UPerNet: mIoU', task)]
        name = task.replace(', mean of classes', '').replace(':', ' by class,' if 'classes' in task else ',')
        assert rows[name] == [text for row in found for text in (
            f'{row["tau"]:.2f}', f'{row["low"]:.2f} to {row["high"]:.2f}', f'{row["p"]:.2f}')]
    for row in report['agreement']:  # all five measures of the generated world give one order
        twin = next(one for one in report['agreement'] if (one['real'], one['n']) == (row['real'], row['n']))
        assert (row['tau'], row['p']) == (twin['tau'], twin['p'])
        assert row['n'] == 5 or row['low'] < 0 < row['high']
