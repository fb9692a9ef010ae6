"""What holds for any input: hypothesis looks for one for which it does not."""

import json

import pytest
import torch
import torch.nn.functional as F
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mmengine.config import Config

from lgd_mm.api.overrides import apply_overrides
from lgd_mm.errors import UserError
from lgd_mm.language import category_names
from lgd_mm.models.losses import alignment_loss
from lgd_mm.models.necks.bank_update import begin_update
from lgd_mm.own_data.check_annotations import check_annotations
from lgd_mm.safety.config_text import parse_config
from lgd_mm.suite.compare import read_results

SEEDS = st.integers(0, 2**32 - 1)
FEW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@st.composite
def updates(draw):
    """A bank of C rows and a batch of B features, some of which overflowed."""
    generator = torch.Generator().manual_seed(draw(SEEDS))
    rows, width, batch = draw(st.integers(1, 12)), draw(st.integers(1, 9)), draw(st.integers(1, 24))
    bank = F.normalize(torch.randn(rows, width, generator=generator), dim=1)
    counts = torch.randint(0, 3, (rows, ), generator=generator)
    features = F.normalize(torch.randn(batch, width, generator=generator), dim=1)
    labels = torch.randint(rows, (batch, ), generator=generator)
    lost = torch.rand(batch, generator=generator) < draw(st.sampled_from([0, 0.3]))
    features[lost] = draw(st.sampled_from([float('nan'), float('inf')]))
    return bank, counts, features, labels, draw(st.sampled_from([0.0, 0.9, 0.999, 1.0])), draw(st.booleans())


def updated(bank, counts, features, labels, momentum, normalize):
    bank, counts = bank.clone(), counts.clone()
    begin_update(bank, counts, features.clone(), labels.clone(), momentum, normalize)()
    return bank, counts


@FEW
@given(updates(), st.randoms())
def test_update_of_any_bank(update, chance):
    bank, counts, features, labels, *rest = update
    after, counted = updated(*update)
    finite = features.isfinite().all(dim=1)
    found = torch.bincount(labels[finite], minlength=len(bank))
    assert torch.equal(counted - counts, found)
    assert torch.equal(after[found == 0], bank[found == 0])  # to the bit
    assert after.isfinite().all()
    for row in found.nonzero().flatten().tolist():
        mean = features[finite & (labels == row)].mean(dim=0)
        weight = 1 - rest[0] if counts[row] else 1
        expected = torch.lerp(bank[row], mean, weight)
        expected = F.normalize(expected, dim=0) if rest[1] else expected
        torch.testing.assert_close(after[row], expected, atol=2e-5, rtol=0)

    order = chance.sample(range(len(labels)), len(labels))
    shuffled = updated(bank, counts, features[order], labels[order], *rest)
    torch.testing.assert_close(shuffled[0], after, atol=2e-5, rtol=0)
    assert torch.equal(shuffled[1], counted)


@FEW
@given(SEEDS, st.integers(1, 9), st.integers(1, 9), st.sampled_from([0.01, 0.2, 5.0]))
def test_loss_of_any_size(seed, batch, names, temperature):
    generator = torch.Generator().manual_seed(seed)
    student, teacher = (torch.rand(batch, names, generator=generator) * 2 - 1 for _ in range(2))
    student.requires_grad_()
    loss = alignment_loss((student, teacher), 0.2, temperature)
    entropy = -(F.softmax(teacher / temperature, 1) * F.log_softmax(teacher / temperature, 1)).sum(1).mean()
    assert loss.isfinite() and loss >= entropy - 1e-5  # Gibbs: it is least where the student is the teacher
    order = torch.randperm(batch, generator=generator)
    torch.testing.assert_close(alignment_loss((student[order], teacher[order]), 0.2, temperature), loss)
    loss.backward()
    torch.testing.assert_close(student.grad.sum(dim=1), torch.zeros(batch), atol=1e-5, rtol=0)


@FEW
@given(st.lists(st.text(max_size=30), max_size=8))
def test_any_names(names):
    try:
        found = category_names(names)
    except UserError as error:
        assert str(error)
        return
    assert len(found) == len(names) == len(set(found)) and all(name == name.strip() != '' for name in found)


@FEW
@given(st.binary(max_size=200))
def test_any_file_of_names(tmp_path, content):
    path = tmp_path / 'names.txt'
    path.write_bytes(content)
    try:
        assert all(category_names(str(path)))
    except UserError as error:
        assert 'names.txt' in str(error)


JSON = st.recursive(st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8), lambda inner: (
    st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(
        ['id', 'file_name', 'width', 'height', 'bbox', 'image_id', 'category_id', 'segmentation', 'cells', 'suite',
         'columns', 'entries', 'name']), inner, max_size=6)), max_leaves=25)


@FEW
@given(st.lists(JSON, max_size=4), st.lists(JSON, max_size=4))
def test_any_annotations(images, annotations):
    try:
        check_annotations('one.json', dict(images=images, annotations=annotations), {1, 2})
    except UserError as error:
        assert str(error).startswith('one.json: ')


@FEW
@given(JSON | st.binary(max_size=40))
def test_any_results(tmp_path, content):
    path = tmp_path / 'results.json'
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    with pytest.raises(UserError, match='results.json'):
        read_results(path)


@FEW
@given(st.text(max_size=80) | st.sampled_from(['a = [' * 500, 'x = -' * 300 + '1', 'a = {**b}', 'a = dict(**b)']))
def test_any_text_of_a_config(text):
    """Of a checkpoint: it is read, never run."""
    assert isinstance(parse_config(text), dict)


PLAIN = dict(default_scope='mmpretrain', a=dict(b=[dict(c=1), 2]), train_cfg=dict(by_epoch=True, max_epochs=3))


@FEW
@given(st.dictionaries(st.lists(st.sampled_from(['a', 'b', '0', '1', 'c', 'train_cfg', 'max_epochs', 'x', '']),
                                min_size=1, max_size=4).map('.'.join), JSON, max_size=3))
def test_any_overrides(overrides):
    cfg = Config(PLAIN)
    try:
        apply_overrides(cfg, overrides)
    except UserError as error:
        assert str(error)
