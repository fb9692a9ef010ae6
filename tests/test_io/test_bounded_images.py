"""Only the formats that the package promises are decoded, and no more pixels than a file may stand for."""

import io
import os
import re
import struct
import zlib

import cv2
import mmcv
import numpy as np
import pytest
from PIL import Image, ImageFile, PngImagePlugin, UnidentifiedImageError

from lgd_mm.datasets.loading import LoadImage, UnreadableImage, decode
from lgd_mm.engine.checks.unreadable_image import bad_image
from lgd_mm.io import images as pictures
from lgd_mm.io.images import FORMATS, PIXELS, SCANS, RefusedImage, check_image, open_image
from lgd_mm.preparation.checks import _decode
from lgd_mm.preparation.resize.image import resize_image
from tests.tiny import ROOT

EPS = b'%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n9 9 scale\nshowpage\n%%EOF\n'


def saved(form, size=(8, 6), mode='RGB', **options) -> bytes:
    file = io.BytesIO()
    Image.new(mode, size).save(file, form, **options)
    return file.getvalue()


@pytest.fixture
def no_program(monkeypatch):
    """Pillow starts Ghostscript when it decodes EPS."""
    from PIL import EpsImagePlugin
    monkeypatch.setattr(EpsImagePlugin, 'Ghostscript', lambda *_, **__: pytest.fail('a program was started'))
    monkeypatch.setattr(EpsImagePlugin, 'has_ghostscript', lambda: True)


READERS = dict(
    decode=decode, open=lambda content: open_image(content).load(), resize=lambda content: resize_image(
        content, 4, 90), mmcv=lambda content: mmcv.imfrombytes(content, backend='pillow'))


@pytest.mark.parametrize('reader', READERS)
@pytest.mark.parametrize('content', [EPS, b'\xc5\xd0\xd3\xc6' + struct.pack('<7I', 32, len(EPS), 0, 0, 0, 0, 0) + EPS,
                                     saved('PCX'), saved('TGA'), saved('ICNS', (16, 16)), b'', b'\0' * 99],
                         ids=['eps', 'eps with a preview', 'pcx', 'tga', 'icns', 'empty', 'zeros'])
def test_other_formats_are_refused(no_program, reader, content):
    with pytest.raises(UnidentifiedImageError):
        READERS[reader](content)


def test_opencv_too_decodes_no_other_format(tmp_path, no_program):
    assert cv2.imdecode(np.frombuffer(radiance := cv2.imencode('.hdr', np.zeros((8, 8, 3), np.float32))[1], np.uint8), 1
                        ) is not None
    assert mmcv.imfrombytes(radiance.tobytes()) is None and mmcv.imfrombytes(EPS) is None
    (tmp_path / 'a.png').write_bytes(EPS)
    assert mmcv.imread(tmp_path / 'a.png') is None and 'UnidentifiedImageError' in _decode(tmp_path / 'a.png')[1]
    with pytest.raises(UnreadableImage, match='a.png: UnidentifiedImageError'):
        LoadImage().transform(dict(img_path=str(tmp_path / 'a.png')))


@pytest.mark.parametrize('form', FORMATS)
def test_every_format_that_is_promised(form):
    content = saved(form)
    assert open_image(content).size == (8, 6)
    assert decode(content).shape == mmcv.imfrombytes(content, backend='pillow').shape == (6, 8, 3)


def webp_of_size(width, height, animated=False) -> bytes:
    """A lossless WebP of one colour, whose head is written anew."""
    frames = dict(save_all=True, append_images=[Image.new('RGB', (64, 64), (9, 9, 9))]) if animated else {}
    content = bytearray(saved('WEBP', (64, 64), lossless=True, **frames))
    if animated:  # the canvas, 24 bits each
        place = content.index(b'VP8X') + 12
        content[place:place + 6] = struct.pack('<I', width - 1)[:3] + struct.pack('<I', height - 1)[:3]
    else:  # 14 bits each
        place = content.index(b'VP8L') + 9
        content[place:place + 4] = struct.pack('<I', (width - 1) | (height - 1) << 14)
    return bytes(content)


def jpeg_of_size(width, height) -> bytes:
    """Its data end early, which OpenCV fills with grey."""
    content = bytearray(saved('JPEG', (64, 64)))
    frame = content.index(b'\xff\xc0')
    content[frame + 5:frame + 9] = struct.pack('>HH', height, width)
    return bytes(content)


BOMBS = {'webp': webp_of_size(16383, 10900), 'animated webp': webp_of_size(16383, 10900, animated=True),
         'jpeg': jpeg_of_size(16000, 11000), 'tiff': saved('TIFF', (6000, 6000), '1', compression='group4')}


@pytest.fixture
def no_decoder(monkeypatch):
    """Whoever decodes a bomb has lost."""
    def fail(*_):
        pytest.fail('it was decoded')
    monkeypatch.setattr(cv2, 'imdecode', fail)
    monkeypatch.setattr(ImageFile.ImageFile, 'load', fail)


@pytest.mark.parametrize('bomb', BOMBS)
def test_a_small_file_that_promises_much_is_refused_before_it_is_decoded(tmp_path, no_decoder, bomb):
    content = BOMBS[bomb]
    assert len(content) < 5000
    for read in READERS.values():
        with pytest.raises(RefusedImage, match='promise .* pixels, which exceeds'):
            read(content)
    assert mmcv.imfrombytes(content) is None
    (tmp_path / 'bomb').write_bytes(content)
    with pytest.raises(UnreadableImage, match='bomb: RefusedImage: its .* bytes promise'):
        LoadImage().transform(dict(img_path=str(tmp_path / 'bomb')))


@pytest.mark.parametrize('content', [saved('PNG', (5000, 3000), 'L'), saved('WEBP', (4000, 3000), lossless=True)],
                         ids=['a mask of one class', 'an empty page'])
def test_images_of_one_colour_are_read(content):
    check_image(content)


def test_beyond_the_bound_on_all_pixels(monkeypatch):
    monkeypatch.setattr(pictures, 'PIXELS', 10**9)
    with pytest.raises(RefusedImage, match='exceeds limit'):
        check_image(jpeg_of_size(60_000, 60_000))
    assert PIXELS == 178_956_970


def test_a_jpeg_of_too_many_scans():
    content = saved('JPEG', (64, 64), progressive=True)
    last = content[content.rindex(b'\xff\xda'):-2]
    check_image(content)
    with pytest.raises(RefusedImage, match='scans'):
        check_image(content[:-2] + last * SCANS + content[-2:])


def test_text_in_a_png_is_bounded():
    """Pillow's own bound: a kilobyte of compressed text may stand for a gigabyte."""
    info = PngImagePlugin.PngInfo()
    info.add_text('a', 'x' * 10**7, zip=True)
    profile = b'a\0\0' + zlib.compress(bytes(10**7))
    chunk = struct.pack('>I', len(profile)) + b'iCCP' + profile + struct.pack('>I', zlib.crc32(b'iCCP' + profile))
    plain = saved('PNG')
    for content in (saved('PNG', pnginfo=info), plain[:33] + chunk + plain[33:]):
        with pytest.raises(RefusedImage, match='too large'):
            decode(content)


def test_no_file_is_opened_by_another_way():
    """All formats would be tried, and Pillow would wait for a pipe."""
    opened = [f'{path.relative_to(ROOT)}: {line.strip()}' for path in sorted((ROOT / 'lgd_mm').rglob('*.py'))
              for line in path.read_text(encoding='utf-8').splitlines()
              if re.search(r'Image\.open\(|cv2\.imread|plt\.imread', line) and 'formats=formats()' not in line]
    assert len(opened) == 1 and opened[0].startswith('lgd_mm/exports/targets/onnx.py: image =')  # how others use it


def test_pipes_and_devices_are_no_images(tmp_path):
    os.mkfifo(tmp_path / 'pipe.png')
    for path in (str(tmp_path / 'pipe.png'), '/dev/zero'):
        for read in (open_image, mmcv.imread):
            with pytest.raises(OSError, match='it is a (pipe|device) and no plain file') as caught:
                read(path)
        assert bad_image({}, caught.value) == (f'{path} is a {"device" if "zero" in path else "pipe"} and no plain '
                                                 'file: put the file itself there, or take it out of the data')
        assert 'no plain file' in _decode(path)[1]
        with pytest.raises(UnreadableImage, match='no plain file'):
            LoadImage().transform(dict(img_path=path))


@pytest.mark.parametrize('content', [
    b'GIF89a\x01\x00\x01\x00\x00\x00\x00' + b'!\xfe\x01a\x00' * 100_000 + b';',
    b'P6\n#' + b'a' * 1_000_000 + b'\n1 1\n255\n\x00\x00\x00'], ids=['gif', 'ppm'])
def test_images_of_comments_are_refused(content):
    with pytest.raises(OSError, match='comment'):
        open_image(content)
