"""The vote of the nearest training images, counted by hand."""

import math
from datetime import timedelta
from types import SimpleNamespace

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from mmengine.runner import EpochBasedTrainLoop
from mmpretrain.structures import DataSample
from torch import nn

from lgd_mm.engine import ReadOnlyOptimWrapper
from lgd_mm.engine.stopping import StopHook
from lgd_mm.errors import UserError
from lgd_mm.models.classifiers import knn
from lgd_mm.registry import MODELS


@MODELS.register_module()
class FirstPixels(nn.Module):
    """Its feature is the mean colour, so that neighbours can be chosen."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, inputs):
        return (inputs * self.scale, )


def classifier(**changes):
    return MODELS.build(dict(type='lgd_mm.KNNClassifier', backbone=dict(type='lgd_mm.FirstPixels'), num_classes=4,
                             **{'k': 3, 'temperature': 0.5, **changes}))


def pictures(*colours):
    return torch.tensor(colours, dtype=torch.float32)[:, :, None, None].expand(-1, -1, 2, 2)


def labelled(*labels):
    return [DataSample().set_gt_label(label) for label in labels]


BANK = pictures([1, 0, 0], [3, 4, 0], [0, 2, 0], [0, 0, 5], [-1, 0, 0])
LABELS = labelled(2, 0, 2, 1, 0)


def test_votes_by_hand():
    """The two nearest to [2, 0, 0] are of label 2 (cosine 1) and of label 0 (cosine 0.6)."""
    model = classifier(k=2)
    model(BANK, LABELS, mode='loss')
    [sample] = model(pictures([2, 0, 0]), labelled(2), mode='predict')
    votes = {2: math.exp(1 / 0.5), 0: math.exp(0.6 / 0.5)}
    expected = [votes.get(label, 0) / sum(votes.values()) for label in range(4)]
    torch.testing.assert_close(sample.pred_score, torch.tensor(expected), rtol=0, atol=1e-3)  # the bank is in float16
    assert int(sample.pred_label) == 2 and int(sample.gt_label) == 2


@pytest.mark.parametrize('k', [0, -1])
def test_no_neighbours(k):
    model = classifier(k=k)
    model(BANK, LABELS, mode='loss')
    with pytest.raises(UserError, match=f'model.k is {k}: it must be a number of at least 1'):
        model(BANK, mode='predict')


@pytest.mark.parametrize('value', [math.nan, 1e30])
def test_features_that_say_nothing(value):
    """NaN would be nearest to all, and have a class."""
    model = classifier()
    model(torch.cat([BANK, pictures([value, 1, 0])]), [*LABELS, *labelled(1)], mode='loss')
    model.embed = lambda inputs: inputs.mean(dim=(2, 3))  # not normalised, as those of few labels
    model(pictures([value, 1, 0]), labelled(1), mode='loss')
    with pytest.raises(UserError, match=r'the features of [12] of 7 images are not finite, or larger than float16'):
        model(BANK, mode='predict')


def test_near_neighbours_outvote_many():
    """One at cosine 1 against two at 0.6, when the temperature is low."""
    bank, labels = pictures([1, 0, 0], [3, 4, 0], [3, -4, 0], [0, 0, 1]), labelled(3, 1, 1, 0)
    winners = []
    for temperature in (0.07, 2.0):
        model = classifier(temperature=temperature)
        model(bank, labels, mode='loss')
        winners.append(int(model(pictures([1, 0, 0]), mode='predict')[0].pred_label))
    assert winners == [3, 1]


def test_the_published_temperature_does_not_overflow():
    model = classifier(temperature=1e-3)
    model(BANK, LABELS, mode='loss')
    [sample] = model(pictures([1, 0, 0]), mode='predict')
    assert float(sample.pred_score.sum()) == pytest.approx(1)


def test_batches_and_chunks_change_nothing(monkeypatch):
    """The bank is filled batch by batch and compared piece by piece."""
    torch.manual_seed(0)
    bank, queries, labels = torch.randn(23, 3, 2, 2), torch.randn(5, 3, 2, 2), torch.arange(23) % 4
    scores = []
    for chunk, batch in ((100, 23), (2, 5)):
        monkeypatch.setattr(knn, 'CHUNK', chunk)
        model = classifier(k=7)
        for begin in range(0, 23, batch):
            model(bank[begin:begin + batch], labelled(*labels[begin:begin + batch].tolist()), mode='loss')
        scores.append(torch.stack([sample.pred_score for sample in model(queries, mode='predict')]))
    torch.testing.assert_close(*scores)


def _half_a_bank(rank, bank, labels, queries, rendezvous, out):
    """One of two processes, which saw 5 and 4 of the images."""
    torch.set_num_threads(1)  # a fork has none of its parent's threads
    dist.init_process_group('gloo', f'file://{rendezvous}', rank=rank, world_size=2)
    mine = slice(0, 5) if rank == 0 else slice(5, 9)
    model = classifier(k=7)
    model(bank[mine], labelled(*labels[mine]), mode='loss')
    torch.save(torch.stack([sample.pred_score for sample in model(queries, mode='predict')]), out / str(rank))
    dist.barrier()
    dist.destroy_process_group()


def test_the_bank_of_two_processes(tmp_path):
    """Each votes with the images of both, as one process with all of them does."""
    torch.manual_seed(0)
    bank, queries, labels = torch.randn(9, 3, 2, 2), torch.randn(5, 3, 2, 2), [index % 4 for index in range(9)]
    model = classifier(k=7)
    model(bank, labelled(*labels), mode='loss')
    expected = torch.stack([sample.pred_score for sample in model(queries, mode='predict')])
    mp.start_processes(_half_a_bank, (bank, labels, queries, tmp_path / 'rendezvous', tmp_path), nprocs=2,
                       start_method='fork')
    for rank in range(2):
        torch.testing.assert_close(torch.load(tmp_path / str(rank)), expected)


def _with_batches_of_its_own(rank, bank, labels, queries, rendezvous, out):
    """One of three processes, of which the second has fewer batches, and the third none at all."""
    torch.set_num_threads(1)
    dist.init_process_group('gloo', f'file://{rendezvous}', rank=rank, world_size=3, timeout=timedelta(seconds=30))
    batches = [[slice(0, 4), slice(4, 7)], [slice(7, 9)], []][rank]
    model, hook = classifier(k=7).train(), StopHook()
    loop = EpochBasedTrainLoop.__new__(EpochBasedTrainLoop)
    loop.dataloader = batches
    runner = SimpleNamespace(train_loop=loop, iter=0)
    hook.before_train(runner)
    for index, mine in enumerate(batches):
        model(bank[mine], labelled(*labels[mine]), mode='loss')
        hook.after_train_iter(runner, index)
    model.eval()
    asked = [queries[:2], queries[2:4], queries[4:]] if rank == 1 else []
    torch.save([sample.pred_score for part in asked for sample in model(part, mode='predict')], out / str(rank))
    model.train().eval()  # of an epoch without training, the bank stays
    assert len(model.bank[0]) == 9
    dist.barrier()
    dist.destroy_process_group()


def test_processes_with_other_numbers_of_batches(tmp_path):
    """Nobody waits for an answer of one that has none left."""
    torch.manual_seed(0)
    bank, queries, labels = torch.randn(9, 3, 2, 2), torch.randn(5, 3, 2, 2), [index % 4 for index in range(9)]
    model = classifier(k=7)
    model(bank, labelled(*labels), mode='loss')
    expected = [sample.pred_score for sample in model(queries, mode='predict')]
    mp.start_processes(_with_batches_of_its_own, (bank, labels, queries, tmp_path / 'rendezvous', tmp_path), nprocs=3,
                       start_method='fork')
    torch.testing.assert_close(torch.load(tmp_path / '1'), expected)


def test_training_changes_no_weight():
    """mmengine's own training step, with the wrapper that takes no step."""
    model = classifier().train()
    wrapper = ReadOnlyOptimWrapper(torch.optim.SGD(model.parameters(), lr=100.0))
    inputs = [(picture * 255).to(torch.uint8) for picture in BANK.abs().clamp(max=1)]
    model.train_step(dict(inputs=torch.stack(inputs), data_samples=LABELS), wrapper)
    assert model.backbone.scale.item() == 1 and model.backbone.scale.grad is None
    assert [tuple(part.shape) for part in model.seen[0]] == [(5, 3), (5, )]
    assert model.seen[0][0].dtype == torch.float16
    assert not model.backbone.training


def test_the_bank_is_in_no_checkpoint():
    """It is as large as the data set, and made anew in one pass."""
    model = classifier()
    model(BANK, LABELS, mode='loss')
    model(BANK, mode='predict')
    assert list(model.state_dict()) == ['backbone.scale']


def test_too_few_images_are_told():
    model = classifier(k=6)
    model(BANK, LABELS, mode='loss')
    with pytest.raises(UserError, match='model.k=6 neighbours .* only 5 training images'):
        model(BANK, mode='predict')
