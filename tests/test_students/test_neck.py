"""A pyramid that travels: in the student's file, into a detector's neck, and what is told where it does not fit."""

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope
from mmpretrain.models import ResNet
from safetensors.torch import load_file

from lgd_mm.api.student import load_student
from lgd_mm.errors import UserError
from lgd_mm.exports.source import read_source
from lgd_mm.registry import MODELS as OWN
from lgd_mm.safety.saved_config import saved_run
from lgd_mm.students import export_checkpoint, plug_student, student_metadata, write_student
from lgd_mm.students.read import read_student_file
from tests.tiny import ROOT, lgd_model, write_tiny_teacher

BACKBONE = dict(type='mmpretrain.ResNet', depth=18, stem_channels=8, base_channels=8, out_indices=(0, 1, 2, 3))
WIDTHS = [8, 16, 32, 64]
KEYS = {f'{part}.{level}.conv.{kind}' for part in ('lateral_convs', 'fpn_convs') for level in range(4)
        for kind in ('weight', 'bias')}


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    """A checkpoint of a dense pre-training with a pyramid of 16 channels, and the student exported of it."""
    folder = tmp_path_factory.mktemp('trained')
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('LGD_CACHE_DIR', str(folder))
        torch.manual_seed(3)
        config = dict(lgd_model(write_tiny_teacher(folder)), backbone=BACKBONE, dense=dict(
            type='lgd_mm.DenseGuidance', pyramid=dict(type='lgd_mm.FPNProjection', channels=16)))
        state = OWN.build(config).state_dict()
    checkpoint = folder / 'epoch_1.pth'
    torch.save(dict(meta=dict(cfg=f'model = {config!r}', iter=7), state_dict=state), checkpoint)
    return state, checkpoint, export_checkpoint(checkpoint, folder / 'student')


@pytest.fixture
def pyramid():
    generator = torch.Generator().manual_seed(0)
    sizes = {'lateral_convs': lambda level: (16, WIDTHS[level], 1, 1), 'fpn_convs': lambda level: (16, 16, 3, 3)}
    return {key: torch.randn(*(sizes[key.split('.')[0]](int(key.split('.')[1])) if key.endswith('weight') else (16, )),
                             generator=generator) for key in sorted(KEYS)}


def student(folder, neck, metadata=None, name='student'):
    """A file with any neck, as somebody else may have written it."""
    state = ResNet(depth=18, stem_channels=8, base_channels=8).state_dict()
    known = student_metadata(dict(model=dict(backbone=BACKBONE)), 1, {})
    fpn = dict(type='mmdet.FPN', in_channels=WIDTHS, out_channels=16, num_outs=4)
    return write_student(state, {**known, 'neck': fpn, **(metadata or {})}, folder / name, neck)[0]


def slim(name, channels=16, **neck):
    """A shipped config on the slim backbone."""
    cfg = Config.fromfile(ROOT / 'configs' / name)
    cfg.model.backbone.update(stem_channels=8, base_channels=8, norm_cfg=dict(type='BN'))
    if cfg.model.get('neck') and cfg.model.neck.type == 'FPN':
        cfg.model.neck.update(in_channels=WIDTHS, out_channels=channels, **neck)
    return cfg


def begun(cfg):
    """Its neck, after init_weights() of a model that has just the two parts."""
    from mmengine.model import BaseModule
    init_default_scope(cfg.default_scope)
    torch.manual_seed(1)
    model = BaseModule()
    model.neck = MODELS.build(cfg.model.neck)
    model.init_weights()
    return model.neck.state_dict()


def test_the_file_has_both(trained):
    state, checkpoint, files = trained
    for tensors in (load_file(files[0]), torch.load(files[1], weights_only=True)['state_dict']):
        assert {key.removeprefix('neck.') for key in tensors if not key.startswith('backbone.')} == KEYS
        assert all(torch.equal(tensors[f'neck.{key}'], state[f'dense.pyramid.fpn.{key}']) for key in KEYS)
    for file in (checkpoint, *files):
        read = read_student_file(file)
        assert read.pyramid.keys() == KEYS and read.left_out is None
        assert read.pyramid_config == dict(type='mmdet.FPN', in_channels=WIDTHS, out_channels=16, num_outs=4)
        assert bool(read.neck) is (file == checkpoint), 'the projection is another neck'
    again = export_checkpoint(files[0], files[0].with_name('again'))[0]
    assert load_file(again).keys() == load_file(files[0]).keys()


def test_only_a_pyramid_that_travels_is_exported(tmp_path):
    assert 'neck' not in student_metadata(dict(model={}), 1, {'dense.pyramid.laterals.0.weight': torch.zeros(1)})
    plain = write_student(ResNet(depth=18, stem_channels=8, base_channels=8).state_dict(), student_metadata(
        dict(model=dict(backbone=BACKBONE)), 1, {}), tmp_path / 'plain')[0]
    cfg = slim('shapes/mask-rcnn_r18-slim_fpn_shapes.py')
    assert plug_student(cfg, plain).complete and 'init_cfg' not in cfg.model.neck
    assert read_student_file(plain).pyramid == {}


def test_it_is_loaded_and_exported_without_it(trained):
    _, checkpoint, files = trained
    for file in (checkpoint, files[0]):
        loaded = load_student(file)
        assert not any('fpn' in key for key in loaded.state_dict())
        source = read_source(file)
        assert 'neck' not in source.metadata and source.metadata['backbone']['depth'] == 18
    assert load_student(files[0])(torch.rand(1, 3, 64, 64)).shape == (1, 64)


def test_in_mask_rcnn(trained, capsys):
    """All of it, after the whole detector's init_weights()."""
    _, _, files = trained
    for file in files:
        cfg = slim('shapes/mask-rcnn_r18-slim_fpn_shapes.py')
        assert plug_student(cfg, file).complete
        assert f'student {file}: neck: 16 of 16 keys matched\n' in capsys.readouterr().out
        neck, expected = begun(cfg), read_student_file(file).pyramid
        assert neck.keys() == KEYS and all(torch.equal(value, expected[key]) for key, value in neck.items())
    cfg = slim('shapes/mask-rcnn_r18-slim_fpn_shapes.py')
    for head in (cfg.model.rpn_head, *(cfg.model.roi_head[f'{kind}_{part}'] for kind in ('bbox', 'mask')
                                       for part in ('head', 'roi_extractor'))):
        head[next(key for key in ('in_channels', 'out_channels') if key in head)] = 16
    plug_student(cfg, files[0])
    init_default_scope('mmdet')
    model = MODELS.build(cfg.model)
    model.init_weights()
    state = load_file(files[0])
    assert all(torch.equal(model.state_dict()[key], value) for key, value in state.items())


def test_in_retinanet_by_level(trained, capsys):
    """Its FPN stands on strides 8 to 32, and makes two coarser levels itself."""
    state, _, files = trained
    cfg = slim('coco/retinanet_r18_fpn_1x_coco.py')
    before = begun(cfg)
    plug_student(cfg, files[0])
    told = capsys.readouterr().out
    assert 'neck: 12 of 16 keys matched, at random fpn_convs.3.conv.weight, fpn_convs.3.conv.bias, fpn' in told
    neck = begun(cfg)
    for part in ('lateral_convs', 'fpn_convs'):
        for level in range(3):
            for kind in ('weight', 'bias'):
                assert torch.equal(neck[f'{part}.{level}.conv.{kind}'],
                                   state[f'dense.pyramid.fpn.{part}.{level + 1}.conv.{kind}'])
    assert all(torch.equal(neck[f'fpn_convs.{level}.conv.{kind}'], before[f'fpn_convs.{level}.conv.{kind}'])
               for level in (3, 4) for kind in ('weight', 'bias')), 'by the initialiser of mmdet, as without a student'


def test_in_semantic_fpn_of_mmseg(trained, capsys):
    cfg = slim('ade20k/sem-fpn_r18_160k_ade20k-512x512.py')
    plug_student(cfg, trained[2][0])
    assert 'neck: 16 of 16 keys matched' in capsys.readouterr().out
    assert torch.equal(begun(cfg)['lateral_convs.2.conv.weight'],
                       trained[0]['dense.pyramid.fpn.lateral_convs.2.conv.weight'])


@pytest.mark.parametrize(('name', 'changes', 'told'), [
    ('shapes/mask-rcnn_r18-slim_fpn_shapes.py', dict(channels=64),
     'its pyramid of 16 channels does not fit model.neck (64 channels), which begins as without it: 16 mismatched'),
    ('shapes/mask-rcnn_r18-slim_fpn_shapes.py', dict(norm_cfg=dict(type='BN')), '1 missing'),
    ('shapes/upernet_r18-slim_shapes.py', {}, 'its pyramid is left out: the config has no FPN as model.neck'),
    ('shapes/linear_r18-slim_shapes.py', {}, 'the config has no FPN as model.neck'),
])
def test_where_it_does_not_fit(trained, capsys, name, changes, told):
    """One line, and the neck as it was; the backbone all the same."""
    cfg = slim(name, **changes)
    before = None if cfg.model.get('neck') is None else cfg.model.neck.to_dict()
    assert plug_student(cfg, trained[2][0]).complete
    lines = [line for line in capsys.readouterr().out.splitlines() if 'pyramid' in line]
    assert len(lines) == 1 and (told in lines[0] or told == '1 missing' and ' missing (lateral_convs.0.bn' in lines[0])
    assert before == (None if cfg.model.get('neck') is None else cfg.model.neck.to_dict())


def test_weights_that_the_config_names_for_the_neck_are_left_out(trained):
    """As for the backbone; other initialisers stay."""
    init = [dict(type='Normal', layer='Conv2d', std=9.), dict(type='Pretrained', checkpoint='elsewhere.pth')]
    cfg = slim('shapes/mask-rcnn_r18-slim_fpn_shapes.py', init_cfg=init)
    plug_student(cfg, trained[2][0])
    assert [one['type'] for one in cfg.model.neck.init_cfg] == ['Normal', 'lgd_mm.StudentNeck']
    assert torch.equal(begun(cfg)['fpn_convs.0.conv.bias'], trained[0]['dense.pyramid.fpn.fpn_convs.0.conv.bias'])


@pytest.mark.parametrize('change', [
    lambda neck: neck.update({'lateral_convs.2.conv.weight': torch.zeros(16, 9, 1, 1)}),
    lambda neck: neck.update({'fpn_convs.1.conv.weight': torch.zeros(16, 16, 3, 3, dtype=torch.int64)}),
    lambda neck: neck.update({'fpn_convs.1.conv.other': torch.zeros(1)}),
    lambda neck: neck.update({'relation_convs.0.conv.weight': torch.zeros(1)}),
    lambda neck: neck.update({'lateral_convs.99999999999999999999.conv.weight': torch.zeros(1)}),
    lambda neck: neck.pop('lateral_convs.1.conv.bias'),
    lambda neck: neck.clear() or neck.update({'': torch.zeros(1)}),
    lambda neck: neck.update({f'fpn_convs.{level}.conv.weight': torch.zeros(2**20) for level in range(4)}),
], ids=['shape', 'whole-numbers', 'more-keys', 'other-keys', 'level', 'missing', 'nameless', 'large'])
def test_somebody_elses_neck(tmp_path, pyramid, change, capsys):
    """Nothing of it is taken unless all of it fits, and the backbone starts all the same."""
    change(pyramid)
    cfg = slim('shapes/mask-rcnn_r18-slim_fpn_shapes.py')
    assert plug_student(cfg, student(tmp_path, pyramid)).complete
    assert 'does not fit model.neck (16 channels), which begins as without it: ' in capsys.readouterr().out
    assert 'init_cfg' not in cfg.model.neck


@pytest.mark.parametrize(('metadata', 'told'), [
    (dict(neck=None), 'neck is None, where the config of a neck should be'),
    (dict(neck=dict(type='mmdet.PAFPN')), "neck.type is 'mmdet.PAFPN', and a student brings none but mmdet.FPN"),
    (dict(neck=dict(type='os.system')), 'neck.type is .os.system., which is not in the list'),
    (dict(neck=dict(type='mmdet.FPN', out_channels=10**12)), 'neck.out_channels is'),
    (dict(neck=[1]), 'where the config of a neck should be'),
])
def test_what_a_file_says_of_its_neck(tmp_path, pyramid, metadata, told):
    with pytest.raises(UserError, match=told):
        plug_student(slim('shapes/mask-rcnn_r18-slim_fpn_shapes.py'), student(tmp_path, pyramid, metadata))


@pytest.mark.parametrize('indices', [(3, 2, 1, 0), [1, 2, 3], 'all', [0, 1, 2, True], [4, 5, 6, 7], None])
def test_odd_outputs(tmp_path, pyramid, indices, capsys):
    """Levels meet by the output of the backbone; where none is in common, the neck stays."""
    file = student(tmp_path, pyramid, dict(backbone={**BACKBONE, 'out_indices': indices}))
    cfg = slim('shapes/mask-rcnn_r18-slim_fpn_shapes.py')
    plug_student(cfg, file)
    fits = indices not in ((3, 2, 1, 0), [4, 5, 6, 7])
    assert ('16 of 16' in capsys.readouterr().out) is fits is ('init_cfg' in cfg.model.neck)


def test_from_scratch_knows_nothing_of_it(trained):
    from lgd_mm.students.scratch import begin_at_random
    cfg = slim('shapes/mask-rcnn_r18-slim_fpn_shapes.py')
    begin_at_random(cfg)
    assert 'init_cfg' not in cfg.model.neck


def test_the_run_is_read_from_its_folder(trained):
    """As data, without where its weights came from."""
    cfg = slim('shapes/mask-rcnn_r18-slim_fpn_shapes.py')
    plug_student(cfg, trained[2][0])
    saved = saved_run('\n'.join(f'{key} = {value!r}' for key, value in cfg.to_dict().items()), 'config.py')
    assert saved['model']['neck'] == dict(type='FPN', in_channels=WIDTHS, out_channels=16, num_outs=5)
