"""Sizes that a file in COCO format says, and those of the images as OpenCV reads them."""

import os

import mmcv
import numpy as np
import pytest
from PIL import Image

from lgd_mm.datasets.image_size import image_size
from lgd_mm.errors import UserError
from lgd_mm.own_data.check_sizes import check_sizes


def save(path, orientation=1, size=(60, 40)):
    exif = Image.Exif()
    if orientation != 1:
        exif[0x0112] = orientation
    Image.fromarray(np.zeros((*size[::-1], 3), np.uint8)).save(path, exif=exif)
    return path


@pytest.mark.parametrize('name', ['a.jpg', 'a.png', 'a.webp', 'a.tif', 'a.bmp'])
@pytest.mark.parametrize('orientation', range(1, 9))
def test_a_size_is_told_as_the_image_is_read(tmp_path, name, orientation):
    path = save(tmp_path / name, orientation)
    assert image_size(path)[:2] == mmcv.imread(str(path)).shape[1::-1]


def test_what_is_no_image_is_left_to_the_loader(tmp_path):
    (tmp_path / 'a.jpg').write_bytes(b'no image')
    os.mkfifo(tmp_path / 'c.jpg')  # nobody writes to it
    assert all(image_size(tmp_path / name) is None for name in ('a.jpg', 'b.jpg', 'c.jpg'))
    check_sizes('train.json', images(tmp_path, 'a.jpg', 'b.jpg'), tmp_path)


def images(folder, *names, size=(60, 40)):
    return [dict(id=index, file_name=name, width=size[0], height=size[1]) for index, name in enumerate(names, 1)]


def test_sides_that_are_exchanged(tmp_path):
    save(tmp_path / 'a.jpg')
    check_sizes('train.json', images(tmp_path, 'a.jpg'), tmp_path)
    with pytest.raises(UserError, match=r'^train.json: image 1 is 60 x 40 as read, the file says 40 x 60 \(.*a.jpg'):
        check_sizes('train.json', images(tmp_path, 'a.jpg', size=(40, 60)), tmp_path)


def test_images_that_exif_turns(tmp_path):
    """The size of one that lies on its side shows how boxes go; without one, nobody knows of those upside down."""
    for name, orientation in (('side.jpg', 6), ('down.jpg', 3)):
        save(tmp_path / name, orientation)
    with pytest.raises(UserError, match='1 is 40 x 60 as read, the file says 60 x 40 .*EXIF turns it .orientation 6'):
        check_sizes('train.json', images(tmp_path, 'side.jpg'), tmp_path)
    side = images(tmp_path, 'side.jpg', size=(40, 60))
    check_sizes('train.json', side, tmp_path)
    check_sizes('train.json', side + images(tmp_path, 'down.jpg'), tmp_path)
    with pytest.raises(UserError, match='down.jpg is turned by its EXIF orientation 3 .* the boxes of train.json lie'):
        check_sizes('train.json', images(tmp_path, 'down.jpg'), tmp_path)
