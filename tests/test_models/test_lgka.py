"""Language-guided knowledge aggregation against a plain loop over categories."""

import zlib

import pytest
import torch
import torch.nn.functional as F

from lgd_mm.errors import UserError
from lgd_mm.models import LGKA, LGDHead, alignment_loss
from lgd_mm.models.necks.lgka import MASKED


class Teacher:
    """Encodes a text as a random direction of its own."""

    embed_dim, fingerprint = 16, 'test'

    def encode_text(self, texts):
        return torch.stack([
            torch.randn(self.embed_dim, generator=torch.Generator().manual_seed(zlib.crc32(text.encode())))
            for text in texts
        ])


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv('LGD_CACHE_DIR', str(tmp_path))


def build(count=12, **options):
    torch.manual_seed(0)
    return LGKA([f'name {i}' for i in range(count)], Teacher(), templates=['a {}.', 'one {}'], **options)


def embeddings(seed, count=8):
    generator = torch.Generator().manual_seed(seed)
    return 3 * torch.randn(count, 16, generator=generator)


def step(lgka, seed, count=8):
    student = embeddings(seed + 100, count).requires_grad_()
    textual, visual = lgka(student, embeddings(seed, count))
    (visual[0].sum() + textual[0].sum()).backward()
    return textual, visual


def loop_update(bank, seen, teacher, textual_bank, momentum):
    """The published per-category loop."""
    bank, seen = bank.clone(), seen.clone()
    teacher = F.normalize(teacher, dim=1)
    labels = (teacher @ textual_bank.T).argmax(dim=1)
    for category in range(len(bank)):
        members = teacher[labels == category]
        if len(members):
            mean = members.mean(dim=0)
            bank[category] = momentum * bank[category] + (1 - momentum) * mean if seen[category] else mean
            seen[category] = True
    return bank, seen


@pytest.mark.parametrize('momentum', [0.0, 0.9, 0.999, 1.0])
def test_update_equals_the_loop(momentum):
    lgka = build(count=60, momentum=momentum)
    bank, seen = lgka.visual_bank.clone(), lgka.seen.clone()
    for seed in range(5):
        bank, seen = loop_update(bank, seen, embeddings(seed), lgka.textual_bank, momentum)
        step(lgka, seed)
        torch.testing.assert_close(lgka.visual_bank, bank, atol=1e-6, rtol=0)
        assert torch.equal(lgka.seen, seen)
    assert 0 < seen.sum() < len(seen), 'the test needs seen and unseen categories'


def test_unseen_rows_keep_their_bits():
    lgka = build(count=40)
    start = lgka.visual_bank.clone()
    step(lgka, 0)
    assert torch.equal(lgka.visual_bank[~lgka.seen], start[~lgka.seen])


def test_batch_order_does_not_matter():
    first, second = build(), build()
    teacher, order = embeddings(3), torch.randperm(8, generator=torch.Generator().manual_seed(0))
    for lgka, features in ((first, teacher), (second, teacher[order])):
        textual, visual = lgka(embeddings(4).requires_grad_(), features)
        visual[0].sum().backward()
    torch.testing.assert_close(first.visual_bank, second.visual_bank, atol=1e-6, rtol=0)


def test_options():
    positive = build()
    plain = build(positive_column=False)
    assert step(positive, 0)[1][0].shape == (8, 13)
    textual, visual = step(plain, 0)
    assert visual[0].shape == (8, 12)

    teacher = F.normalize(embeddings(1), dim=1)
    student = F.normalize(embeddings(101), dim=1)
    _, (student_visual, teacher_visual) = build()(embeddings(101), embeddings(1))
    torch.testing.assert_close(student_visual[:, 0], (student * teacher).sum(dim=1))
    torch.testing.assert_close(teacher_visual[:, 0], torch.ones(8))

    unit = build(normalize_visual_bank=True, momentum=0.5)
    for seed in range(3):
        step(unit, seed)
    torch.testing.assert_close(unit.visual_bank.norm(dim=1), torch.ones(12))


@pytest.mark.parametrize('positive_column', [True, False])
def test_mask_unseen_leaves_rows_out(positive_column):
    lgka = build(mask_unseen=True, positive_column=positive_column)
    head = LGDHead()
    student = embeddings(100).requires_grad_()
    losses = head.loss(*lgka(student, embeddings(0)))  # nothing seen yet
    losses['loss_visual'].backward()
    assert torch.isfinite(student.grad).all() and torch.isfinite(losses['loss_visual'])

    student = embeddings(101)
    _, visual = lgka(student, embeddings(1))
    first = 1 if positive_column else 0
    assert (visual[0][:, first:][:, ~lgka.seen] == MASKED).all()
    kept = [torch.cat([s[:, :first], s[:, first:][:, lgka.seen]], dim=1) for s in visual]
    torch.testing.assert_close(alignment_loss(visual, 0.2, 0.01), alignment_loss((kept[0], kept[1]), 0.2, 0.01))


def test_float32_under_autocast():
    lgka = build()
    student, teacher = embeddings(5), embeddings(6)
    plain = lgka(student, teacher)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        mixed = lgka(student, teacher)
    for before, after in zip([*plain[0], *plain[1]], [*mixed[0], *mixed[1]]):
        assert after.dtype == torch.float32
        assert torch.equal(before, after)


def test_loss_by_hand():
    pair = torch.tensor([[0.1, 0.3]]), torch.tensor([[0.02, 0.01]])
    target = torch.softmax(torch.tensor([2.0, 1.0]), 0)
    log_probability = torch.log_softmax(torch.tensor([0.5, 1.5]), 0)
    expected = -(target * log_probability).sum()
    torch.testing.assert_close(alignment_loss(pair, 0.2, 0.01), expected)
    losses = LGDHead(alpha=0.25).loss(textual=pair, visual=pair)
    torch.testing.assert_close(losses['loss_visual'], 0.25 * expected)
    torch.testing.assert_close(losses['loss_textual'], 0.75 * expected)


def test_impossible_settings():
    with pytest.raises(UserError, match=r'momentum is 1\.5'):
        build(momentum=1.5)
    with pytest.raises(UserError, match='alpha'):
        LGDHead(alpha=2)
    with pytest.raises(UserError, match='teacher_temperature'):
        LGDHead(teacher_temperature=0)


def test_one_category_one_image():
    lgka = build(count=1)
    step(lgka, 0, count=1)
    torch.testing.assert_close(lgka.visual_bank, F.normalize(embeddings(0, 1), dim=1))


@pytest.mark.parametrize('micro_batches', [1, 2])
def test_update_under_autocast_and_accumulation(micro_batches):
    """Each micro-batch is a step of the bank, in float32, also when the networks run in half precision."""
    lgka = build(count=60)
    bank, seen = lgka.visual_bank.clone(), lgka.seen.clone()
    layer = torch.nn.Linear(16, 16)
    for number in range(micro_batches):
        with torch.autocast('cpu', dtype=torch.bfloat16):
            _, visual = lgka(layer(embeddings(number)), embeddings(number + 50))
        (visual[0].sum() / micro_batches).backward()
        bank, seen = loop_update(bank, seen, embeddings(number + 50), lgka.textual_bank, lgka.momentum)
    torch.testing.assert_close(lgka.visual_bank, bank, atol=1e-6, rtol=0)
    assert torch.equal(lgka.seen, seen) and lgka.visual_bank.dtype == torch.float32


def test_overflowed_teacher_features_stay_out():
    clean, broken = build(), build()
    teacher = embeddings(2)
    step_on = embeddings(102).requires_grad_()
    clean(step_on[:6], teacher[:6])[1][0].sum().backward()
    teacher[6:] = torch.tensor([float('nan'), float('inf')]).unsqueeze(1)
    student = embeddings(102).requires_grad_()
    broken(student, teacher)[1][0].nan_to_num().sum().backward()
    torch.testing.assert_close(broken.visual_bank, clean.visual_bank)
    assert torch.equal(broken.seen, clean.seen)


def test_banks_of_another_teacher_are_refused():
    lgka, other = build(), build()
    other.textual_bank = F.normalize(other.textual_bank + 0.1, dim=1)
    with pytest.raises(UserError, match='another teacher'):
        lgka.load_state_dict(other.state_dict())
