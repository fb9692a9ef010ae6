"""One way to compare a checkpoint with a network, whoever asks."""

import pytest
import torch
from torch import nn

from lgd_mm.engine.checks.preflight import check_weights
from lgd_mm.errors import UserError
from lgd_mm.io.key_report import KeyReport
from lgd_mm.models.students import HeadlessStudent
from lgd_mm.models.teachers import BackboneTeacher
from lgd_mm.registry import MODELS

SLIM = dict(type='mmpretrain.ResNet', depth=18, stem_channels=8, base_channels=8)
COUNT = 'bn1.num_batches_tracked'


@pytest.fixture(scope='module')
def state():
    return MODELS.build(SLIM).state_dict()


def of_teacher(weights, tmp_path):
    torch.save({f'backbone.{key}': value for key, value in weights.items()}, tmp_path / 'a.pth')
    BackboneTeacher(SLIM, checkpoint=str(tmp_path / 'a.pth'))


#: All that fill a backbone from a file.
FILL = dict(
    report=lambda weights, tmp_path: None if KeyReport.compare(MODELS.build(SLIM).state_dict(), weights).complete
    else pytest.fail('it is not complete'),
    run=lambda weights, tmp_path: check_weights(MODELS.build(SLIM), weights, 'a.pth'),
    zoo=lambda weights, tmp_path: HeadlessStudent(SLIM).load_state_dict(
        {f'backbone.{key}': value for key, value in weights.items()}),
    teacher=of_teacher)


@pytest.mark.parametrize('fill', FILL.values(), ids=FILL)
@pytest.mark.parametrize('change', [
    lambda weights: [weights.pop(key) for key in list(weights) if key.endswith('num_batches_tracked')],
    lambda weights: weights.update({COUNT: torch.ones(1, dtype=torch.long)}),
    lambda weights: weights.update({COUNT: torch.tensor(3.)}),
], ids=['torch before 0.4.1', 'a row of one', 'float'])
def test_counts_of_batches_are_taken_as_torch_takes_them(state, tmp_path, fill, change):
    weights = dict(state)
    change(weights)
    fill(weights, tmp_path)


@pytest.mark.parametrize('fill', ['run', 'zoo', 'teacher'])
def test_a_norm_that_is_not_there_is_missed_with_its_count(state, tmp_path, fill):
    weights = {key: value for key, value in state.items() if not key.startswith('bn1.')}
    with pytest.raises((UserError, RuntimeError), match='bn1.weight.*bn1.running_mean'):
        FILL[fill](weights, tmp_path)
    report = KeyReport.compare(state, weights)
    assert COUNT in report.missing and len(report.missing) == 5 and report.total == len(state)


def test_of_loading_is_what_torch_found():
    network = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    weights = {**network.state_dict(), 'more': torch.ones(1)}
    del weights['1.num_batches_tracked'], weights['1.bias']
    report = KeyReport.of_loading(network, weights)
    assert report.missing == ('1.bias', ) and report.unexpected == ('more', ) and report.mismatched == ()
    assert report.differences == KeyReport.compare(network.state_dict(), weights).differences
    report = KeyReport.of_loading(network, {**network.state_dict(), '0.weight': torch.ones(1)})
    assert report.mismatched == ('0.weight', ) and report.differences == ['1 mismatched (0.weight)']
