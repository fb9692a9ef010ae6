"""Unlabelled images: what is read, what is skipped, and what a view depends on."""

import errno
import os

import cv2
import numpy as np
import pytest
import torch
from mmengine import fileio
from mmengine.dataset import default_collate
from PIL import Image
from torch.utils.data import DataLoader

from lgd_mm.datasets import UnlabelledImages, ViewSampler
from lgd_mm.datasets.loading import decode
from lgd_mm.errors import UserError
from tests.tiny import write_images

PIPELINE = [
    dict(type='lgd_mm.LoadImage'),
    dict(type='mmpretrain.RandomResizedCrop', scale=16),
    dict(type='mmpretrain.PackInputs'),
]


def dataset(root, pipeline=PIPELINE):
    return UnlabelledImages(data_root=str(root), pipeline=pipeline)


def loaded(data, workers=0, epoch=0, batch_size=4, seed=0):
    sampler = ViewSampler(data, seed=seed)
    sampler.set_epoch(epoch)
    loader = DataLoader(data, batch_size, sampler=sampler, num_workers=workers, collate_fn=default_collate)
    return torch.cat([batch['inputs'] for batch in loader])


def test_nested_mixed_formats_in_order(tmp_path):
    picture = Image.fromarray(np.full((20, 30, 3), 200, np.uint8))
    for name in ('b/one.JPG', 'a.png', 'b/c/two.webp', 'z.bmp', 'b/three.tif'):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        picture.save(tmp_path / name)
    picture.convert('L').save(tmp_path / 'grey.gif')
    picture.convert('CMYK').save(tmp_path / 'cmyk.jpg')
    (tmp_path / 'notes.txt').write_text('no image')

    data = dataset(tmp_path)
    assert [data.get_data_info(i)['img_path'].removeprefix(f'{tmp_path}/') for i in range(len(data))] == [
        'a.png', 'b/c/two.webp', 'b/one.JPG', 'b/three.tif', 'cmyk.jpg', 'grey.gif', 'z.bmp'
    ]
    images = loaded(data)
    assert images.shape == (7, 3, 16, 16) and not data.unreadable
    assert (images.float().sub(200).abs() < 12).all()


@pytest.mark.parametrize('ending', ['.png', '.tif'])
def test_sixteen_bits_are_brought_to_eight(ending):
    """Of a grey image, too, in which Pillow cuts off what is above 255."""
    grey = np.arange(0, 65536, 16, dtype=np.uint16).reshape(64, 64)
    content = cv2.imencode(ending, grey)[1].tobytes()
    assert np.array_equal(decode(content), np.repeat((grey >> 8)[..., None], 3, axis=2))


def test_broken_images_are_skipped_and_counted(tmp_path):
    paths = write_images(tmp_path, 6)
    truncated = tmp_path / 'part0' / 'truncated.jpg'
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)).save(truncated)
    truncated.write_bytes(truncated.read_bytes()[:-600])
    paths[1].write_text('not an image')
    (tmp_path / 'part1' / 'empty.png').touch()

    for workers in (0, 2):
        data = dataset(tmp_path)
        assert loaded(data, workers).shape[0] == len(data) == 8
        assert sorted(data.unreadable) == sorted(map(str, (truncated, paths[1], tmp_path / 'part1' / 'empty.png')))


@pytest.mark.parametrize('workers', [0, 1])
def test_all_broken_is_an_error(tmp_path, workers):
    for path in write_images(tmp_path, 3):
        path.write_text('not an image')
    with pytest.raises(UserError, match='none of the 3 images'):
        loaded(dataset(tmp_path), workers)


def test_views_depend_on_seed_epoch_and_image_alone(tmp_path):
    write_images(tmp_path, 8)
    data = dataset(tmp_path)
    views = loaded(data)
    assert torch.equal(views, loaded(data, workers=2))
    torch.manual_seed(123)
    np.random.seed(123)
    assert torch.equal(views, loaded(data, batch_size=3))
    assert not torch.equal(views, loaded(data, epoch=1))
    assert not torch.equal(views, loaded(data, seed=1))


def test_main_process_keeps_its_random_states(tmp_path):
    write_images(tmp_path, 4)
    torch.manual_seed(5)
    np.random.seed(5)
    expected = torch.rand(1), np.random.rand()
    torch.manual_seed(5)
    np.random.seed(5)
    dataset(tmp_path)[0, 7]
    assert torch.equal(torch.rand(1), expected[0]) and np.random.rand() == expected[1]


def test_two_ranks_share_the_views_of_one(tmp_path):
    write_images(tmp_path, 8)
    data = dataset(tmp_path)
    single = list(ViewSampler(data, seed=3))
    parts = []
    for rank in (0, 1):
        sampler = ViewSampler(data, seed=3)
        sampler.rank, sampler.world_size, sampler.num_samples = rank, 2, 4
        parts.append(list(sampler))
    assert [view for pair in zip(*parts) for view in pair] == single


def test_missing_and_empty_folder(tmp_path):
    with pytest.raises(UserError, match='nowhere.* does not exist'):
        dataset(tmp_path / 'nowhere')
    with pytest.raises(UserError, match='holds no image'):
        dataset(tmp_path)


def test_linked_folders_are_entered_once(tmp_path):
    write_images(tmp_path / 'elsewhere', 4)
    (tmp_path / 'root').mkdir()
    (tmp_path / 'root' / 'linked').symlink_to(tmp_path / 'elsewhere', target_is_directory=True)
    (tmp_path / 'elsewhere' / 'loop').symlink_to(tmp_path / 'root', target_is_directory=True)
    (tmp_path / 'root' / 'folder.jpg').mkdir()
    assert len(dataset(tmp_path / 'root')) == 4


def test_other_samplers_are_named(tmp_path):
    write_images(tmp_path, 2)
    with pytest.raises(UserError, match='ViewSampler'):
        dataset(tmp_path)[0]


@pytest.mark.parametrize('number, gone_for_good', [
    (errno.ENOENT, True), (errno.EACCES, True), (errno.EMFILE, False), (errno.ENOTCONN, False)])
def test_troubles_of_the_machine_are_not_the_files(tmp_path, monkeypatch, number, gone_for_good):
    write_images(tmp_path, 2)
    data = dataset(tmp_path)
    first = data.get_data_info(0)['img_path']
    read = fileio.get

    def get(path, *args, **kwargs):
        if path == first:
            raise OSError(number, os.strerror(number), path)
        return read(path, *args, **kwargs)

    monkeypatch.setattr(fileio, 'get', get)
    if gone_for_good:
        data[0, 1]
        assert data.unreadable == [first]
    else:
        with pytest.raises(OSError, match=os.strerror(number)):
            data[0, 1]
        assert not data.unreadable
