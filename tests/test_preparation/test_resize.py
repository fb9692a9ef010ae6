"""Smaller copies: sizes, pixels, what stays as it is, and what a stop leaves behind."""

import io
import multiprocessing
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from lgd_mm.datasets import LoadImage
from lgd_mm.errors import UserError
from lgd_mm.preparation.resize import folder, resize_dataset
from lgd_mm.preparation.resize.file import Settings, copy_file
from lgd_mm.preparation.resize.image import resize_image
from tests.test_preparation.trees import coco_tree


def smooth(width, height, channels=3):
    """Pixels whose values change slowly, so that any good filter gives nearly the same."""
    rows, columns = np.mgrid[0:height, 0:width]
    planes = [rows * 255 / height, columns * 255 / width, 255 - rows * 255 / height, 100 + columns * 155 / width]
    return np.stack(planes[:channels], axis=-1).round().astype(np.uint8)


def encoded(image, form, **options):
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def loaded(content, folder):
    """What training sees of a file."""
    (folder / 'picture').write_bytes(content)
    return LoadImage().transform(dict(img_path=str(folder / 'picture')))['img'].astype(float)


def run(source, target, short_side=32, quality=95, jobs=2):
    return resize_dataset(source, target, short_side, quality, jobs, Console(quiet=True))


def tree(root):
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob('*') if path.is_file()}


@pytest.fixture
def source(tmp_path):
    """Two classes, a list, a small image, and what cannot be read."""
    root = tmp_path / 'source'
    for name in ('train/a/1.JPEG', 'train/a/2.jpg', 'train/b/3.png'):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(smooth(90, 60)).save(root / name)
    Image.fromarray(smooth(31, 70)).save(root / 'train/b/small.jpg', quality=50)
    (root / 'meta').mkdir()
    (root / 'meta/train.txt').write_text('a/1.JPEG 0\n')
    (root / 'train/b/broken.jpg').write_bytes((root / 'train/a/1.JPEG').read_bytes()[:-300])
    return root


@pytest.mark.parametrize('mode, form, channels', [
    ('RGB', 'JPEG', 3), ('L', 'JPEG', 1), ('CMYK', 'JPEG', 4), ('RGB', 'PNG', 3), ('RGBA', 'PNG', 4), ('LA', 'PNG', 2),
    ('P', 'PNG', 3), ('1', 'PNG', 1), ('I;16', 'PNG', 1), ('RGB', 'WEBP', 3), ('RGBA', 'WEBP', 4), ('RGB', 'BMP', 3),
    ('RGB', 'TIFF', 3), ('L', 'PPM', 1), ('P', 'GIF', 3), ('RGB', 'JPEG2000', 3)])
def test_every_kind_is_averaged_and_keeps_its_format(tmp_path, mode, form, channels):
    """The copy shows what an average over the pixels of the original shows."""
    pixels = smooth(240, 160, channels)
    if mode == 'I;16':
        image = Image.fromarray(pixels[..., 0].astype(np.uint16))
    elif mode == '1':
        image = Image.fromarray(np.tile(np.eye(2, dtype=np.uint8) * 255, (80, 120))).convert('1', dither=0)
    elif mode == 'P':
        image = Image.fromarray(pixels).quantize(256)
    else:
        image = Image.fromarray(pixels.squeeze(), mode if mode in ('CMYK', 'LA') else None)
    content = encoded(image, form)
    with Image.open(io.BytesIO(content)) as original, Image.open(io.BytesIO(resize_image(content, 40, 95))) as copy:
        assert copy.format == original.format and copy.size == (60, 40)
        assert ('A' in copy.getbands()) == ('A' in original.getbands())
    means = loaded(content, tmp_path).reshape(40, 4, 60, 4, 3).mean(axis=(1, 3))
    assert np.abs(loaded(resize_image(content, 40, 95), tmp_path) - means).mean() < (3 if form == 'GIF' else 2)


@pytest.mark.parametrize('form', ['JPEG', 'PNG', 'WEBP', 'TIFF'])
@pytest.mark.parametrize('orientation', range(1, 9))
def test_orientation_is_in_the_pixels(tmp_path, form, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = encoded(Image.fromarray(smooth(120, 80)), form, exif=exif)
    shown, copy = loaded(content, tmp_path), resize_image(content, 40, 95)
    with Image.open(io.BytesIO(copy)) as image:
        assert image.getexif().get(0x0112, 1) == 1 and image.size == ((60, 40) if orientation < 5 else (40, 60))
    means = shown.reshape(shown.shape[0] // 2, 2, shown.shape[1] // 2, 2, 3).mean(axis=(1, 3))
    assert np.abs(loaded(copy, tmp_path) - means).mean() < 3  # on its side it would be tens


def test_colours_behind_transparency_stay(tmp_path):
    """The loader shows them, alpha or not."""
    content = encoded(Image.merge('RGBA', [Image.new('L', (80, 80), value) for value in (250, 200, 10, 0)]), 'PNG')
    assert (loaded(resize_image(content, 20, 95), tmp_path) == (10, 200, 250)).all()


def test_size_chroma_and_quality():
    """The short side is exact whatever the factor, also where the decoder has halved; colour has half the detail."""
    for width, height in ((2000, 1501), (257, 1000), (333, 258)):
        content = encoded(Image.fromarray(smooth(width, height)), 'JPEG')
        with Image.open(io.BytesIO(resize_image(content, 256, 95))) as copy:
            assert min(copy.size) == 256 and abs(max(copy.size) - 256 * max(width, height) / min(width, height)) <= 0.5
            assert copy.layer[0][1:3] == (2, 2)
    assert len(resize_image(content, 256, 50)) < len(resize_image(content, 256, 95))
    assert resize_image(content, 258, 95) == content


def test_a_tree(tmp_path, source):
    """Names stay, small images and lists are the same bytes, what cannot be read is named."""
    summary = run(source, tmp_path / 'copy')
    before, after = tree(source), tree(tmp_path / 'copy')
    assert set(after) - {'.resized.json'} == set(before) - {'train/b/broken.jpg'}
    for name in ('meta/train.txt', 'train/b/small.jpg'):
        assert after[name] == before[name]
    for name in ('train/a/1.JPEG', 'train/a/2.jpg', 'train/b/3.png'):
        with Image.open(io.BytesIO(after[name])) as image:
            assert image.size == (48, 32)
    assert (summary.images, summary.others) == (4, 1)
    pictures = [name for name in after if name.startswith('train/')]
    assert summary.before == sum(len(before[name]) for name in pictures)
    assert summary.after == sum(len(after[name]) for name in pictures)
    [broken] = summary.unreadable
    assert broken.path == 'train/b/broken.jpg' and 'truncated' in broken.reason


@pytest.mark.parametrize('place', range(5))
def test_stopped_at_every_file_it_goes_on_to_the_same_bytes(tmp_path, source, monkeypatch, place):
    """A stop before a file gets its name leaves only a part; what is whole is not written again."""
    run(source, tmp_path / 'whole')
    replace, moved = os.replace, []

    def stop(old, new):
        if len(moved) == place:
            raise OSError(28, 'No space left on device', str(new))
        moved.append(new)
        replace(old, new)

    class InProcess(folder.ProcessPoolExecutor):
        """Runs here, where the patch is."""

        def map(self, function, items, chunksize):
            return map(function, items)

    monkeypatch.setattr(folder, 'ProcessPoolExecutor', InProcess)
    with monkeypatch.context() as patch, pytest.raises(UserError, match='No space left .* the same command goes on'):
        patch.setattr(os, 'replace', stop)
        run(source, tmp_path / 'copy')
    before = {path: path.stat().st_mtime_ns for path in moved}
    summary = run(source, tmp_path / 'copy')
    assert summary.images == 4 and {path: path.stat().st_mtime_ns for path in moved} == before
    assert tree(tmp_path / 'copy') == tree(tmp_path / 'whole')


def test_two_processes_at_the_same_file(tmp_path, source, monkeypatch):
    """What one has half written is not what the other gives its name to."""
    replace, settings = os.replace, Settings(str(source), 32, 95)
    name = next(str(path.relative_to(source)) for path in sorted(source.rglob('*.jpg')) if path.name != 'broken.jpg')

    def overtaken(old, new):
        """The other begins before the first is done, and never ends."""
        monkeypatch.setattr(os, 'replace', replace)
        other = multiprocessing.get_context('fork').Process(target=stopped_in_writing)
        other.start()
        other.join()
        replace(old, new)

    def stopped_in_writing():
        Path.write_bytes = lambda path, content: path.open('wb') and os._exit(0)
        copy_file(tmp_path / 'copy', settings, name)

    monkeypatch.setattr(os, 'replace', overtaken)
    copied = copy_file(tmp_path / 'copy', settings, name)
    assert copied.after == len(resize_image((source / name).read_bytes(), 32, 95)) > 0


def test_what_cannot_be_a_copy(tmp_path, source):
    """A folder in the other, one with other files, one of other settings, and what has boxes or masks."""
    with pytest.raises(UserError, match='lies in'):
        run(source, source / 'copy')
    (tmp_path / 'full').mkdir()
    (tmp_path / 'full/train').touch()
    with pytest.raises(UserError, match='full holds other files'):
        run(source, tmp_path / 'full')
    assert [path.name for path in (tmp_path / 'full').iterdir()] == ['train']
    run(source, tmp_path / 'copy')
    with pytest.raises(UserError, match='other settings .*short_side 32'):
        run(source, tmp_path / 'copy', short_side=40)
    with pytest.raises(UserError, match='none is no folder'):
        run(tmp_path / 'none', tmp_path / 'other')
    (tmp_path / 'empty').mkdir()
    with pytest.raises(UserError, match='empty has no images'):
        run(tmp_path / 'empty', tmp_path / 'other')
    coco_tree(tmp_path / 'coco')
    with pytest.raises(UserError, match='COCO 2017.* such as .*coco/train2017'):
        run(tmp_path / 'coco', tmp_path / 'other')
    assert not (tmp_path / 'other').exists()


@pytest.mark.parametrize('name', ['meta/secret.txt', 'train/a/secret', 'train/a/1.csv'])
def test_no_file_that_is_no_image_is_copied_through_a_link(tmp_path, source, name):
    """Whoever made the folder may have linked what is only on this machine; within the folder, links are its own."""
    (tmp_path / 'secret').write_text('of this machine')
    (source / 'meta/link.txt').symlink_to('train.txt')
    (source / name).symlink_to(tmp_path / 'secret')
    with pytest.raises(UserError, match=f'{source / name} is a link to {tmp_path}/secret, which lies outside'):
        run(source, tmp_path / 'copy')
    assert not (tmp_path / 'copy').exists()
    (source / name).unlink()
    (source / 'train/a/linked.jpg').symlink_to(source / 'train/b/small.jpg')
    assert run(source, tmp_path / 'copy').others == 2


@pytest.mark.parametrize('link', ['train', 'train/b', '.resized.json'])
def test_nothing_is_written_through_a_link_in_the_copy(tmp_path, source, link):
    """Such as an unpacked copy of somebody else has it, begun with the same settings."""
    mark = run(source, tmp_path / 'copy') and (tmp_path / 'copy/.resized.json').read_text()
    (tmp_path / 'other/train').mkdir(parents=True)
    (tmp_path / 'other/elsewhere').mkdir()
    (tmp_path / 'other/.resized.json').write_text(mark)
    if link == '.resized.json':
        (tmp_path / 'other' / link).unlink()
    (tmp_path / 'other' / link).rmdir() if link == 'train' else None
    (tmp_path / 'other' / link).symlink_to(tmp_path / 'other/elsewhere')
    with pytest.raises(UserError, match='other/.* is a link to|other holds other files'):
        run(source, tmp_path / 'other')
    assert not list((tmp_path / 'other/elsewhere').iterdir())


def test_processes_are_started_at_once(tmp_path, source):
    with pytest.raises(UserError, match='--jobs is 100000, and 256 processes are the most'):
        run(source, tmp_path / 'copy', jobs=100_000)
    assert not (tmp_path / 'copy').exists()
