"""A backbone that ``frozen_backbone`` leaves as it is, bit by bit, whatever its kind; what stands behind it learns."""

import copy

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DATASETS, MODELS, DefaultScope, init_default_scope

from lgd_mm.api.overrides import apply_overrides
from lgd_mm.engine import settings
from lgd_mm.engine.checks.same_run import check_same_run
from lgd_mm.engine.frozen_backbone import asks_for_it, freeze_backbone
from lgd_mm.engine.launch import _build
from lgd_mm.errors import UserError
from lgd_mm.models.frozen import freeze
from lgd_mm.students.swap import use_backbone
from tests.configs import read_config
from tests.isolation import forget_runs
from tests.test_configs.batches import small
from tests.tiny import lgd_model, write_tiny_teacher

#: One of each library: batch norms in a chain, inverted residuals with dropout, norms of mmdet, timm's own norms.
BACKBONES = {
    'ResNet': None,
    'MobileNetV2': dict(type='mmpretrain.MobileNetV2', widen_factor=0.25),
    'CSPNeXt': dict(type='mmdet.CSPNeXt', deepen_factor=0.167, widen_factor=0.125, channel_attention=False),
    'timm': dict(type='mmpretrain.TIMMBackbone', model_name='test_resnet', drop_path_rate=0.5),
    'plain': dict(type='mmpretrain.TIMMBackbone', model_name='test_vit', drop_path_rate=0.5),
}


@DATASETS.register_module(force=True)
class Batches(torch.utils.data.Dataset):
    """Images of noise with their labels, as the config's own loader would hand them over."""

    metainfo: dict = {}
    samples: list = []

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, index):
        return copy.deepcopy(self.samples[index])


def runner_of(path, folder, backbone=None, amp=False, optimizer=None, **changes):
    """A run of three steps of a config, of images in memory."""
    cfg = read_config(path)
    if backbone is not None:
        use_backbone(cfg, backbone)
    make_batch = small(cfg, None)
    init_default_scope(cfg.default_scope)
    batch = make_batch(cfg)
    Batches.samples = [dict(inputs=image, data_samples=sample)
                       for image, sample in zip(batch['inputs'], batch['data_samples'])]
    cfg.train_dataloader = dict(
        batch_size=2, num_workers=0, dataset=dict(type='mmengine.Batches'),
        sampler=dict(type='DefaultSampler', shuffle=False), collate_fn=dict(type='pseudo_collate'))
    for split in ('val', 'test'):
        for part in ('dataloader', 'evaluator', 'cfg'):
            cfg[f'{split}_{part}'] = None
    cfg.optim_wrapper = dict(
        type='OptimWrapper', optimizer=optimizer or dict(type='SGD', lr=0.01, momentum=0.9, weight_decay=0.1))
    if amp:
        settings.set_precision(cfg, 'bf16')
    cfg.train_cfg = dict(by_epoch=True, max_epochs=3)
    cfg.param_scheduler, cfg.work_dir, cfg.launcher, cfg.custom_hooks = None, str(folder), 'none', None
    cfg.default_hooks = dict(checkpoint=None, logger=dict(type='LoggerHook'))
    cfg.experiment_name = folder.name
    cfg.merge_from_dict(changes)
    forget_runs()
    return _build(cfg)


def taken(runner):
    """State and class of the backbone, and of the rest."""
    state = {key: value.clone() for key, value in runner.model.state_dict().items()}
    return [{key: value for key, value in state.items() if key.startswith('backbone.') is own} for own in (True, False)]


@pytest.mark.parametrize(('path', 'backbone', 'amp'), [
    *(('shapes/sem-fpn-frozen_r18-slim_shapes.py', name, name == 'timm') for name in BACKBONES),
    ('shapes/linear-seg-frozen_r18-slim_shapes.py', 'ResNet', False),
    ('shapes/linear-seg-frozen_r18-slim_shapes.py', 'timm', False),
    ('shapes/mask-rcnn-frozen_r18-slim_fpn_shapes.py', 'MobileNetV2', True),
])
def test_not_a_bit_moves(tmp_path, path, backbone, amp):
    """Nor do statistics, and no weight decay reaches it: the optimiser does not have it."""
    runner = runner_of(path, tmp_path, BACKBONES[backbone], amp)
    (before, rest), model = taken(runner), runner.model
    kind, grads = type(model.backbone), []
    model.backbone.register_forward_hook(
        lambda module, inputs, outputs: grads.extend(each.requires_grad for each in outputs))
    model.init_weights = lambda: None  # mmengine would begin anew
    runner.train()
    after, learned = taken(runner)
    assert all(torch.equal(after[key], value) for key, value in before.items()) and before.keys() == after.keys()
    assert [key for key, value in rest.items() if torch.equal(learned[key], value) and 'num_batches' not in key
            and not key.startswith('data_preprocessor')] == []
    assert len(grads) >= 3 and not any(grads)
    held = {each for group in runner.optim_wrapper.param_groups for each in group['params']}
    assert held == {each for name, each in model.named_parameters() if not name.startswith('backbone.')}
    assert not any(each.requires_grad or each.grad is not None for each in model.backbone.parameters())
    assert not any(module.training for module in model.backbone.modules()) and model.training
    assert isinstance(model.backbone, kind.__mro__[2])  # its own class, behind what freezes it


def test_the_same_steps_as_upstreams_own(tmp_path):
    """mmpretrain's ResNet freezes its stages and norms itself: the heads learn the same."""
    ours = runner_of('shapes/sem-fpn-frozen_r18-slim_shapes.py', tmp_path / 'ours')
    theirs = runner_of('shapes/sem-fpn-frozen_r18-slim_shapes.py', tmp_path / 'theirs', frozen_backbone=False,
                       **{'model.backbone.frozen_stages': 4, 'model.backbone.norm_eval': True})
    theirs.model.load_state_dict(ours.model.state_dict())
    for runner in (ours, theirs):
        runner.model.init_weights = lambda: None
        torch.manual_seed(0)
        runner.train()
    state = theirs.model.state_dict()
    assert all(torch.equal(value, state[key]) for key, value in ours.model.state_dict().items())


def test_paramwise_settings_are_kept(tmp_path, capfd):
    """And no log line for each parameter of the backbone."""
    runner = runner_of('shapes/sem-fpn-frozen_r18-slim_shapes.py', tmp_path,
                       optimizer=dict(type='AdamW', lr=0.1, weight_decay=0.05),
                       **{'optim_wrapper.paramwise_cfg': dict(norm_decay_mult=0.)})
    runner.train()
    groups = [group for group in runner.optim_wrapper.param_groups if group['params']]
    names = {parameter: name for name, parameter in runner.model.named_parameters()}
    assert {names[group['params'][0]] for group in groups} == {
        name for name in names.values() if not name.startswith('backbone.')}
    assert {group['weight_decay'] for group in groups} == {0.0, 0.05}
    assert 'is skipped since' not in capfd.readouterr().out


def test_a_network_that_is_frozen_twice_and_copied():
    """The average of an EMAHook is a copy; of the copy, no part is the first network's."""
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        network = MODELS.build(dict(type='mmpretrain.ResNet', depth=18, stem_channels=8, base_channels=8))
    keys, kind = list(network.state_dict()), type(network)
    freeze(network)
    freeze(network)
    assert list(network.state_dict()) == keys and isinstance(network, kind) and type(network).__name__ == 'ResNet'
    assert len(type(network).__mro__) == len(kind.__mro__) + 2
    other = copy.deepcopy(network).train()
    assert not other.training and other.conv1.weight is not network.conv1.weight
    image = torch.rand(2, 3, 32, 32)
    assert torch.equal(other(image)[-1], network(image)[-1])


@pytest.mark.parametrize(('given', 'sentence'), [
    ('yes', "frozen_backbone='yes': give True, which leaves model.backbone as it is, or False"),
    (1, 'frozen_backbone=1'),
])
def test_neither_yes_nor_no(given, sentence):
    with pytest.raises(UserError, match=sentence):
        asks_for_it(Config(dict(frozen_backbone=given)))


def test_by_the_front_door():
    cfg = read_config('coco/retinanet_r18_fpn_1x_coco.py')
    assert not asks_for_it(cfg)
    apply_overrides(cfg, dict(frozen_backbone=True))
    assert asks_for_it(cfg)


def test_what_has_no_backbone_to_leave(tmp_path):
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        lgd = MODELS.build(lgd_model(write_tiny_teacher(tmp_path)))
    with pytest.raises(UserError, match='frozen_backbone=True leaves the backbone as it is, and LGD is there to train'):
        freeze_backbone(lgd)
    with pytest.raises(UserError, match='needs model.backbone, which Linear does not have'):
        freeze_backbone(torch.nn.Linear(1, 1))
    alone = torch.nn.Module()
    alone.backbone = torch.nn.Linear(1, 1)
    with pytest.raises(UserError, match='leaves nothing of Module to train'):
        freeze_backbone(alone)


@pytest.mark.parametrize('before', [True, False])
def test_a_run_goes_on_as_it_was_begun(before):
    cfg = read_config('shapes/sem-fpn-frozen_r18-slim_shapes.py')
    cfg.frozen_backbone = before
    meta = dict(cfg=cfg.pretty_text, epoch=0, iter=1)
    if before:
        cfg.pop('frozen_backbone')
    else:
        cfg.frozen_backbone = True
    with pytest.raises(UserError, match=f'is of a run with frozen_backbone={before}, and here it is {not before}'):
        check_same_run(cfg, meta, torch.nn.Linear(1, 1), 'iter_1.pth')
