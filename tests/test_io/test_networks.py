"""The network of a checkpoint is found wherever its writer put it, or asked for."""

import tarfile
import zipfile

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS
from torch import nn
from torchvision.models import resnet18

from lgd_mm.errors import UserError
from lgd_mm.io.key_report import KeyReport
from lgd_mm.io.networks import find_network, prefix_of
from lgd_mm.io.safe_load import load_checkpoint_file, safe_torch_load
from lgd_mm.models.teachers import OpenCLIPTeacher
from lgd_mm.students.plug import plug_student
from lgd_mm.students.read import read_student_file
from tests.tiny import write_tiny_teacher

BACKBONE = dict(type='mmpretrain.ResNet', depth=18, base_channels=4, stem_channels=4)


@pytest.fixture(scope='module')
def weights():
    torch.manual_seed(5)
    return {key: value.clone() for key, value in MODELS.build(BACKBONE).state_dict().items()}


def under(prefix, state):
    return {prefix + key: value for key, value in state.items()}


def config():
    return Config(dict(default_scope='mmpretrain', model=dict(type='ImageClassifier', backbone=dict(BACKBONE))))


OPTIMIZER = dict(state={0: dict(momentum_buffer=torch.ones(3))}, param_groups=[dict(lr=0.1)])
#: How a file may hold a backbone, and what of it is told.
FORMS = {
    'state_dict': (lambda w: dict(state_dict=under('backbone.', w)), ''),
    'flat': (lambda w: w, ''),
    'parallel': (lambda w: dict(state_dict=under('module.backbone.', w)), 'module. is taken off its keys'),
    'compiled': (lambda w: under('_orig_mod.backbone.', w), '_orig_mod. is taken off its keys'),
    'both': (lambda w: under('module._orig_mod.', w), '_orig_mod. module. is taken off its keys'),
    'compiled inside': (lambda w: under('backbone._orig_mod.', w), '_orig_mod. is taken off its keys'),
    'model': (lambda w: dict(model=w, optimizer=OPTIMIZER, epoch=3), "the network is at 'model'"),
    'teacher': (lambda w: dict(teacher=under('module.', w), epoch=torch.tensor(3)), "the network is at 'teacher'"),
    'deeper': (lambda w: dict(ema=dict(decay=0.9, module=w)), "the network is at 'ema.module'"),
    'centre': (lambda w: dict(network=w, dino_loss=dict(center=torch.ones(1, 4))), "the network is at 'network'"),
    'lightning': (lambda w: dict(state_dict={**under('model.encoder.', w), 'model.fc.weight': torch.ones(2, 2)}),
                  'keys begin with model.encoder.'),
    'encoder_q': (lambda w: dict(state_dict=under('module.encoder_q.', w)), 'keys begin with encoder_q.'),
    'visual': (lambda w: {**under('visual.', w), 'logit_scale': torch.tensor(1.)}, 'keys begin with visual.'),
    'head': (lambda w: {**w, 'fc.weight': torch.ones(2, 2)}, '1 unexpected (fc.weight)'),
    'half': (lambda w: {k: v.half() for k, v in w.items()}, ''),
    'double': (lambda w: {k: v.double() for k, v in w.items()}, ''),
    'no counts': (lambda w: {k: v for k, v in w.items() if not k.endswith('num_batches_tracked')}, '100 of 100'),
}


@pytest.mark.parametrize('form', FORMS)
def test_every_form_fills_the_backbone(tmp_path, weights, capsys, form):
    """All keys are matched, what was taken off is told, and mmengine loads just these weights."""
    write, told = FORMS[form]
    file = tmp_path / 'student.pth'
    torch.save(write(weights), file)
    cfg = config()
    report = plug_student(cfg, file)
    assert report.complete and not report.missing and told in capsys.readouterr().out
    backbone = MODELS.build(cfg.model.backbone)
    backbone.init_weights()
    for key, value in backbone.state_dict().items():
        if not key.endswith('num_batches_tracked'):
            torch.testing.assert_close(value, weights[key], atol=1e-3, rtol=1e-3)


def test_a_student_in_wrappers_is_read_with_its_projection(tmp_path, weights):
    """By every command that knows no backbone."""
    text = 'model = dict(teacher=dict(type="lgd_mm.OpenCLIPTeacher"), neck=dict(type="x"))'
    torch.save(dict(meta=dict(cfg=text), state_dict={
        **under('module.backbone.', weights), 'module.neck.fc.weight': torch.ones(2, 3)}), tmp_path / 'a.pth')
    file = read_student_file(tmp_path / 'a.pth')
    assert set(file.backbone) == set(weights) and set(file.neck) == {'fc.weight'}


@pytest.mark.parametrize(('write', 'names'), [
    (lambda w: dict(student=under('module.', w), teacher=under('module.', w)), r'student, teacher'),
    (lambda w: dict(model=w, model_ema=dict(w)), 'model, model_ema'),
    (lambda w: dict(state_dict={**under('encoder_q.', w), **under('encoder_k.', w)}), r'encoder_k\., encoder_q\.'),
])
def test_several_networks_are_asked_for(tmp_path, weights, write, names):
    torch.save(write(weights), tmp_path / 'two.pth')
    with pytest.raises(UserError, match=rf'two\.pth holds several networks .*\({names}\): keep the '):
        plug_student(config(), tmp_path / 'two.pth')


def test_quantised_weights_do_not_fill_a_backbone(weights):
    """They have its shapes, and other numbers."""
    key = 'conv1.weight'
    report = KeyReport.compare(weights, {**weights, key: weights[key].to(torch.int8)})
    assert report.mismatched == (key, )


def test_prefixes_of_a_part():
    """Nothing is guessed from a few keys that happen to be alike."""
    own = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 4)).state_dict()
    assert prefix_of(under('a.b.', own), own, 'x') == 'a.b.'
    assert prefix_of({**own, **under('a.', own)}, own, 'x') == ''
    assert prefix_of({'a.1.weight': own['1.weight']}, own, 'x') == ''
    assert prefix_of({}, own, 'x') == '' and find_network({}, 'x').state == {}


@pytest.mark.parametrize('prefix', ['', 'module.', '_orig_mod.', 'model.', 'module.clip_model.'])
def test_teachers_in_wrappers(tmp_path, prefix):
    """The same embeddings, whatever stands before the keys."""
    name = write_tiny_teacher(tmp_path)
    expected = OpenCLIPTeacher(name)
    file = tmp_path / 'open_clip_model.safetensors'
    state = load_checkpoint_file(file)['state_dict']
    file.unlink()
    torch.save(dict(model=under(prefix, state)), tmp_path / 'open_clip_pytorch_model.bin')
    teacher = OpenCLIPTeacher(name)
    pixels = torch.rand(1, 3, 32, 32)
    torch.testing.assert_close(teacher.encode_image(pixels), expected.encode_image(pixels))


def test_programs_are_refused_without_advice_to_run_them(tmp_path):
    """With the safe form by name, as a student, as a teacher and anywhere."""
    name = write_tiny_teacher(tmp_path)
    (tmp_path / 'open_clip_model.safetensors').unlink()
    file = tmp_path / 'open_clip_pytorch_model.bin'
    torch.jit.save(torch.jit.script(nn.Linear(2, 2)), str(file))
    for read in (lambda: OpenCLIPTeacher(name), lambda: plug_student(config(), file),
                 lambda: load_checkpoint_file(file)):
        with pytest.raises(UserError, match=r'is a TorchScript archive.*\.safetensors.*torch\.jit\.load') as raised:
            read()
        assert 'weights_only' not in str(raised.value)
    with file.open('rb') as opened, pytest.raises(UserError, match='TorchScript archive.* as .safetensors') as raised:
        safe_torch_load(opened)
    assert 'weights_only' not in str(raised.value)
    with zipfile.ZipFile(tmp_path / 'a.pt2', 'w') as exported:
        exported.writestr('a/models/model.json', '{}')
    (tmp_path / 'storages').write_text('of a network')
    with tarfile.open(tmp_path / 'old.pth', 'w') as old:
        old.add(tmp_path / 'storages', 'storages')
    torch.save(resnet18(), tmp_path / 'whole.pth')
    torch.save(nn.Linear(2, 2).state_dict(), tmp_path / 'before.pth', _use_new_zipfile_serialization=False)
    for path, told in (('a.pt2', 'a program of torch.export'), ('old.pth', 'the first versions of torch'),
                       ('whole.pth', r'would run code \(torchvision.*state_dict\(\) of its network')):
        with pytest.raises(UserError, match=told) as raised:
            load_checkpoint_file(tmp_path / path)
        assert 'weights_only' not in str(raised.value)
    assert set(load_checkpoint_file(tmp_path / 'before.pth')) == {'weight', 'bias'}
