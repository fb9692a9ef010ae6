"""Small models of vision and language, and batches for them."""

import pytest
import torch

from lgd_mm.models.vl import DistillVLM
from lgd_mm.registry import MODELS

WORDS, TEXT, TAGS, REGIONS = 20, 6, 3, 4


@pytest.fixture
def words(tmp_path):
    """A vocabulary of 20 pieces, and another one."""
    pieces = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', *'abcdefghijklmno']
    (tmp_path / 'vocab.txt').write_text('\n'.join(pieces))
    (tmp_path / 'other.txt').write_text('\n'.join([*pieces[:-1], 'z']))
    (tmp_path / 'answers.txt').write_text('yes\nno\n1\n2\nred\n')
    return tmp_path


def student(folder, task, vocabulary='vocab.txt', region_width=10, width=8, depth=2, heads=2, positions=12, **more):
    if task['type'] == 'lgd_mm.VLAnswering':
        task = dict(dict(answers=str(folder / 'answers.txt')), **task)
    return dict(type='lgd_mm.VisionLanguageModel', vocabulary=str(folder / vocabulary), task=task, transformer=dict(
        region_width=region_width, width=width, depth=depth, heads=heads, positions=positions, dropout=0.), **more)


def batch(size=3, seed=0, **lengths):
    """Texts of 4, 5, 6, ... words with 2 tags and 3 regions each."""
    draws = torch.Generator().manual_seed(seed)
    length = TEXT + TAGS + REGIONS
    valid = torch.zeros(size, length, dtype=torch.bool)
    for row in range(size):
        valid[row, :4 + row % 3] = True
        valid[row, TEXT:TEXT + 2] = True
        valid[row, TEXT + TAGS:TEXT + TAGS + 3] = True
    words = torch.randint(5, WORDS, (size, TEXT + TAGS), generator=draws) * valid[:, :TEXT + TAGS]
    words[:, 0] = 2
    inputs = dict(
        text=words[:, :TEXT], tags=words[:, TEXT:], valid=valid,
        regions=torch.randn(size, REGIONS, 10, generator=draws),
        teacher_regions=torch.randn(size, REGIONS, 14, generator=draws),
        draw=torch.randint(0, 2**31, (size, ), generator=draws))
    words = torch.full((size, 2), -100)
    words[:, 0] = 7
    words[0, 1] = 9
    targets = dict(masked=torch.tensor([[1, 2]]).repeat(size, 1), words=words,
                   matching=torch.arange(size) % 2, answers=torch.rand(size, 5, generator=draws))
    return inputs, targets


@pytest.fixture
def build(words):
    """DistillVLM of a small student and a wider teacher."""

    def made(task=None, teacher=None, **options):
        task = task or dict(type='lgd_mm.VLCaptioning')
        torch.manual_seed(0)
        model = DistillVLM(student=student(words, task), teacher=student(
            words, task, **dict(dict(region_width=14, width=12), **(teacher or {}))), **options)
        model.init_weights()
        return model

    return made


@pytest.fixture
def captioner(words):
    torch.manual_seed(0)
    model = MODELS.build(student(words, dict(type='lgd_mm.VLCaptioning')))
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return model.eval()
