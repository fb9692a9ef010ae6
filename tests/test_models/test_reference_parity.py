"""The default settings compute what the published implementation computes, step by step.

Each fixture ``*.npz`` below ``$LGD_GOLDEN_DIR`` holds consecutive steps: raw embeddings, losses, gradients, banks.
"""

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from lgd_mm.models import LGKA, LGDHead
from lgd_mm.models.necks import lgka as lgka_module

FIXTURES = sorted(Path(os.environ['LGD_GOLDEN_DIR']).glob('*.npz')) if 'LGD_GOLDEN_DIR' in os.environ else []


@pytest.mark.skipif('LGD_GOLDEN_DIR' not in os.environ, reason='LGD_GOLDEN_DIR is not set')
def test_fixtures_exist():
    assert FIXTURES, f'no .npz in LGD_GOLDEN_DIR={os.environ["LGD_GOLDEN_DIR"]}'


@pytest.mark.parametrize('path', FIXTURES, ids=lambda path: path.stem)
def test_published_steps(path, monkeypatch):
    fixture = {key: torch.from_numpy(np.asarray(value)) for key, value in np.load(path).items()}
    text_bank = fixture['text_bank']
    monkeypatch.setattr(lgka_module, 'textual_bank', lambda *args, **kwargs: text_bank.clone())

    class Teacher:
        embed_dim, fingerprint, encode_text = text_bank.shape[1], 'fixture', None

    lgka = LGKA([f'category {i}' for i in range(len(text_bank))], Teacher(), momentum=float(fixture['momentum']))
    lgka.visual_bank.copy_(fixture['visual_bank_init'])
    head = LGDHead(
        student_temperature=float(fixture['tau_student']), teacher_temperature=float(fixture['tau_teacher']))

    steps = sum(key.startswith('student_') for key in fixture)
    assert steps > 0
    for step in range(steps):
        student = fixture[f'student_{step}'].clone().requires_grad_()
        losses = head.loss(*lgka(student, fixture[f'teacher_{step}']))
        sum(losses.values()).backward()

        for name in ('visual', 'textual'):  # alpha = 0.5 weighs both
            torch.testing.assert_close(
                2 * losses[f'loss_{name}'], fixture[f'loss_{name}_{step}'].to(torch.float32), rtol=1e-5, atol=0)
        torch.testing.assert_close(student.grad, fixture[f'grad_student_{step}'], rtol=0, atol=1e-6)
        torch.testing.assert_close(lgka.visual_bank, fixture[f'visual_bank_{step}'], rtol=0, atol=1e-6)
        torch.testing.assert_close(lgka.textual_bank, text_bank, rtol=0, atol=0)
        assert torch.equal(lgka.seen, fixture[f'seen_{step}'])
