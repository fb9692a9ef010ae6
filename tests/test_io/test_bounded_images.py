"""Only the formats that the package promises are decoded, and no more pixels than a file may stand for."""

import io
import os
import re
import struct
import time
import zlib

import cv2
import mmcv
import numpy as np
import pytest
from PIL import Image, ImageFile, PngImagePlugin, UnidentifiedImageError

from lgd_mm.datasets import mask_file
from lgd_mm.datasets.image_size import image_size, image_sizes
from lgd_mm.datasets.loading import LoadImage, UnreadableImage, decode
from lgd_mm.datasets.mask_file import labels_in
from lgd_mm.engine.checks.unreadable_image import bad_image
from lgd_mm.io import image_head
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
    of_exports = 'lgd_mm/deploy/predict.py: with', 'lgd_mm/exports/targets/onnx.py: image ='  # how others use them
    assert len(opened) == 2 and all(line.startswith(place) for line, place in zip(opened, of_exports))


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


def blocks(size, count) -> bytes:
    """A GIF with one comment of so many parts."""
    return (b'GIF89a\x01\x00\x01\x00\x80\x00\x00' + bytes(6) + b'!\xfe' + (bytes([size]) + b'a' * size) * count
            + b'\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;')


HEADS = {'gif, parts of a byte': blocks(1, 50_000), 'gif, whole parts': blocks(255, 50_000),
         'ppm, behind a number': b'P6 1 #' + b'a' * 50_000, 'ppm, never ends': b'P6 #' + b'a' * 50_000,
         'jpeg, filled': b'\xff\xd8' + b'\xff' * 50_000 + saved('JPEG')[2:]}


@pytest.mark.parametrize('head', HEADS)
def test_heads_are_read_in_a_bounded_number_of_steps(tmp_path, head):
    """Pillow takes one for each letter, and copies a comment with each part of it."""
    asked = []
    (tmp_path / 'image').write_bytes(HEADS[head])
    for read in (open_image, image_head.open_head, lambda content: mmcv.imfrombytes(content, backend='pillow')):
        counted = type('', (io.BytesIO, ), dict(
            read=lambda self, *size: asked.append(1) or io.BytesIO.read(self, *size)))
        with pytest.raises(RefusedImage, match='comments without end'):
            read(counted(HEADS[head]) if read is image_head.open_head else HEADS[head])
    assert 0 < len(asked) <= image_head.READS
    assert image_size(tmp_path / 'image') is None


def test_metadata_of_usual_length_are_read():
    text = PngImagePlugin.PngInfo()
    for number in range(100):
        text.add_text(f'key {number}', 'a' * 1000)
    for content in (saved('JPEG', icc_profile=b'a' * 3_000_000, comment=b'a' * 60_000),
                    saved('PNG', pnginfo=text), saved('GIF', comment=b'a' * 300_000),
                    b'P6\n' + b'# made by somebody\n' * 100 + b'1 1\n255\n\0\0\0'):
        assert open_image(content).load() is not None


def test_scans_count_by_the_pixels_they_go_over(monkeypatch):
    content = saved('JPEG', (64, 64), progressive=True)
    last = content[content.rindex(b'\xff\xda'):-2]
    scans = content.count(b'\xff\xda') + 40
    content = content[:-2] + 40 * last + content[-2:]
    monkeypatch.setattr(pictures, 'WORK', 64 * 64 * scans)
    check_image(content)
    monkeypatch.setattr(pictures, 'WORK', 64 * 64 * scans - 1)
    with pytest.raises(RefusedImage, match='scans go over'):
        check_image(content)


def test_scans_are_those_of_the_first_image(monkeypatch):
    """A phone puts a film behind it, and a thumbnail before: of neither is anything a scan of the image."""
    content = saved('JPEG', (64, 64), progressive=True)
    scans = content.count(b'\xff\xda')
    monkeypatch.setattr(pictures, 'WORK', 64 * 64 * scans)
    thumbnail = b'\xff\xda' * 600 + b'\xff\xd9'
    content = content[:2] + b'\xff\xe1' + struct.pack('>H', len(thumbnail) + 2) + thumbnail + content[2:]
    check_image(content + b'\xff\xda' * 600)
    monkeypatch.setattr(pictures, 'WORK', 64 * 64 * scans - 1)
    with pytest.raises(RefusedImage, match='scans go over'):
        check_image(content)


def test_a_large_jpeg_has_few_scans():
    """Not the 490 that take two minutes, nor the 100 that take half of one; a camera's ten are read."""
    for scans, padding in ((490, 120_000), (100, 25_000), (10, 25_000)):
        content = bytearray(jpeg_of_size(13300, 13300))
        start = content.index(b'\xff\xda')
        content[start:start] = b'\xff\xfe' + struct.pack('>H', padding // 4) + b'a' * (padding // 4 - 2)
        content[-2:-2] = (b'\xff\xda' + b'a' * (padding // scans)) * (scans - 1)
        if scans > 10:
            with pytest.raises(RefusedImage, match='scans go over'):
                check_image(bytes(content))
        else:
            check_image(bytes(content))


def tiff(size, data, **tags) -> bytes:
    """A grey TIFF; names of tags as in the specification."""
    number = dict(compression=259, width=322, height=323, places=324, lengths=325, rows=278, strips=273, bytes=279)
    entries = {256: size[0], 257: size[1], 258: 8, 262: 1, 277: 1}
    entries |= {number[name]: each for name, each in tags.items()}
    start = 8 + 2 + 12 * len(entries) + 4
    lists = [value for value in entries.values() if isinstance(value, list) and len(value) > 1]
    place, body = start, b''
    table = struct.pack('<H', len(entries))
    shift = start + sum(4 * len(each) for each in lists)
    for tag, value in sorted(entries.items()):
        values = [each + shift * (tag in (273, 324)) for each in (value if isinstance(value, list) else [value])]
        if len(values) > 1:
            table += struct.pack('<HHII', tag, 4, len(values), place + len(body))
            body += struct.pack(f'<{len(values)}I', *values)
        else:
            table += struct.pack('<HHII', tag, 4, 1, values[0])
    return b'II*\0' + struct.pack('<I', 8) + table + bytes(4) + body + data


STREAM = b'\xff\xd8' + b'\xff\xdaaa' * 300 + b'\xff\xd9' + b'a' * 20_000
TIFFS = {
    'one strip': tiff((13000, 13000), STREAM, compression=7, rows=13000, strips=[0], bytes=[len(STREAM)]),
    'the older form': tiff((13000, 13000), STREAM, compression=6, rows=13000, strips=[0], bytes=[len(STREAM)]),
    'tiles of the same bytes': tiff((13000, 13000), STREAM, compression=7, width=1024, height=1024, places=[0] * 169,
                                    lengths=[len(STREAM)] * 169),
    'one tile, larger than the image': tiff((16, 16), b'a' * 99, compression=8, width=46000, height=46000, places=[0],
                                            lengths=[99])}


@pytest.mark.parametrize('name', TIFFS)
def test_scans_and_tiles_in_a_tiff(no_decoder, name):
    with pytest.raises(RefusedImage, match='scans go over|in one tile'):
        decode(TIFFS[name])


def test_jpegs_in_a_tiff_are_read():
    """Of 169 tiles with a scan each, and as Pillow writes it."""
    stream = b'\xff\xd8\xff\xdaaa' + b'a' * 20_000
    check_image(tiff((13000, 13000), stream * 169, compression=7, width=1024, height=1024, lengths=[len(stream)] * 169,
                     places=[len(stream) * number for number in range(169)]))
    assert decode(saved('TIFF', (600, 400), compression='jpeg')).shape == (400, 600, 3)


def test_large_images_are_decoded_one_at_a_time(tmp_path, monkeypatch):
    """Sixteen threads look at sizes; a turned PNG is decoded for it."""
    at_work, most = [], []

    def decoded(*_):
        at_work.append(1)
        most.append(len(at_work))
        time.sleep(0.01)
        at_work.pop()
        return np.zeros((6, 8), np.uint8)

    monkeypatch.setattr(mmcv, 'imread', decoded)
    monkeypatch.setattr(pictures, 'ANY_DENSITY', 47)
    exif = Image.Exif()
    exif[0x0112] = 6
    for number in range(8):
        (tmp_path / f'{number}.png').write_bytes(saved('PNG', exif=exif))
    assert len(list(image_sizes(sorted(tmp_path.iterdir()), 'here'))) == len(most) == 8 and max(most) == 1


@pytest.mark.parametrize(('mode', 'values'), [
    ('L', {0, 7, 255}), ('1', {0, 1}), ('P', {0, 3}), ('I;16', {0, 300, 65535})])
def test_labels_are_counted_in_pieces(tmp_path, monkeypatch, mode, values):
    """NumPy takes eight bytes for each pixel that it counts."""
    kinds = {'1': bool, 'I;16': np.uint16}
    mask = Image.fromarray(np.resize(np.array(sorted(values), kinds.get(mode, np.uint8)), (30, 50)))
    if mode == 'P':
        mask.putpalette(list(range(256)) * 3)
    mask.save(tmp_path / 'mask.png')
    monkeypatch.setattr(mask_file, 'PIECE', 64)
    for name in ('bincount', 'unique'):
        count = getattr(np, name)
        monkeypatch.setattr(
            np, name, lambda piece, count=count: count(piece) if piece.size <= 64 else pytest.fail('all'))
    assert labels_in(tmp_path / 'mask.png') == values


def test_an_image_file_has_a_largest_size(tmp_path, monkeypatch):
    monkeypatch.setattr(pictures, 'LARGEST', 1000)
    (tmp_path / 'image.png').write_bytes(saved('PNG') + bytes(1000))
    with pytest.raises(OSError, match='and 1,000 are the most'):
        open_image(tmp_path / 'image.png')
