"""Which weights of a config are left out for a model that begins at random."""

from mmengine.config import Config

from lgd_mm.students.scratch import begin_at_random


def test_weights_at_any_depth_are_left_out():
    """And nothing else: not how the rest begins, and not the frozen teacher."""
    loaded, drawn = dict(type='Pretrained', checkpoint='a.pth'), dict(type='Kaiming', layer='Conv2d')
    teacher = dict(type='lgd_mm.OpenCLIPTeacher', pretrained='openai')
    cfg = Config(dict(load_from='b.pth', model=dict(
        pretrained='torchvision://resnet18', teacher=teacher, backbone=dict(type='A', init_cfg=loaded),
        neck=[dict(init_cfg=[drawn, loaded]), dict(init_cfg=drawn)],
        head=dict(type='B', inner=dict(type='mmpretrain.TIMMBackbone', pretrained=True, checkpoint_path='c.pth')))))
    assert begin_at_random(cfg) == [
        'model.pretrained', 'model.backbone.init_cfg', 'model.neck.0.init_cfg', 'model.head.inner.pretrained',
        'model.head.inner.checkpoint_path', 'load_from']
    assert cfg.to_dict() == dict(load_from=None, model=dict(
        pretrained=None, teacher=teacher, backbone=dict(type='A'), neck=[dict(init_cfg=[drawn]), dict(init_cfg=drawn)],
        head=dict(type='B', inner=dict(type='mmpretrain.TIMMBackbone', pretrained=False, checkpoint_path=''))))
    assert begin_at_random(cfg) == begin_at_random(Config(dict())) == []
