"""Several students in one run become what each becomes alone."""

import copy

import pytest
import torch
from mmengine.optim import OptimWrapper

from lgd_mm.errors import UserError
from lgd_mm.io.safe_load import load_checkpoint_file
from lgd_mm.registry import MODELS
from tests.tiny import lgd_model, run_tool, write_images, write_lgd_config, write_tiny_teacher


@pytest.fixture
def students(tmp_path, monkeypatch):
    monkeypatch.setenv('LGD_CACHE_DIR', str(tmp_path))
    model = lgd_model(write_tiny_teacher(tmp_path))
    teacher = model.pop('teacher')
    colours = copy.deepcopy(model)
    colours['lgka']['categories'] = ['red', 'green']
    mimicking = dict(type='lgd_mm.FeatureMimicking', backbone=model['backbone'], neck=model['neck'])
    return teacher, dict(shapes=model, colours=colours, mimicking=mimicking)


def batch(seed):
    generator = torch.Generator().manual_seed(seed)
    return dict(inputs=torch.randint(0, 256, (4, 3, 32, 32), generator=generator, dtype=torch.uint8))


def train(model):
    model.train()
    wrapper = OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9))
    for seed in range(3):
        logs = model.train_step(batch(seed), wrapper)
    return logs


def test_each_learns_as_if_alone(students):
    teacher, students = students
    together = MODELS.build(dict(type='lgd_mm.ManyStudents', teacher=teacher, students=students))
    calls = []
    together.teacher.visual.register_forward_hook(lambda *args: calls.append(1))
    alone = {name: MODELS.build({**cfg, 'teacher': teacher}) for name, cfg in students.items()}
    for name, model in alone.items():
        model.load_state_dict(together.students[name].state_dict())
    logs = train(together)
    assert len(calls) == 3, 'one pass of the teacher for all'
    assert {key for key in logs if '.' in key} == {
        'shapes.loss_visual', 'shapes.loss_textual', 'colours.loss_visual', 'colours.loss_textual',
        'mimicking.loss_mimicking'
    }
    for name, model in alone.items():
        train(model)
        for key, value in model.state_dict().items():
            torch.testing.assert_close(together.students[name].state_dict()[key], value, msg=f'{name} {key}')


def test_each_is_initialised_as_if_alone(students):
    teacher, students = students
    wide = dict(type='lgd_mm.CompRess', queue_length=8, backbone=students['shapes']['backbone'],
                neck=students['shapes']['neck'])
    together = MODELS.build(dict(type='lgd_mm.ManyStudents', teacher=teacher,
                                 students=dict(shapes=students['shapes'], wide=wide)))
    together.init_weights()
    alone = MODELS.build({**students['shapes'], 'teacher': teacher})
    alone.init_weights()
    for student in together.students.values():  # Kaiming by mmpretrain; torch's own is less than half as wide
        ours, theirs = (model.backbone.layer4[0].conv1.weight.std() for model in (student, alone))
        assert abs(ours / theirs - 1) < 0.05
    compress = together.students['wide']
    assert torch.equal(compress.anchor[0].conv1.weight, compress.backbone.conv1.weight)


def test_the_first_begins_as_if_alone(students):
    """The teacher draws no random numbers of theirs."""
    teacher, students = students
    torch.manual_seed(0)
    together = MODELS.build(dict(type='lgd_mm.ManyStudents', teacher=teacher, students=students))
    torch.manual_seed(0)
    alone = MODELS.build({**students['shapes'], 'teacher': teacher})
    for key, value in alone.state_dict().items():
        assert torch.equal(together.students['shapes'].state_dict()[key], value), key


@pytest.mark.parametrize('names', [(), ('r18.wide', ), ('a/b', ), ('', ), ('small', 'epoch_1'), ('student', )])
def test_names(students, names):
    with pytest.raises(UserError, match='give at least one, with names of letters, digits, _ and -'):
        MODELS.build(dict(type='lgd_mm.ManyStudents', teacher=students[0],
                          students={name: students[1]['shapes'] for name in names}))


def test_each_is_exported_by_itself(tmp_path):
    write_images(tmp_path / 'pictures', 8)
    config = write_lgd_config(tmp_path, tmp_path / 'pictures', train_cfg=dict(max_epochs=1))
    text = config.read_text()
    many = tmp_path / 'many.py'
    many.write_text(text + (
        "model['teacher'].pop('_delete_')\n"
        "one = dict(type='lgd_mm.LGD', neck=dict(type='lgd_mm.MLPProjection'), head=dict(type='lgd_mm.LGDHead'),\n"
        "           backbone=dict(type='mmpretrain.ResNet', depth=18, stem_channels=8, base_channels=8))\n"
        "model = dict(_delete_=True, type='lgd_mm.ManyStudents', teacher=model['teacher'], students={\n"
        "    name: dict(one, lgka=dict(type='lgd_mm.LGKA', categories=names, templates=['a {}.']))\n"
        "    for name, names in (('pets', ['cat', 'dog']), ('plants', ['tree', 'flower', 'moss']))})\n"))
    done = run_tool('tools/train.py', many, '--work-dir', tmp_path / 'run')
    assert done.returncode == 0, done.stderr[-2000:]
    state = load_checkpoint_file(tmp_path / 'run' / 'epoch_1.pth')['state_dict']
    for name, count in (('pets', 2), ('plants', 3)):
        student = load_checkpoint_file(tmp_path / 'run' / f'student_{name}.safetensors')['state_dict']
        whole = load_checkpoint_file(tmp_path / 'run' / f'{name}.pth')['state_dict']
        assert whole['lgka.textual_bank'].shape[0] == count
        for key, value in student.items():
            assert torch.equal(value, state[f'students.{name}.{key}']) and torch.equal(value, whole[key])
