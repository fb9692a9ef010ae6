"""Images that nobody cleaned: each is read rightly, or skipped and named."""

import errno
import os
import struct
from pathlib import Path

import cv2
import numpy as np
import pytest
from mmengine.hooks import Hook
from PIL import Image

from lgd_mm.datasets.loading import LoadImage, UnreadableImage
from lgd_mm.registry import HOOKS
from tests.faults.conftest import run_here
from tests.faults.hostile import png_of_size
from tests.speed import with_reports
from tests.tiny import write_images

SIDES = np.zeros((40, 60, 3), np.uint8)
SIDES[:, :30] = (200, 30, 30)  # red on the left, blue on the right
SIDES[:, 30:] = (30, 30, 200)


def read(path) -> np.ndarray:
    """RGB."""
    return LoadImage().transform(dict(img_path=str(path)))['img'][..., ::-1]


@pytest.mark.parametrize(('mode', 'name'), [
    ('RGB', 'a.jpg'), ('RGB', 'a.png'), ('RGB', 'a.webp'), ('RGB', 'a.bmp'), ('RGB', 'a.tif'), ('CMYK', 'a.jpg'),
    ('CMYK', 'a.tif'), ('RGBA', 'a.png'), ('P', 'a.png'), ('P', 'a.gif'), ('RGB', 'a.ppm')])
def test_colours_of_every_mode(tmp_path, mode, name):
    Image.fromarray(SIDES).convert(mode).save(tmp_path / name)
    image = read(tmp_path / name).astype(int)
    assert image.shape == SIDES.shape
    assert np.abs(image - SIDES)[:, [5, 55]].max() < (60 if mode == 'P' else 25)  # the nearest of a fixed palette


@pytest.mark.parametrize('name', ['a.jpg', 'a.png', 'a.webp'])
@pytest.mark.parametrize('orientation', range(1, 9))
def test_turned_upright(tmp_path, name, orientation):
    turned = {1: SIDES, 2: SIDES[:, ::-1], 3: SIDES[::-1, ::-1], 4: SIDES[::-1], 5: SIDES.transpose(1, 0, 2),
              6: np.rot90(SIDES, 1), 7: np.rot90(SIDES, 2).transpose(1, 0, 2), 8: np.rot90(SIDES, -1)}[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(np.ascontiguousarray(turned)).save(tmp_path / name, exif=exif)
    image = read(tmp_path / name).astype(int)
    assert image.shape == SIDES.shape and np.abs(image - SIDES)[:, [5, 55]].max() < 40


def test_grey_transparent_animated_and_small(tmp_path):
    grey = Image.fromarray(np.full((8, 8), 77, np.uint8))
    grey.save(tmp_path / 'grey.png')
    assert (read(tmp_path / 'grey.png') == 77).all()
    frames = [Image.fromarray(np.full((8, 8), value, np.uint8)) for value in (10, 200)]
    frames[0].save(tmp_path / 'moving.gif', save_all=True, append_images=frames[1:])
    assert (read(tmp_path / 'moving.gif') == 10).all()
    Image.new('RGB', (1, 1), (1, 2, 3)).save(tmp_path / 'one.png')
    assert read(tmp_path / 'one.png').tolist() == [[[1, 2, 3]]]
    Image.new('RGBA', (4, 4), (9, 9, 9, 255)).save(tmp_path / 'opaque.png')
    assert (read(tmp_path / 'opaque.png') == 9).all()
    Image.fromarray(SIDES).save(tmp_path / 'png.jpg', 'png')
    assert (read(tmp_path / 'png.jpg') == SIDES).all()


def test_twenty_thousand_pixels_wide(tmp_path):
    cv2.imwrite(str(tmp_path / 'wide.jpg'), np.full((20, 20_000, 3), 99, np.uint8))
    assert read(tmp_path / 'wide.jpg').shape == (20, 20_000, 3)


def jpeg_of_size(width, height) -> bytes:
    content = bytearray(cv2.imencode('.jpg', np.zeros((8, 8, 3), np.uint8))[1].tobytes())
    frame = content.index(b'\xff\xc0')
    content[frame + 5:frame + 9] = struct.pack('>HH', height, width)
    return bytes(content)


@pytest.mark.parametrize('content', [png_of_size(60_000, 60_000), jpeg_of_size(60_000, 60_000)], ids=['png', 'jpeg'])
def test_bombs_are_refused(tmp_path, content):
    (tmp_path / 'bomb').write_bytes(content)
    with pytest.raises(UnreadableImage, match='bomb: .*(limit|exceed|CV_IO_MAX_IMAGE_PIXELS)'):
        read(tmp_path / 'bomb')


def test_what_is_no_image_is_told_in_words(tmp_path):
    (tmp_path / 'a.jpg').write_text('not an image')
    with pytest.raises(UnreadableImage, match='a.jpg: UnidentifiedImageError: cannot identify image file$'):
        read(tmp_path / 'a.jpg')


def test_without_permission(tmp_path, monkeypatch):
    """Root may read everything: the system's answer is made up."""
    path, = write_images(tmp_path, 1)

    def refused(name, *args, **kwargs):
        raise PermissionError(errno.EACCES, 'Permission denied', name)

    monkeypatch.setattr('lgd_mm.datasets.loading.fileio.get', refused)
    with pytest.raises(UnreadableImage, match=f'{path}: PermissionError: .*Permission denied'):
        read(path)


@HOOKS.register_module(force=True)
class VanishHook(Hook):
    """Takes images away, and adds one, after the first epoch."""

    def __init__(self, folder) -> None:
        self.folder = folder

    def after_train_epoch(self, runner) -> None:
        if runner.epoch == 0:
            for path in sorted(Path(self.folder, 'part0').iterdir())[:2]:
                path.unlink()
            write_images(Path(self.folder, 'new'), 1)


@pytest.mark.slow
def test_names_links_and_files_that_vanish(fault_config, tmp_path, capsys, monkeypatch):
    with_reports(monkeypatch)
    folder = tmp_path / 'pictures'
    paths = write_images(folder, 18)
    for path, name in zip(paths, ['日本.png', 'ünï çødé.png', 'עברית.png', 'a\nb.png', os.fsdecode(b'\xff\xfe.png')]):
        path.rename(path.with_name(name))
    (folder / 'broken.png').symlink_to(folder / 'nowhere.png')
    (folder / 'folder.png').mkdir()
    os.mkfifo(folder / 'pipe.png')
    (folder / os.fsdecode(b'\xffbroken.png')).write_bytes(b'none')
    hooks = [dict(type='lgd_mm.VanishHook', folder=str(folder)), dict(type='lgd_mm.UnreadableImagesHook'),
             dict(type='lgd_mm.ReportHook')]
    end = run_here(fault_config, tmp_path / 'run', custom_hooks=hooks,
                   **{'train_dataloader.dataset.data_root': str(folder)})
    assert end['meta']['epoch'] == 2
    said = next((tmp_path / 'run').glob('*/*.log')).read_text()
    assert '2 of 20 images cannot be read and are skipped' in said  # the link and the one without content
    assert '4 of 20 images cannot be read and are skipped' in said  # and those that are gone
    assert (tmp_path / 'run/report.html').is_file() and 'Traceback' not in capsys.readouterr().err
