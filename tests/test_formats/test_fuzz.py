"""Annotations with something changed anywhere are read, or refused in a sentence; nothing else is raised."""

import random
import re
from contextlib import suppress

import pytest

from lgd_mm.errors import UserError
from lgd_mm.formats.read_set import read_set
from tests.format_samples import PLACES, sample

#: What stands in the place of a word.
WORDS = ('null', '-1', '1e999', 'nan', '[]', '{}', '""', '"a"', '9' * 21, 'true', '..', '/', '\\', '\0', '<', 'é',
         'x' * 300)
FORMATS = {'yolo_seg': 'yolo', 'darknet': 'yolo', 'voc_flat': 'voc', 'voc_masks': 'masks', 'camvid': 'masks'}
TRIES = 30


def changed(content: bytes, draw: random.Random) -> bytes:
    """One word is another, one byte is another, or some are missing."""
    kind = draw.randrange(3)
    at = draw.randrange(max(len(content), 1))
    if kind == 0:
        text = content.decode(errors='replace')
        words = list(re.finditer(r'-?[\d.]+|"[^"]*"|\w+|[\[\]{}<>:,]', text))
        word = draw.choice(words) if words else None
        return (text[:word.start()] + draw.choice(WORDS) + text[word.end():]).encode() if word else content
    if kind == 1:
        return content[:at] + bytes([draw.randrange(256)]) + content[at + 1:]
    return content[:at] + content[at + draw.randrange(1, 40):]


@pytest.mark.parametrize('form', sorted(PLACES.keys() - {'captions'}))
def test_whatever_is_changed(tmp_path, form):
    root, draw = sample(form, tmp_path / 'set'), random.Random(form)
    files = sorted(path for path in root.rglob('*') if path.is_file() and path.suffix != '.jpg')
    for _ in range(TRIES):
        path = draw.choice(files)
        content = path.read_bytes()
        path.write_bytes(changed(content, draw))
        with suppress(UserError):
            found = read_set(root, FORMATS.get(form, form))
            for image in found.splits['train']:
                assert image.mask is None or found.mask_labels.read(image.mask).shape
        path.write_bytes(content)
