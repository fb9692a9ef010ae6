"""Metrics of drawn images, and the file that keeps what each image adds."""

import re
import tracemalloc

import numpy as np
import pytest

from lgd_mm.errors import UserError
from lgd_mm.statistics.files import KeptResults, read, write
from lgd_mm.statistics.image_results import Areas, RightOrWrong, drawn, names_of


def test_accuracy_of_drawn_images_and_of_classes() -> None:
    found = RightOrWrong(np.array([True, False, True, True]), np.array([0, 0, 1, 3]), 4)
    assert found.values(np.array([[1.0, 1, 1, 1], [0, 2, 1, 1]])).tolist() == [0.75, 0.5]
    assert np.array_equal(found.of_classes(np.ones((1, 4))), [[0.5, 1, np.nan, 1]], equal_nan=True)


def test_accuracy_of_many_classes_takes_little_memory() -> None:
    """As of ImageNet's 50,000 images, of which a table of images and classes would take 400 MB."""
    found = RightOrWrong(np.arange(50000) % 4 > 0, np.arange(50000) % 1000, 1000)
    tracemalloc.start()
    shares = found.of_classes(np.ones((1, 50000)))
    assert tracemalloc.get_traced_memory()[1] < 10e6
    tracemalloc.stop()
    assert shares[0, :5].tolist() == [0, 1, 1, 1, 0]


def test_miou_is_of_summed_areas() -> None:
    found = Areas(np.array([[2, 0, 0], [1, 3, 0]]), np.array([[4, 0, 0], [1, 6, 0]]))
    assert found.values(np.ones((1, 2)))[0] == pytest.approx((3 / 5 + 3 / 6) / 2)
    assert found.values(np.array([[2.0, 0]]))[0] == 0.5  # the second class is in no drawn image


def test_draws_are_with_replacement_and_the_same_each_time() -> None:
    counts = drawn(50, 2000)
    assert (counts.sum(axis=1) == 50).all() and np.array_equal(counts, drawn(50, 2000))
    assert counts.mean() == pytest.approx(1) and counts.var() == pytest.approx(1 - 1 / 50, rel=0.02)


@pytest.mark.parametrize('paths, names', [
    (['/data/val/cat/1.png', '/data/val/dog/1.png'], ['cat/1.png', 'dog/1.png']),
    (['/data/val/1.png', '/data/val/2.png'], ['1.png', '2.png']),
    (['C:\\data\\1.png', 'C:\\data\\2.png'], ['1.png', '2.png']),
    (['only.png'], ['only.png']), ([], []),
])
def test_names_are_as_short_as_they_can_be(paths, names) -> None:
    assert names_of(paths) == names


@pytest.fixture
def kept() -> KeptResults:
    return KeptResults(['a.png', 'ü.png'], ['cat', 'dog'], {
        'accuracy/top1': RightOrWrong(np.array([True, False]), np.array([1, 0]), 2),
        'mIoU': Areas(np.array([[70000, 0], [1, 2]]), np.array([[70001, 0], [3, 4]]))})


def test_file_is_read_as_written(tmp_path, kept) -> None:
    write(kept, tmp_path / 'image_results.npz')
    found = read(tmp_path / 'image_results.npz')
    assert (found.images, found.classes, list(found.metrics)) == (kept.images, kept.classes, list(kept.metrics))
    for key, metric in kept.metrics.items():
        assert np.array_equal(found.metrics[key].values(np.ones((1, 2))), metric.values(np.ones((1, 2))))
    assert read(tmp_path / 'none.npz') is None


def test_damaged_and_foreign_files_are_refused_in_a_sentence(tmp_path, kept) -> None:
    file = tmp_path / 'image_results.npz'
    write(kept, file)
    whole = file.read_bytes()
    kept.images.append('c.png')
    write(kept, file)
    with pytest.raises(UserError, match=re.escape('accuracy/top1 is of 2 images, and there are 3')):
        read(file)
    np.savez(file, images=np.array([object()]), classes=np.array(['a']))  # a pickle
    with pytest.raises(UserError, match='holds no results of images'):
        read(file)
    for content in (whole[:-40], whole[:200], b'', b'no zip'):
        file.write_bytes(content)
        with pytest.raises(UserError, match='delete it'):
            read(file)


@pytest.mark.parametrize('changed', [
    {'mIoU:detection:image': np.array([0, 9])},  # an image that is not there
    {'mIoU:detection:match': np.zeros((1, 10), np.int8)}, {'mIoU:detection:score': np.array(['a', 'b'])},
    {'mIoU:detection:objects': np.ones(2, int)}, {'mIoU:detection:other': np.ones(2)},
    {'mIoU:pickle:image': np.ones(2)}, {'top1:accuracy:right': np.ones(2, bool), 'top1:accuracy:label': np.ones(3, int),
                                        'top1:accuracy:classes': np.array(2)},
])
def test_arrays_that_do_not_fit_each_other_are_refused(tmp_path, changed) -> None:
    arrays = {'images': np.array(['a', 'b']), 'classes': np.array(['cat']), 'mIoU:detection:image': np.array([0, 1]),
              'mIoU:detection:category': np.array([0, 0]), 'mIoU:detection:score': np.array([0.5, 0.25]),
              'mIoU:detection:match': np.ones((2, 10), np.int8), 'mIoU:detection:objects': np.ones((2, 1), int)}
    file = tmp_path / 'image_results.npz'
    np.savez(file, **arrays)
    assert read(file).metrics['mIoU'].values(np.ones((1, 2))) == [1.0]
    np.savez(file, **arrays | changed)
    with pytest.raises(UserError, match='holds no results of images'):
        read(file)
