"""Coverage-guided fuzzing of the readers: python tests/faults/fuzz.py READER [--seconds 3600] (needs atheris).

A reader may return or refuse in a sentence. What it stumbles over otherwise ends the run, and lies in ``crash-*``.
"""

import argparse
import contextlib
import io
import json
import logging
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import atheris

with atheris.instrument_imports(include=['lgd_mm', 'json', 'zipfile', 'safetensors']):
    import torch
    from safetensors.torch import save

    from lgd_mm.datasets.loading import decode
    from lgd_mm.errors import UserError
    from lgd_mm.io.safe_load import load_checkpoint_file
    from lgd_mm.language import category_names
    from lgd_mm.own_data.check_annotations import check_annotations
    from lgd_mm.own_data.coco_categories import read_categories
    from lgd_mm.safety.config_text import parse_config
    from lgd_mm.students.read import read_student_file
    from lgd_mm.teacher_cache.store import TeacherCache

SCRATCH = Path(tempfile.mkdtemp(dir='/dev/shm' if os.path.isdir('/dev/shm') else None))


def file_of(content: bytes, name: str) -> Path:
    path = SCRATCH / name
    path.write_bytes(content)
    return path


def names(content: bytes) -> None:
    category_names(str(file_of(content, 'names.txt')))


def annotations(content: bytes) -> None:
    path = file_of(content, 'train.json')
    categories = read_categories(path)
    with contextlib.suppress(ValueError, RecursionError, AttributeError):  # read_detection() tells them
        whole = json.loads(content)
        parts = [whole.get('images'), whole.get('annotations')]
        if all(isinstance(part, list) for part in parts):
            check_annotations(path, whole, {category['id'] for category in categories})


def checkpoint(content: bytes) -> None:
    path = file_of(content, 'student.pth')
    load_checkpoint_file(path)
    read_student_file(path)


def cache(content: bytes) -> None:
    (SCRATCH / 'cache').mkdir(exist_ok=True)
    (SCRATCH / 'cache/cache.json').write_bytes(content)
    TeacherCache(str(SCRATCH / 'cache')).missing()


def config(content: bytes) -> None:
    parse_config(content.decode(errors='replace'))


def picture(content: bytes) -> None:
    with contextlib.suppress(Exception):  # the data set skips it, whatever it is
        decode(content)


def whole_checkpoint() -> bytes:
    content = io.BytesIO()
    meta = dict(cfg="model = dict(type='LGD', backbone=dict(type='mmpretrain.ResNet', depth=18))", iter=1, epoch=1)
    torch.save(dict(meta=meta, state_dict={'backbone.a': torch.zeros(2)}), content)
    return content.getvalue()


COCO = dict(images=[dict(id=1, file_name='a.jpg', width=3, height=3)], categories=[dict(id=1, name='cat')],
            annotations=[dict(id=1, image_id=1, category_id=1, bbox=[0, 0, 1, 1], segmentation=[[0, 0, 1, 0, 1, 1]])])
READERS: dict[str, tuple[Callable[[bytes], None], list[bytes]]] = {
    'names': (names, [b'cat\ndog\n', 'ü\n日本\n'.encode(), b'\xef\xbb\xbfcat\n', b'a {} b\n']),
    'annotations': (annotations, [json.dumps(COCO).encode()]),
    'checkpoint': (checkpoint, [whole_checkpoint(), save({'backbone.a': torch.zeros(2)}, {'meta': '{}'})]),
    'cache': (cache, [b'{"fingerprint": "a", "embed_dim": 2, "views": 1, "images": 3}', b'{}']),
    'config': (config, [b"model = dict(a=1)\nb = [1, (2, 'x'), {'c': None}]\n"]),
    'picture': (picture, [b'\xff\xd8\xff\xd9', b'\x89PNG\r\n\x1a\n']),
}


def main() -> None:
    """Fuzz one reader."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('reader', choices=READERS)
    parser.add_argument('--seconds', type=int, default=3600)
    args = parser.parse_args()
    logging.disable()
    read, seeds = READERS[args.reader]
    corpus = SCRATCH / 'corpus'
    corpus.mkdir()
    for index, seed in enumerate(seeds):
        (corpus / str(index)).write_bytes(seed)

    def test(content: bytes) -> None:
        with contextlib.suppress(UserError), contextlib.redirect_stdout(io.StringIO()):
            read(content)

    atheris.Setup([sys.argv[0], f'-max_total_time={args.seconds}', '-timeout=20', '-rss_limit_mb=4096',
                   '-print_final_stats=1', '-verbosity=0', str(corpus)], test)
    atheris.Fuzz()


if __name__ == '__main__':
    main()
