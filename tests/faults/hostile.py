"""Throw damaged and malicious files at the readers: python tests/faults/hostile.py [--count 1000] [--seed 0]

A reader may return or refuse in a sentence (UserError, UnreadableImage). Anything else, code that runs, or a file that
takes longer than LIMIT seconds is a failure, which is told with the number that makes the same file again.
"""

import argparse
import contextlib
import copy
import io
import json
import logging
import os
import pickle
import random
import signal
import struct
import sys
import tarfile
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file

from lgd_mm.datasets.loading import LoadImage, UnreadableImage
from lgd_mm.datasets.tar_index import tar_index
from lgd_mm.errors import UserError
from lgd_mm.language import category_names, prompt_templates
from lgd_mm.own_data.coco_categories import read_categories
from lgd_mm.own_data.detection import read_detection
from lgd_mm.runs.checkpoints import read_training_state
from lgd_mm.students.read import read_student_file

#: Seconds for one file, on a busy machine.
LIMIT = 20


class Canary:
    """A pickle of it makes a file when it is loaded."""

    def __init__(self, path: Path, call: int) -> None:
        self.path, self.call = str(path), call

    def __reduce__(self) -> tuple:
        command = f'open({self.path!r}, "w").close()'
        return [(exec, (command, )), (eval, (command, )), (os.system, (f'touch {self.path}', )),
                (open, (self.path, 'w')), (Path.touch, (Path(self.path), ))][self.call % 5]


def checkpoint(chance: random.Random) -> dict:
    """A small one as training writes it."""
    weights = {f'backbone.layer{index}.weight': torch.full((2, 3), float(index)) for index in range(3)}
    return dict(meta=dict(epoch=1, iter=5, cfg='model = dict()\n', seed=chance.random()), state_dict=weights,
                optimizer=dict(state={0: dict(step=torch.tensor(3.))}, param_groups=[dict(lr=.1, params=[0])]),
                message_hub=dict(log_scalars={}, runtime_info={}), param_schedulers=[])


def hostile_checkpoint(chance: random.Random, path: Path, canary: Path) -> None:
    """A whole checkpoint, then spoilt."""
    content = checkpoint(chance)
    kind = chance.randrange(9)
    trap = Canary(canary, chance.randrange(5))
    if kind == 0:
        chance.choice([content, content['meta'], content['state_dict']])['trap'] = trap
    elif kind == 1:
        path.write_bytes(pickle.dumps(dict(content, state_dict=trap), protocol=chance.choice([0, 2, 4])))
        return
    elif kind == 2:  # other types than expected
        part = chance.choice(['meta', 'state_dict', 'optimizer', 'message_hub'])
        content[part] = chance.choice([None, 7, 'text', [], [1, 2], {}, {'cfg': 3}, torch.zeros(2)])
    elif kind == 3:
        content = chance.choice([[], 5, 'text', None, {}, {'state_dict': {}}, {1: 2}])
    elif kind == 4:
        save_file(content['state_dict'], path, metadata={'meta': chance.choice(['', '{', '[]', '{"backbone": 3}'])})
        if chance.random() < 0.5:
            spoil(chance, path)
        return
    elif kind == 5:  # a config in it that would run code, or is none
        content['meta']['cfg'] = chance.choice([
            f'open({str(canary)!r}, "w")\n', f'import os\nos.system("touch {canary}")\n', 'model = dict(', '\0',
            'x' * 99,
            f'_base_ = [open({str(canary)!r}, "w").name]\n', f'model = dict(a={{open({str(canary)!r}, "w")}})\n'])
    torch.save(content, path)
    if kind == 6:
        with zipfile.ZipFile(path, 'a') as file, contextlib.suppress(UserWarning):
            file.writestr(chance.choice(['x/data.pkl', '../../escape', 'x/version', 'x/data/0']), b'\x80\x02.')
    if kind >= 7:
        spoil(chance, path)


def spoil(chance: random.Random, path: Path) -> None:
    """Cut off, overwrite or lengthen a file somewhere."""
    content = bytearray(path.read_bytes())
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(content)) if content else 0
        match chance.randrange(4):
            case 0:
                del content[place:]
            case 1:
                content[place:place + 8] = chance.randbytes(chance.randrange(9))
            case 2:
                content[place:place] = chance.randbytes(chance.randrange(64))
            case 3:
                content[place:place + 4] = struct.pack('>I', chance.choice([0, 1, 2**16, 2**31 - 1, 2**32 - 1]))
    path.write_bytes(content)


def hostile_image(chance: random.Random, path: Path, canary: Path) -> None:
    """An image of any kind, spoilt, or one that pretends to be huge."""
    kind = chance.randrange(10)
    if kind == 0:
        sides = [1, 20_000, 2**20, 2**31 - 1]
        path.write_bytes(png_of_size(chance.choice(sides), chance.choice(sides)))
        return
    if kind == 1:
        start = chance.choice([b'', b'', b'%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n', b'II*\0', b'RIFF'])
        path.write_bytes(start + chance.randbytes(chance.choice([0, 1, 2, 100, 5000])))
        return
    mode = chance.choice(['RGB', 'L', 'CMYK', 'RGBA', 'LA', 'P', '1', 'I;16', 'I', 'F'])
    form = chance.choice({'RGB': ['JPEG', 'PNG', 'WEBP', 'BMP', 'TIFF', 'GIF', 'PPM'], 'L': ['JPEG', 'PNG', 'TIFF'],
                          'CMYK': ['JPEG', 'TIFF'], 'P': ['PNG', 'GIF', 'BMP'], '1': ['PNG', 'BMP'],
                          'RGBA': ['PNG', 'WEBP', 'TIFF']}.get(mode, ['TIFF' if mode in 'IF' else 'PNG']))
    side = chance.choice([1, 2, 31, 64])
    image = Image.new(mode, (side, chance.choice([1, 64])))
    frames = [image.copy() for _ in range(2)] if form in ('GIF', 'TIFF') and chance.random() < 0.5 else []
    exif = Image.Exif()
    exif[0x0112] = chance.randrange(12)
    image.save(path, form, **(dict(save_all=True, append_images=frames) if frames else {}),
               **(dict(exif=exif) if form in ('JPEG', 'PNG', 'WEBP') else {}))
    if chance.random() < 0.8:
        spoil(chance, path)


def png_of_size(width: int, height: int) -> bytes:
    """A PNG whose head promises that many pixels, and whose data are few."""
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))
    head = struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0)
    data = chunk(b'IDAT', zlib.compress(bytes(1000)))
    return b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', head) + data + chunk(b'IEND', b'')


def hostile_names(chance: random.Random, path: Path, canary: Path) -> None:
    """A list of names, or of categories, of many kinds."""
    if chance.random() < 0.1:
        os.mkfifo(path)
    elif chance.random() < 0.5:
        line = chance.choice(['cat', 'a (b)', '(' * 50, '\x1b[31m', '\u202e', '{}', '#', ' ', '\0', 'ü', '\U0001f600'])
        text = chance.choice(['\n', '\r', '\r\n', '\u2028']).join(
            f'{line}{index}' for index in range(chance.choice([0, 1, 5, 20_000])))
        path.write_bytes(text.encode(chance.choice(['utf-8', 'utf-8-sig', 'utf-16', 'utf-16-le', 'utf-32', 'gb18030'])))
    else:
        value = chance.choice(['"a"', '"\\ud800"', '1' * 5000, '[' * 50_000, 'NaN', 'null', '{}', '"\\u0000"', '""'])
        path.write_text('{"categories": [' + ', '.join(
            f'{{"id": {index}, "name": {value}}}' for index in range(chance.choice([0, 1, 2]))) + ']}')
    if path.is_file() and chance.random() < 0.3:
        spoil(chance, path)


def hostile_shard(chance: random.Random, path: Path, canary: Path) -> None:
    """A tar whose heads say what they like."""
    content = b''
    for index in range(chance.randrange(1, 4)):
        info = tarfile.TarInfo(chance.choice([f'{index}.png', '../../x.png', '/etc/passwd', 'a' * 150, '']))
        info.size = chance.choice([0, 1, 512, 2**33, 2**62, -1, -512])
        info.type = chance.choice([tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.GNUTYPE_SPARSE, tarfile.XHDTYPE,
                                   tarfile.GNUTYPE_LONGNAME, tarfile.XGLTYPE, tarfile.CHRTYPE])
        body = chance.choice([b'', b'x' * 512, b'20 size=-1\n'.ljust(512, b'\0'), b'19 path=a\n'.ljust(512, b'\0')])
        content += info.tobuf(tarfile.GNU_FORMAT) + body
    path.write_bytes(content + bytes(chance.choice([0, 512, 1024])))
    if chance.random() < 0.3:
        spoil(chance, path)


VALUES = [None, True, -1, 0, 1e400, float('nan'), 2**70, '', '../x', '/etc/passwd', '\0', 'ü', [], {}, [[]], {'id': 1},
          [1, 2], 'x' * 1000, [float('inf')] * 4, [0, 0, 0, 0], {'size': [1, 1], 'counts': 'a'}]


def hostile_annotations(chance: random.Random, path: Path, canary: Path) -> None:
    """Two files in COCO's format, one of them spoilt."""
    content = dict(
        images=[dict(id=index, file_name='one.png', width=8, height=8) for index in range(3)],
        annotations=[dict(id=index, image_id=index, category_id=1, bbox=[1, 1, 4, 4], area=16, iscrowd=0,
                          segmentation=[[1, 1, 5, 1, 5, 5]]) for index in range(3)],
        categories=[dict(id=1, name='cat'), dict(id=2, name='dog')])
    spoilt = copy.deepcopy(content)
    for _ in range(chance.randint(1, 3)):
        node, place = spoilt, chance.choice(list(spoilt) or [None])
        for _ in range(chance.randrange(4)):
            child = node[place] if place is not None else None
            if not child or not isinstance(child, (dict, list)):
                break
            node = child
            place = chance.choice(list(node)) if isinstance(node, dict) else chance.randrange(len(node))
        if place is not None:
            if chance.random() < 0.3:
                del node[place]
            else:
                node[place] = copy.deepcopy(chance.choice(VALUES))
    (path / 'annotations').mkdir(parents=True, exist_ok=True)
    Image.new('RGB', (8, 8)).save(path / 'one.png')
    (path / 'annotations/train.json').write_text(json.dumps(spoilt))
    (path / 'annotations/val.json').write_text(json.dumps(chance.choice([content, spoilt])))
    if chance.random() < 0.2:
        spoil(chance, path / 'annotations/train.json')
    if chance.random() < 0.02:
        (path / 'annotations/train.json').write_text('[' * 100_000)


def read_checkpoint(path: Path) -> None:
    """All ways in which a checkpoint comes in."""
    for read in (read_training_state, read_student_file):
        with contextlib.suppress(UserError):
            read(path)


def read_image(path: Path) -> None:
    """As the data sets do it."""
    with contextlib.suppress(UnreadableImage):
        image = LoadImage().transform(dict(img_path=str(path)))['img']
        assert image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == 3


def read_annotations(path: Path) -> None:
    """As ``--data`` does it."""
    with contextlib.suppress(UserError), contextlib.redirect_stdout(io.StringIO()):
        read_detection(str(path))


def read_names(path: Path) -> None:
    """As ``--classes`` and ``--templates`` do it."""
    for ending, read in (('.txt', category_names), ('.txt', prompt_templates), ('.json', category_names),
                         ('.json', read_categories)):
        named = path.with_suffix(ending)
        if not named.is_symlink():
            named.symlink_to(path)
        with contextlib.suppress(UserError):
            read(str(named))


def read_shard(path: Path) -> None:
    """As the data set of shards does it."""
    with contextlib.suppress(UserError):
        for member in tar_index(str(path)):
            assert len(os.pread(os.open(path, os.O_RDONLY), member.size, member.offset)) == member.size


KINDS: dict[str, tuple[Callable, Callable]] = {
    'checkpoints': (hostile_checkpoint, read_checkpoint),
    'pictures': (hostile_image, read_image),
    'annotation files': (hostile_annotations, read_annotations),
    'lists of names': (hostile_names, read_names),
    'shards': (hostile_shard, read_shard),
}


def attack(kind: str, count: int, seed: int) -> list[str]:
    """Make and read that many files.

    Returns:
        list[str]: Failures.
    """
    make, read = KINDS[kind]
    failures = []
    with tempfile.TemporaryDirectory() as folder:
        canary = Path(folder, 'canary')
        for number in range(count):
            path = Path(folder, f'{number}.pth')
            make(random.Random(f'{seed} {kind} {number}'), path, canary)
            signal.alarm(LIMIT)
            begin = time.monotonic()
            try:
                read(path)
            except BaseException as error:
                failures.append(f'{kind} {number}: {type(error).__name__}: {str(error)[:200]}')
            finally:
                signal.alarm(0)
            if canary.exists():
                failures.append(f'{kind} {number}: code was executed')
                canary.unlink()
            if time.monotonic() - begin > LIMIT:
                failures.append(f'{kind} {number}: took {time.monotonic() - begin:.0f} s')
    return failures


def main() -> int:
    """Report failures; exit with 1 if there are any."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--count', type=int, default=1000)
    parser.add_argument('--seed', type=int, default=0)
    args = parser.parse_args()
    logging.disable()
    failures = []
    for kind in KINDS:
        found = attack(kind, args.count, args.seed)
        print(f'{args.count} hostile {kind}: {len(found)} failures', flush=True)
        failures += found
    print('\n'.join(failures))
    return bool(failures)


if __name__ == '__main__':
    sys.exit(main())
