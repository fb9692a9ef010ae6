"""Overrides: a misspelt key is never ignored."""

import pytest
from mmengine.config import Config

from lgd_mm.api.configs import config_root, ready_config, ready_configs
from lgd_mm.api.overrides import apply_overrides, parse_overrides
from lgd_mm.errors import UserError

PRETRAIN, DETECT = 'lgd/r18_pretrain.py', 'coco/mask-rcnn_r18_fpn_1x_coco.py'


@pytest.mark.parametrize(('config', 'key'), [
    (PRETRAIN, 'model.lgka.momentum'),
    (PRETRAIN, 'model.lgka.mask_unseen'),  # an argument that the config does not state
    (PRETRAIN, 'model.backbone.base_channels'),
    (PRETRAIN, 'model.data_preprocessor'),  # of a base class
    (PRETRAIN, 'train_dataloader.prefetch_factor'),
    (PRETRAIN, 'train_dataloader.dataset.pipeline.1.scale'),  # passed on by the class
    (PRETRAIN, 'optim_wrapper.clip_grad.max_norm'),
    (PRETRAIN, 'optim_wrapper.optimizer.nesterov'),
    (PRETRAIN, 'optim_wrapper.paramwise_cfg'),
    (PRETRAIN, 'default_hooks.checkpoint.save_best'),
    (PRETRAIN, 'randomness.deterministic'),
    (PRETRAIN, 'param_scheduler.0.end'),
    (PRETRAIN, 'load_from'),
    (DETECT, 'model.roi_head.bbox_head.num_classes'),
    (DETECT, 'model.train_cfg.rpn_proposal.max_per_img'),
])
def test_keys_that_mean_something_are_written(config, key):
    """Whether the config states them or not."""
    cfg = Config.fromfile(ready_config(config))
    apply_overrides(cfg, {key: 7})
    node = cfg
    for part in key.split('.'):
        node = node[int(part) if part.isdigit() else part]
    assert node == 7


@pytest.mark.parametrize(('config', 'overrides', 'sentence'), [
    (PRETRAIN, {'modelx.lgka.momentum': 1}, "there is no key modelx; did you mean 'model'"),
    (PRETRAIN, {'model.lgka.momentm': 1},
     r"no key model.lgka.momentm; did you mean 'momentum'\? model.lgka \(lgd_mm.LGKA"),
    (PRETRAIN, {'model.bakbone.depth': 1}, "no key model.bakbone; did you mean 'backbone'"),
    (PRETRAIN, {'train_dataloader.batchsize': 1}, "no key train_dataloader.batchsize; did you mean 'batch_size'"),
    (PRETRAIN, {'train_cfg.max_epoch': 1}, "did you mean 'max_epochs'"),
    (PRETRAIN, {'optim_wrapper.optimizer.learning_rate': 1}, r'optim_wrapper.optimizer \(SGD\) has .*lr'),
    (PRETRAIN, {'default_hooks.loger': 1}, "did you mean 'logger'"),
    (PRETRAIN, {'train_dataloader.dataset.pipeline.5.size': 1}, 'is a list of 3: give a number from 0 to 2'),
    (PRETRAIN, {'model.lgka.momentum.value': 1}, 'model.lgka.momentum is 0.999 and has no parts'),
    (PRETRAIN, {'model': dict(lgka=dict(momentm=1))}, "no key model.lgka.momentm; did you mean 'momentum'"),
    (PRETRAIN, {'randomness.sed': 1}, "did you mean 'seed'"),
    (DETECT, {'model.roi_head.bbox_head.num_class': 1}, "did you mean 'num_classes'"),
    (DETECT, {'model.neck.inchannels': 1}, "did you mean 'in_channels'"),
])
def test_misspelt_keys_are_told(config, overrides, sentence):
    """With the nearest, and nothing is written."""
    cfg = Config.fromfile(ready_config(config))
    before = cfg.pretty_text
    with pytest.raises(UserError, match=sentence):
        apply_overrides(cfg, overrides)
    assert cfg.pretty_text == before


def test_arguments_are_read_as_cfg_options():
    """Numbers, lists, None and text; what is no KEY=VALUE is told."""
    assert parse_overrides(['a.b=3', 'c=[1,2.5]', 'd=None', 'e=x=y', 'f=True']) == {
        'a.b': 3, 'c': [1, 2.5], 'd': None, 'e': 'x=y', 'f': True}
    for wrong in ('epochs', '=3'):
        with pytest.raises(UserError, match='is no KEY=VALUE'):
            parse_overrides([wrong])


def test_relative_paths_are_made_absolute(tmp_path, monkeypatch):
    """The written config is used from other folders too; what is no path stays as it is."""
    monkeypatch.chdir(tmp_path)
    for name in ('names.txt', 'prompts.txt', 'w.pt', 'a+b.txt'):
        (tmp_path / name).touch()
    for name in ('pictures', 'coco', 'openai', 'my teacher'):
        (tmp_path / name).mkdir()
    cfg = Config.fromfile(ready_config(PRETRAIN))
    apply_overrides(cfg, {
        'model.lgka.categories': 'coco+names.txt', 'model.lgka.templates': 'prompts.txt',
        'train_dataloader.dataset.data_root': './pictures/',
        'model.teacher': dict(model='local-dir:my teacher/', pretrained='openai', checkpoint='w.pt'),
        'load_from': '../gone.pth'})
    assert cfg.model.lgka.categories == f'coco+{tmp_path}/names.txt'
    assert cfg.model.lgka.templates == f'{tmp_path}/prompts.txt'
    assert cfg.train_dataloader.dataset.data_root == f'{tmp_path}/pictures'
    teacher = cfg.model.teacher
    assert (teacher.model, teacher.pretrained, teacher.checkpoint) == (
        f'local-dir:{tmp_path}/my teacher', 'openai', f'{tmp_path}/w.pt')
    assert cfg.load_from == '../gone.pth'


def test_configs_of_an_installed_package(tmp_path, monkeypatch):
    """Without a checkout they lie in .mim; without them, that is told."""
    names = ready_configs()
    assert PRETRAIN in names and not any(name.startswith('_base_') for name in names)
    package = tmp_path / 'site-packages' / 'lgd_mm'
    monkeypatch.setattr('lgd_mm.api.configs.PACKAGE', package)
    (tmp_path / 'site-packages' / 'configs').mkdir(parents=True)  # of another package
    with pytest.raises(UserError, match='install lgd_mm again'):
        config_root()
    (package / '.mim' / 'configs' / 'lgd').mkdir(parents=True)
    (package / '.mim' / 'configs' / PRETRAIN).write_text('')
    assert ready_config(PRETRAIN) == package / '.mim' / 'configs' / PRETRAIN and ready_configs() == [PRETRAIN]
