"""The textual bank's numbers and its cache."""

import hashlib
import os
from unittest.mock import patch

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from lgd_mm.language import OPENAI_TEMPLATES, Vocabulary, textual_bank
from lgd_mm.language import bank as bank_module

PETS = Vocabulary(('cat', 'guinea pig', 'dog'), ('a {}.', 'the {}', 'my {} at home'))


class Encoder:
    """A text's embedding is drawn from its hash; it counts its calls."""

    def __init__(self):
        self.batches = []

    def __call__(self, texts):
        self.batches.append(len(texts))
        seeds = [int.from_bytes(hashlib.sha256(text.encode()).digest()[:7], 'big') for text in texts]
        return torch.stack([3 * torch.randn(16, generator=torch.Generator().manual_seed(seed)) for seed in seeds])


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv('LGD_CACHE_DIR', str(tmp_path / 'cache'))
    return tmp_path / 'cache'


@pytest.fixture
def log():
    with patch.object(bank_module, 'print_log') as log:
        yield lambda: [call.args[0] for call in log.call_args_list]


def by_hand(vocabulary):
    encoder, rows = Encoder(), []
    for name in vocabulary.categories:
        total = torch.zeros(16)
        for template in vocabulary.templates:
            embedding = encoder([template.replace('{}', name)])[0]
            total += embedding / embedding.norm()
        mean = total / len(vocabulary.templates)
        rows.append(mean / mean.norm())
    return torch.stack(rows)


def only_file(cache):
    file, = (path for path in cache.rglob('*') if path.is_file())
    return file


@pytest.mark.parametrize('vocabulary', [
    PETS,
    Vocabulary(tuple(f'thing {i}' for i in range(30)), OPENAI_TEMPLATES),  # several batches
])
def test_numbers(vocabulary):
    bank = textual_bank(Encoder(), vocabulary, 'teacher')
    assert bank.dtype == torch.float32 and bank.shape == (len(vocabulary.categories), 16)
    torch.testing.assert_close(bank, by_hand(vocabulary), rtol=0, atol=1e-6)
    torch.testing.assert_close(bank.norm(dim=1), torch.ones(len(bank)), rtol=0, atol=1e-6)


def test_batches_hold_whole_categories_and_stay_bounded():
    encoder = Encoder()
    textual_bank(encoder, Vocabulary(tuple(f'thing {i}' for i in range(30)), OPENAI_TEMPLATES), 'teacher')
    assert encoder.batches == [960, 960, 480]


def test_half_precision_encoder_gives_float32_without_gradient():
    weight = torch.ones(16, requires_grad=True)
    bank = textual_bank(lambda texts: (Encoder()(texts) * weight).half(), PETS, 'teacher')
    assert bank.dtype == torch.float32 and not bank.requires_grad
    torch.testing.assert_close(bank, by_hand(PETS), rtol=0, atol=1e-3)


def test_second_call_reads_the_cache():
    first = textual_bank(Encoder(), PETS, 'teacher')
    encoder = Encoder()
    assert torch.equal(textual_bank(encoder, PETS, 'teacher'), first)
    assert not encoder.batches


@pytest.mark.parametrize('vocabulary, key', [
    (PETS, 'other teacher'),
    (Vocabulary(PETS.categories[::-1], PETS.templates), 'teacher'),
    (Vocabulary(PETS.categories, PETS.templates[:1]), 'teacher'),
])
def test_another_teacher_or_vocabulary_is_encoded_anew(vocabulary, key):
    textual_bank(Encoder(), PETS, 'teacher')
    encoder = Encoder()
    textual_bank(encoder, vocabulary, key)
    assert encoder.batches


def cut_off(file):
    file.write_bytes(file.read_bytes()[:-40])


def flip_a_bit(file):
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)


def other_vocabulary(file):
    with safe_open(file, framework='pt') as content:
        save_file(dict(textual_bank=content.get_tensor('textual_bank')), file,
                  metadata={**content.metadata(), 'vocabulary_digest': '0' * 64})


def no_metadata(file):
    save_file(dict(textual_bank=torch.ones(3, 16)), file)


def other_tensor(file):
    save_file(dict(bank=torch.ones(3, 16)), file)


@pytest.mark.parametrize('damage', [cut_off, flip_a_bit, other_vocabulary, no_metadata, other_tensor,
                                    lambda file: file.write_bytes(b'')])
def test_damaged_file_is_computed_again(cache, log, damage):
    bank = textual_bank(Encoder(), PETS, 'teacher')
    damage(only_file(cache))
    encoder = Encoder()
    assert torch.equal(textual_bank(encoder, PETS, 'teacher'), bank)
    assert encoder.batches
    assert sum('is damaged and will be computed again' in line for line in log()) == 1

    encoder = Encoder()
    textual_bank(encoder, PETS, 'teacher')
    assert not encoder.batches  # and the file is sound again


def test_unwritable_cache_is_said_and_does_not_stop(cache, log):
    cache.write_text('a file where the folder should be')
    torch.testing.assert_close(textual_bank(Encoder(), PETS, 'teacher'), by_hand(PETS), rtol=0, atol=1e-6)
    assert sum('cannot be cached' in line and 'LGD_CACHE_DIR' in line for line in log()) == 1


def test_full_disk_leaves_nothing_behind(cache, log):

    def save(tensors, path, metadata):
        path.write_bytes(b'half')
        raise OSError(28, os.strerror(28))

    with patch.object(bank_module, 'save_file', save):
        textual_bank(Encoder(), PETS, 'teacher')
    assert not [path for path in cache.rglob('*') if path.is_file()]
    assert 'No space left' in log()[-1]


def test_home_is_used_without_the_variable(tmp_path, monkeypatch):
    monkeypatch.delenv('LGD_CACHE_DIR')
    monkeypatch.setenv('HOME', str(tmp_path))
    textual_bank(Encoder(), PETS, 'teacher')
    assert only_file(tmp_path / '.cache' / 'lgd_mm').suffix == '.safetensors'
