"""Structure from a second teacher: its loss by hand, the teacher's positions, its place in a distiller, refusals."""

import copy
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from mmengine.config import Config

from lgd_mm.engine.checks.same_run import check_same_run, teacher_of
from lgd_mm.engine.settings import set_precision
from lgd_mm.errors import UserError
from lgd_mm.models import losses
from lgd_mm.models.losses import structure_loss
from lgd_mm.models.teachers import BackboneTeacher, Teacher
from lgd_mm.registry import MODELS
from lgd_mm.students.file import write_student
from tests.tiny import lgd_model


class Blind(Teacher):
    """One without positions."""
    embed_dim, fingerprint = 8, 'blind'


SLIM = dict(type='mmpretrain.ResNet', depth=18, stem_channels=4, base_channels=4)
VIT = dict(type='mmpretrain.VisionTransformer', img_size=32, patch_size=16, out_type='raw', arch=dict(
    embed_dims=16, num_layers=1, num_heads=2, feedforward_channels=32))


def second_teacher(folder, seed=7, backbone=SLIM, **settings):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = MODELS.build(backbone)
    write_student(network.state_dict(), {}, folder / f'second{seed}')
    return dict(type='lgd_mm.BackboneTeacher', backbone=backbone, checkpoint=str(folder / f'second{seed}.safetensors'),
                **settings)


@pytest.fixture
def build(teacher, tmp_path, monkeypatch):
    monkeypatch.setenv('LGD_CACHE_DIR', str(tmp_path))

    def build(structure=None, **changes):
        torch.manual_seed(0)
        return MODELS.build(config(teacher, structure, **changes))

    return build


def config(teacher, structure, **changes):
    model = lgd_model(teacher)
    model['backbone'].update(out_indices=(1, 2, 3))
    return {**model, 'dense': dict(type='lgd_mm.DenseGuidance', structure=structure), **changes}


def maps(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def by_hand(student, teacher, temperature):
    """Images, positions and positions again, one after the other."""
    total, count = 0., 0
    for ours, theirs in zip(student.flatten(2), teacher.flatten(2)):
        for row in range(ours.shape[1]):
            cosines = [torch.stack([F.cosine_similarity(of[:, row], of[:, other], dim=0) for other in range(
                of.shape[1])]) / temperature for of in (ours, theirs)]
            mine, target = (torch.exp(each - torch.logsumexp(each, 0)) for each in cosines)
            total += float((target * (target.log() - mine.log())).sum())
            count += 1
    return total / count


def test_loss_by_hand():
    student, teacher = maps(2, 5, 2, 3), maps(2, 7, 2, 3, seed=1)
    assert float(structure_loss(student, teacher, 0.5)) == pytest.approx(by_hand(student, teacher, 0.5), rel=1e-5)
    assert float(structure_loss(teacher, teacher * 3, 0.07)) == pytest.approx(0, abs=1e-6)
    turned = torch.einsum('ij,bjhw->bihw', torch.linalg.qr(maps(7, 7))[0], teacher)
    assert float(structure_loss(turned, teacher, 0.07)) == pytest.approx(0, abs=1e-4), 'the space is not compared'


@pytest.mark.parametrize('sides', [((4, 6), (2, 3)), ((2, 3), (4, 6)), ((4, 3), (2, 6))])
def test_the_finer_becomes_means(sides):
    student, teacher = maps(2, 5, *sides[0]), maps(2, 7, *sides[1], seed=1)
    coarse = [F.adaptive_avg_pool2d(each, (2, 3)) for each in (student, teacher)]
    expected = structure_loss(*coarse, 0.07)
    torch.testing.assert_close(structure_loss(student, teacher, 0.07), expected)


def test_gradient():
    """Of the student alone, as finite differences say."""
    teacher = maps(2, 3, 2, 2, seed=1).double()
    student = maps(2, 4, 4, 4).requires_grad_()
    structure_loss(student, teacher, 0.3).backward()
    step = torch.zeros_like(student)
    step[1, 2, 3, 0] = 1e-2
    with torch.no_grad():
        slope = (structure_loss(student + step, teacher, 0.3) - structure_loss(student - step, teacher, 0.3)) / 2e-2
    assert float(student.grad[1, 2, 3, 0]) == pytest.approx(float(slope), rel=1e-2)
    dead = torch.zeros(1, 4, 2, 2, requires_grad=True)
    structure_loss(dead, teacher[:1], 0.07).backward()
    assert dead.grad.isfinite().all()


def seen_by(sizes, tensor):
    sizes.append(tensor.numel())
    return tensor


def test_many_positions_go_by_blocks(monkeypatch):
    """The same value and gradient, with no cosines of all positions at once."""
    teacher, found = maps(3, 7, 5, 4, seed=1), []
    for block in (losses.BLOCK, 3 * 20 * 6, 1):
        monkeypatch.setattr(losses, 'BLOCK', block)
        student, kept = maps(3, 5, 5, 4).requires_grad_(), []
        with torch.autograd.graph.saved_tensors_hooks(partial(seen_by, kept), lambda tensor: tensor):
            loss = structure_loss(student, teacher, 0.07)
        loss.backward()
        found.append((loss.detach(), student.grad, max(kept)))
    for other in found[1:]:
        torch.testing.assert_close(found[0][:2], other[:2])
        assert other[2] < 3 * 20 * 20 <= found[0][2]


def test_positions_of_a_map_and_of_tokens(tmp_path):
    convolutions = BackboneTeacher(**dropped(second_teacher(tmp_path)))
    vit = BackboneTeacher(**dropped(second_teacher(tmp_path, 8, VIT)))
    for teacher in (convolutions, vit):
        teacher.set_input_statistics(255 * teacher.mean, 255 * teacher.std)
    images = maps(2, 3, 32, 32)
    with torch.no_grad():
        expected = convolutions.backbone(images.contiguous(memory_format=torch.channels_last))[-1]
        tokens = vit.backbone(images)[-1]
    taught = convolutions(images, dense=True)
    torch.testing.assert_close(taught.dense, expected, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(taught.embedding, convolutions(images))
    assert taught.dense.mean(dim=(2, 3)).allclose(taught.embedding, atol=1e-5)
    assert tokens.shape == (2, 1 + 4, 16), 'the class token is first'
    of_tokens = vit.dense(images)
    torch.testing.assert_close(of_tokens[:, :, 1, 0], tokens[:, 3], atol=1e-4, rtol=1e-4)
    assert of_tokens.shape == (2, 16, 2, 2)
    oblong = vit.dense(maps(1, 3, 48, 32))
    assert oblong.shape == (1, 16, 3, 2)


def dropped(config):
    return {key: value for key, value in config.items() if key != 'type'}


class Bare(torch.nn.Module):
    """Gives what it was made with."""

    def __init__(self, output, **known):
        super().__init__()
        self.output = output
        for name, value in known.items():
            setattr(self, name, value)

    def forward(self, images):
        return (self.output, )


@pytest.mark.parametrize(('shape', 'known', 'size'), [
    ((1, 201, 8), dict(num_prefix_tokens=5), (14, 14)),  # registers, DINOv2 and DINOv3
    ((1, 198, 8), dict(num_extra_tokens=2), (14, 14)),  # DeiT's distillation token
    ((1, 197, 8), dict(cls_token=torch.zeros(1)), (14, 14)),
    ((1, 196, 8), dict(cls_token=None), (14, 14)),
    ((1, 8, 7, 5), {}, (7, 5)),
    ((1, 8), {}, None),
    ((1, 198, 8), {}, None),
    ((1, 3, 8), dict(num_prefix_tokens=3), None),
])
def test_tokens_that_are_no_patches(tmp_path, shape, known, size):
    teacher = BackboneTeacher(**dropped(second_teacher(tmp_path)))
    teacher.backbone = Bare(torch.arange(torch.Size(shape).numel()).view(shape).float(), **known)
    if size is None:
        with pytest.raises(UserError, match=r'Bare as a teacher gives \(1, .*so it knows no positions: give another'):
            teacher.check_dense()
        return
    teacher.check_dense()
    positions = teacher._positions(teacher.backbone.output, (224, 224) if len(shape) == 3 else (1, 1))
    assert positions.shape == (1, 8, *size)
    assert torch.equal(positions[0, :, -1, -1], teacher.backbone.output.flatten(2)[0, -1] if len(shape) == 3
                       else teacher.backbone.output[0, :, -1, -1])


def test_in_a_distiller(build, tmp_path):
    """One loss more, that of the merged pyramid before its MLP; the student begins the same."""
    plain, model = build(), build(dict(teacher=second_teacher(tmp_path), weight=0.5))
    assert plain.state_dict().keys() == model.state_dict().keys()
    assert all(torch.equal(value, model.state_dict()[key]) for key, value in plain.state_dict().items())
    hidden = model.dense.structure.teacher
    assert not any(hidden is module for module in model.modules())
    inputs = maps(2, 3, 64, 64)
    expected, found = plain(inputs, mode='loss'), model(inputs, mode='loss')
    loss = found['loss_dense_structure']
    assert found.keys() - expected.keys() == {'loss_dense_structure'}
    merged = model.dense.pyramid.merge(model.backbone(inputs))
    assert merged.shape[-2:] == (8, 8)
    # The teacher has ImageNet's statistics, and so has the student: it sees the same.
    positions = hidden.backbone(inputs)[-1]
    assert positions.shape[-2:] == (2, 2)
    value = 0.5 * by_hand(F.adaptive_avg_pool2d(merged, 2).detach(), positions, 0.07)
    assert float(loss.detach()) == pytest.approx(value, rel=1e-3)
    loss.backward()
    assert all(lateral.weight.grad.abs().sum() > 0 for lateral in model.dense.pyramid.laterals)
    assert all(weight.grad is None for weight in (*hidden.parameters(), *model.dense.pyramid.mlp.parameters()))
    none = build(dict(teacher=second_teacher(tmp_path), weight=0.))
    assert none(inputs, mode='loss').keys() == expected.keys()


def test_it_follows_and_sees_its_own_statistics(build, tmp_path):
    model = build(dict(teacher=second_teacher(tmp_path)), data_preprocessor=dict(mean=[1., 2, 3], std=[4., 5, 6]))
    hidden = model.dense.structure.teacher
    torch.testing.assert_close(hidden.scale.flatten(), torch.tensor([4., 5, 6]) / 255 / torch.tensor(
        [0.229, 0.224, 0.225]))
    moved = copy.deepcopy(model).to(torch.float64)
    assert moved.dense.structure.teacher.backbone.conv1.weight.dtype == torch.float64
    assert hidden.backbone.conv1.weight.dtype == torch.float32, 'a copy has its own'
    model.train()
    assert not any(module.training for module in hidden.modules())


def test_students_with_second_teachers(build, teacher, tmp_path):
    student = {key: value for key, value in config(teacher, dict(teacher=second_teacher(tmp_path))).items()
               if key != 'teacher'}
    together = MODELS.build(dict(
        type='lgd_mm.ManyStudents', teacher=lgd_model(teacher)['teacher'], students=dict(one=student)))
    alone = build(dict(teacher=second_teacher(tmp_path)))
    alone.load_state_dict(together.students['one'].state_dict())
    inputs = maps(2, 3, 32, 32)
    found, expected = (model(inputs, mode='loss') for model in (together, alone))
    torch.testing.assert_close(found['one.loss_dense_structure'], expected['loss_dense_structure'])
    assert teacher_of(together) == teacher_of(alone) != teacher_of(build())


def test_precision_follows_amp(teacher, tmp_path):
    model = config(teacher, dict(teacher=second_teacher(tmp_path)))
    given = config(teacher, dict(teacher=second_teacher(tmp_path, precision='fp32')))
    many = dict(type='lgd_mm.ManyStudents', teacher=model['teacher'], students=dict(one=model))
    half = 'fp16' if torch.cuda.is_available() else 'bf16'
    for part, expected in ((model, half), (given, 'fp32')):
        cfg = Config(dict(model=part, optim_wrapper=dict(type='OptimWrapper')))
        set_precision(cfg, 'auto')
        assert [cfg.model.teacher.precision, cfg.model.dense.structure.teacher.precision] == [half, expected]
    cfg = Config(dict(model=many, optim_wrapper=dict(type='OptimWrapper')))
    set_precision(cfg, 'auto')
    assert cfg.model.students.one.dense.structure.teacher.precision == half


def test_in_half_precision(build, tmp_path):
    """Close to float32's, under the student's autocast too."""
    whole, half = (build(dict(teacher=second_teacher(tmp_path, precision=precision))) for precision in ('fp32', 'bf16'))
    inputs = maps(2, 3, 64, 64)
    expected = whole(inputs, mode='loss')['loss_dense_structure']
    with torch.autocast('cpu', torch.bfloat16):
        found = half(inputs, mode='loss')['loss_dense_structure']
    assert half.dense.structure.teacher.backbone.conv1.weight.dtype == torch.bfloat16
    assert found.dtype == torch.float32 and float(found.detach()) == pytest.approx(float(expected.detach()), rel=0.1)


def test_a_run_goes_on_with_both_teachers(build, teacher, tmp_path):
    one, other = (dict(teacher=second_teacher(tmp_path, seed)) for seed in (7, 9))
    cfg = Config(dict(model=config(teacher, one)))
    meta = dict(cfg=cfg.pretty_text, epoch=1, iter=1, teacher=teacher_of(build(one)))
    check_same_run(cfg, meta, build(one), 'epoch_1.pth')
    with pytest.raises(UserError, match='another teacher than model.teacher or model.dense.structure.teacher is here'):
        check_same_run(Config(dict(model=config(teacher, other))), meta, build(other), 'epoch_1.pth')


@pytest.mark.parametrize(('changes', 'told'), [
    (dict(weight=-1.), 'model.dense.structure.weight is -1.0: it must be a number of at least 0'),
    (dict(weight=float('inf')), 'model.dense.structure.weight is inf'),
    (dict(temperature=0.), 'model.dense.structure.temperature is 0.0: it must be a number above 0'),
    (dict(temperature=float('nan')), 'model.dense.structure.temperature is nan'),
])
def test_odd_values(build, tmp_path, changes, told):
    with pytest.raises(UserError, match=told):
        build(dict(teacher=second_teacher(tmp_path), **changes))


@pytest.mark.parametrize('changes', [dict(checkpoint=None), dict(precision='fp64'), dict(
    backbone={**SLIM, 'base_channels': 8})])
def test_what_is_said_names_the_second_teacher(build, tmp_path, changes):
    with pytest.raises(UserError, match='model.dense.structure.teacher') as error:
        build(dict(teacher={**second_teacher(tmp_path), **changes}))
    assert 'model.teacher' not in str(error.value)


def test_so_does_what_is_said_of_its_positions(build, teacher, tmp_path):
    settings = dict(type='lgd_mm.OpenCLIPTeacher', model=teacher, dense_mode='no')
    with pytest.raises(UserError, match="model.dense.structure.teacher.dense_mode is 'no'"):
        build(dict(teacher=settings))
    with pytest.raises(UserError, match=r'or leave model.dense.structure out'):
        build(dict(teacher=Blind((0., 0., 0.), (1., 1., 1.), None)))


def test_vectors_are_refused(build, tmp_path):
    with pytest.raises(UserError, match=r'VisionTransformer as a teacher gives \(1, 16\), neither a map'):
        build(dict(teacher=second_teacher(tmp_path, 8, {**VIT, 'out_type': 'cls_token'})))


def test_a_size_that_it_does_not_take():
    """Told when it is built, not in the first step."""
    network = dict(type='mmpretrain.TIMMBackbone', model_name='vit_tiny_patch16_224', features_only=False)
    teacher = object.__new__(BackboneTeacher)
    Teacher.__init__(teacher, (0.5, ) * 3, (0.5, ) * 3, (96, 96))
    teacher.backbone, teacher.class_token = MODELS.build(network), False
    with pytest.raises(UserError, match='size is 96, and its backbone takes 224 pixels alone: set image_size=224'):
        teacher.check_dense()
