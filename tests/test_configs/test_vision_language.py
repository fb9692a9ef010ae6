"""Configs of vision and language: each builds at a small size, trains a step, and predicts what it is asked for."""

import runpy

import pytest
import torch
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import MODELS, init_default_scope
from mmpretrain.structures import DataSample

from lgd_mm.engine.regions.grid import GridRegions
from lgd_mm.students.file import student_metadata, write_student
from tests.configs import read_config
from tests.test_configs.test_all_configs import CONFIGS, VISION_LANGUAGE
from tests.tiny import ROOT

WORDS = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', *'abcdefgh']
FILES = [path for path in CONFIGS if path in VISION_LANGUAGE]


@pytest.fixture
def written(tmp_path):
    (tmp_path / 'vocab.txt').write_text('\n'.join(WORDS))
    (tmp_path / 'answers.txt').write_text('yes\nno\n')
    return tmp_path


def small(part, folder):
    """One block, and no file but the words."""
    part.vocabulary = str(folder / 'vocab.txt')
    part.transformer.update(depth=1, width=2 * part.transformer.heads)
    part.pop('weights', None)
    if 'answers' in part.task:
        part.task.answers = str(folder / 'answers.txt')


def batch(cfg, seed=0):
    """Two texts of a data set with the lengths and widths of a config."""
    draws = torch.Generator().manual_seed(seed)
    text, tags, regions = cfg.train_dataloader.dataset.lengths
    student = cfg.model.get('student', cfg.model)
    inputs = dict(
        text=torch.randint(5, len(WORDS), (2, text), generator=draws),
        tags=torch.randint(5, len(WORDS), (2, tags), generator=draws),
        regions=torch.randn(2, regions, student.transformer.region_width, generator=draws),
        valid=torch.arange(text + tags + regions).expand(2, -1) < text + tags + regions - 1, draw=torch.tensor([3, 4]))
    if 'teacher' in cfg.model:
        inputs['teacher_regions'] = torch.randn(2, regions, cfg.model.teacher.transformer.region_width, generator=draws)
    targets = dict(masked=torch.tensor([[1, 2], [3, 0]]), words=torch.tensor([[5, 6], [7, -100]]),
                   matching=torch.tensor([0, 1]), answers=torch.tensor([[1., 0.], [0.3, 1.]]))
    return inputs, targets


@pytest.mark.parametrize('path', FILES, ids=lambda path: path.stem)
def test_trains_a_step_and_predicts(path, written):
    cfg = read_config(path)
    for part in (cfg.model.get('student', cfg.model), cfg.model.get('teacher')):
        if part is not None:
            small(part, written)
    if 'queue_length' in cfg.model:
        cfg.model.queue_length = 32
    init_default_scope(cfg.default_scope)
    torch.manual_seed(0)
    model = MODELS.build(cfg.model)
    model.init_weights()
    wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    inputs, targets = batch(cfg)
    losses = model.train()(inputs, targets, mode='loss')
    loss, _ = model.parse_losses(losses)
    wrapper.backward(loss)
    assert [name for name, parameter in model.named_parameters() if parameter.grad is None] == []
    before = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    wrapper.step()
    moved = {name for name, parameter in model.named_parameters() if not torch.equal(parameter, before[name])}
    assert torch.isfinite(loss) and any('transformer.blocks.0' in name for name in moved)
    distilled = {key for key in losses if key in ('loss_attention', 'loss_hidden', 'loss_labels')}
    assert bool(distilled) is ('distill-vlm' in path.stem)
    if 'val_evaluator' not in cfg:
        return
    samples = model.eval()(inputs, data_samples=[DataSample(), DataSample()], mode='predict')
    if 'VQA' in cfg.val_evaluator.type:
        assert all(sample.pred_answer in ('yes', 'no') for sample in samples)
    else:
        assert all(isinstance(sample.pred_caption, str) for sample in samples)


@pytest.mark.parametrize('path', FILES, ids=lambda path: path.stem)
def test_teacher_student_and_data_fit(path):
    """Positions hold text and tags; both read the same vocabulary; training and test sets have the same lengths."""
    cfg = read_config(path)
    data = cfg.train_dataloader.dataset
    for part in (cfg.model.get('student', cfg.model), cfg.model.get('teacher')):
        if part is not None:
            assert part.vocabulary == data.vocabulary
            assert sum(data.lengths[:2]) <= part.transformer.get('positions', 512)
    assert ('teacher' in cfg.model) is (data.get('teacher_regions') is not None)
    if 'val_dataloader' in cfg and cfg.val_dataloader:
        assert tuple(cfg.val_dataloader.dataset.lengths) == tuple(data.lengths)
        assert cfg.val_dataloader.dataset.regions != data.regions or 'coco' in path.stem or 'vqav2' in path.stem


def test_schedules_are_those_of_minivlm():
    """Its run configurations: batch, epochs, learning rate, weight decay, dropout of hidden states, lengths."""
    for name, *wanted in (('pretrain_coco-captions', 2048, 100, 4e-4, 0.05, 0.1, (20, 15, 50)),
                          ('caption_coco', 512, 20, 1e-5, 0.05, 0.1, (40, 30, 50)),
                          ('vqa_vqav2', 128, 40, 5e-5, 0.05, 0.3, (128, 0, 50))):
        cfg, = (read_config(path) for path in FILES if path.stem == f'distill-vlm_{name}')
        optimizer, transformer = cfg.optim_wrapper.optimizer, cfg.model.student.transformer
        assert [cfg.auto_scale_lr.base_batch_size, cfg.train_cfg.max_epochs, optimizer.lr, optimizer.weight_decay,
                transformer.get('dropout', 0.1), tuple(cfg.train_dataloader.dataset.lengths)] == wanted, name
        assert cfg.param_scheduler[-1].end == cfg.train_cfg.max_epochs and cfg.param_scheduler[-1].power == 1


def test_the_suite_reads_a_cell_as_wide_as_it_is(tmp_path):
    """Of the backbone that tools/make_vl_world.py shows images to."""
    tool = runpy.run_path(str(ROOT / 'tools/make_vl_world.py'))
    cfg = read_config(ROOT / tool['PRETRAINING'])
    init_default_scope(cfg.default_scope)
    backbone = MODELS.build(cfg.model.backbone)
    write_student(backbone.state_dict(), student_metadata(cfg.to_dict(), 0, {}), tmp_path / 'student')
    cells = GridRegions(cfg, tool['PRETRAINING'], str(tmp_path / 'student.safetensors'), tool['GRID'])
    for suite in ('vl', 'vl_captions'):
        entry = Config.fromfile(ROOT / f'configs/shapes/{suite}.py').entries[-1]
        said = dict(option.split('=') for option in entry.options)
        assert said['model.transformer.region_width'] == str(cells.width + 6)
        assert all(value.endswith(f',0,{tool["GRID"]**2})') for key, value in said.items() if 'lengths' in key)
        assert 'grid_lgd_train' in said['train_dataloader.dataset.regions']


@pytest.mark.parametrize('path', [path for path in FILES if path.parts[0] == 'distillvlm'], ids=lambda path: path.stem)
def test_weights_are_those_of_another_config(path):
    """Each file that a config begins with is what a config beside it leaves, of the model that is wanted."""
    cfg = read_config(path)
    for part in (cfg.model.get('student', cfg.model), cfg.model.get('teacher')):
        if part is None or part.get('weights') is None:
            continue
        made = read_config(path.with_name(f'{part.weights.split("/")[1]}.py'))
        trained = made.model.get('student', made.model)
        for key in ('width', 'depth', 'heads', 'region_width'):
            assert trained.transformer[key] == part.transformer[key]
        if part is cfg.model.get('teacher'):
            assert (trained.task, made.train_dataloader.dataset.regions) == (
                part.task, cfg.train_dataloader.dataset.teacher_regions)
