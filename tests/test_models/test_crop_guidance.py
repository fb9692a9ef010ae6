"""Dense guidance from the crops that a teacher cache brings."""

import pytest
import torch
import torch.nn.functional as F
from torch.profiler import ProfilerActivity, profile

from lgd_mm.datasets.views import Crops
from lgd_mm.errors import UserError
from lgd_mm.models import losses as of_losses
from lgd_mm.models.losses import weighted_mean
from lgd_mm.models.teachers.base import Taught, Teacher
from lgd_mm.registry import MODELS
from tests.tiny import lgd_model

SIZE, CROPS = 64, 3


class Silent(Teacher):
    """Stands for the teacher of a cache."""
    has_maps, embed_dim, fingerprint = False, 32, 'silent'

    def __init__(self):
        super().__init__((0., 0., 0.), (1., 1., 1.), None)


def build(teacher, **dense):
    torch.manual_seed(0)
    cfg = lgd_model(teacher)
    cfg['backbone']['out_indices'] = (1, 2, 3)
    model = MODELS.build(cfg | dict(dense=dict(type='lgd_mm.DenseGuidance', feature=1., **dense)))
    return model


def batch(valid=None):
    generator = torch.Generator().manual_seed(0)
    corners = (torch.rand(2, CROPS, 2, 2, generator=generator).sort(dim=2).values * SIZE).flatten(2)
    valid = torch.tensor([[True, True, False], [False, False, False]]) if valid is None else valid
    crops = Crops(corners * valid[..., None], torch.randn(2, CROPS, 32, generator=generator).half() * valid[..., None],
                  valid)
    return torch.randn(2, 3, SIZE, SIZE, generator=generator), Taught(
        torch.randn(2, 32, generator=generator), crops=crops)


def total(losses):
    return sum(loss for name, loss in losses.items() if 'crop' in name)


@pytest.mark.parametrize('wanted', [dict(visual=1., categories=['cat', 'dog']), dict(agreement=0.3)])
def test_positions_that_are_wanted_and_not_there_are_told(teacher, wanted):
    """A live teacher has maps, so its model can be built; a batch of a cache has none."""
    inputs, taught = batch()
    with pytest.raises(UserError, match='visual and agreement are of positions, and this batch brings crops alone'):
        build(teacher, **wanted)(inputs, teacher=taught, mode='loss')


def test_the_losses_are_those_of_the_mean_over_each_box(teacher):
    model = build(teacher)
    inputs, taught = batch()
    found = model(inputs, teacher=taught, mode='loss')
    assert set(found) == {'loss_visual', 'loss_textual', 'loss_crop_textual', 'loss_crop_feature'}
    merged = model.dense.pyramid.merge(model.features(inputs))
    assert merged.shape[-2:] == (8, 8)
    textual, feature = [], []
    for place in range(2):
        left, top, right, bottom = (taught.crops.boxes[0, place] / 8).tolist()
        share = torch.zeros(8, 8)
        for y in range(8):
            for x in range(8):
                share[y, x] = max(0, min(bottom, y + 1) - max(top, y)) * max(0, min(right, x + 1) - max(left, x))
        mean = (merged[0] * share).sum(dim=(1, 2)) / share.sum()
        ours = F.normalize(model.dense.pyramid.mlp(mean[None, :, None, None]).flatten(1), dim=1)
        theirs = F.normalize(taught.crops.embeddings[0, place][None].float(), dim=1)
        target = F.softmax(theirs @ model.names.T / 0.01, dim=1)
        textual.append(F.cross_entropy(ours @ model.names.T / 0.2, target))
        feature.append(1 - (ours * theirs).sum())
    torch.testing.assert_close(found['loss_crop_textual'], 3 * sum(textual) / 2)
    torch.testing.assert_close(found['loss_crop_feature'], sum(feature) / 2)


def test_an_image_without_crops_adds_nothing(teacher):
    model = build(teacher)
    inputs, taught = batch()
    inputs.requires_grad_()
    model.eval()  # a batch norm would mix the images
    total(model(inputs, teacher=taught, mode='loss')).backward()
    assert inputs.grad[0].any() and not inputs.grad[1].any()


def test_a_batch_without_crops_is_exactly_nothing(teacher):
    model = build(teacher)
    inputs, taught = batch(torch.zeros(2, CROPS, dtype=torch.bool))
    losses = model(inputs, teacher=taught, mode='loss')
    assert losses['loss_crop_textual'].item() == losses['loss_crop_feature'].item() == 0
    total(losses).backward()
    grads = [parameter.grad for parameter in model.dense.parameters()]
    assert all(grad is not None and not grad.any() for grad in grads), 'finite, and there for every process'


def test_maps_and_crops_are_learnt_side_by_side(teacher):
    model = build(teacher)
    inputs, taught = batch()
    maps = torch.randn(2, 32, 4, 4)
    alone = model(inputs, teacher=taught, mode='loss')
    apart = model(inputs, teacher=taught._replace(crops=None, dense=maps), mode='loss')
    both = model(inputs, teacher=taught._replace(dense=maps), mode='loss')
    for name, loss in {**alone, **apart}.items():
        torch.testing.assert_close(both[name], loss)
    assert len(both) == 6
    with pytest.raises(UserError, match=r'needs maps of the teacher or crops of a cache.*dataset.crops=4'):
        model(inputs, teacher=taught._replace(crops=None), mode='loss')


def test_autocast_on_a_cpu(teacher):
    model = build(teacher)
    inputs, taught = batch()
    exact = model(inputs, teacher=taught, mode='loss')
    with torch.autocast('cpu', dtype=torch.bfloat16):
        found = model(inputs, teacher=taught, mode='loss')
    for name, loss in found.items():
        assert loss.dtype == torch.float32
        torch.testing.assert_close(loss, exact[name], rtol=0.03, atol=0.01)


def test_nothing_waits_for_the_device(teacher):
    model = build(teacher)
    inputs, taught = batch()
    with profile(activities=[ProfilerActivity.CPU], acc_events=True) as profiler:
        total(model(inputs, teacher=taught, mode='loss')).backward()
    names = {event.name for event in profiler.events()}
    assert not names & {'aten::_local_scalar_dense', 'aten::nonzero', 'aten::detach_', 'aten::is_nonzero'}


def test_processes_weigh_every_crop_alike(monkeypatch):
    """The mean of what two processes with other numbers of crops say is what one says of all."""
    values, weight = torch.tensor([1., 2., 3., 9.]), torch.tensor([1., 0., 0., 1.])
    values, weight = torch.cat([values, torch.tensor([5., 7.])]), torch.cat([weight, torch.tensor([1., 1.])])
    parts = (slice(0, 3), slice(3, 6))
    mean = sum(weight[part].sum() for part in parts) / 2
    monkeypatch.setattr(of_losses, 'all_reduce', lambda total, op: total.copy_(mean) if op == 'mean' else 1 / 0)
    found = sum(weighted_mean(values[part], weight[part]) for part in parts) / 2
    assert found == (values * weight).sum() / weight.sum()


def test_what_is_of_maps_alone_is_refused(teacher):
    backbone = MODELS.build(dict(type='mmpretrain.ResNet', depth=18, base_channels=8, stem_channels=8,
                                 out_indices=(1, 2, 3)))
    for options in (dict(visual=1., categories=['cat']), dict(agreement=.1)):
        with pytest.raises(UserError, match='visual and agreement are of positions, and Silent knows crops alone: set'):
            MODELS.build(dict(type='lgd_mm.DenseGuidance', **options),
                         default_args=dict(backbone=backbone, teacher=Silent()))
    MODELS.build(dict(type='lgd_mm.DenseGuidance'), default_args=dict(backbone=backbone, teacher=Silent()))


def test_the_preprocessor_sends_crops_along():
    preprocessor = MODELS.build(dict(type='lgd_mm.ViewPreprocessor', mean=[0.] * 3, std=[1.] * 3, to_rgb=True))
    inputs, taught = batch()
    view = torch.zeros(2, 12)
    view[:, 5:8] = 1
    data = dict(inputs=inputs.byte(), view=view, coloured=torch.tensor([False, False]),
                teacher=taught.embedding.half())
    assert torch.equal(preprocessor(data)['teacher'], data['teacher'])
    found = preprocessor({**data, 'crops': taught.crops})['teacher']
    assert found.dense is None and all(map(torch.equal, found.crops, taught.crops))
    assert torch.equal(found.embedding, data['teacher'])
