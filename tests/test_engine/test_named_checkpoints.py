"""A checkpoint names others that a run removes when it goes on: it has removed none but its own."""

import errno
import os
import shutil
from pathlib import Path

import pytest
import torch
from mmengine.evaluator import BaseMetric, Evaluator
from mmengine.model import BaseModel
from mmengine.runner import Runner
from torch import nn

from lgd_mm.engine.hooks.checkpoints import CheckpointHook
from lgd_mm.errors import UserError
from tests.isolation import forget_runs


class Model(BaseModel):
    """One weight."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))

    def forward(self, inputs, mode='tensor'):
        return dict(loss=(self.weight * inputs[0]).sum()) if mode == 'loss' else [self.weight]


class Figure(BaseMetric):
    """Gives the figures of a list, one each time."""

    def __init__(self, figures) -> None:
        super().__init__(prefix='')
        self.figures = iter(figures)

    def process(self, data_batch, data_samples) -> None:
        self.results.append(0)

    def compute_metrics(self, results):
        figure = next(self.figures)
        return dict(top=figure, low=-figure)


def make_run(work_dir: Path, epochs: int, resume: bool = False, figures=(1., 2., 3.), **hook) -> Runner:
    """A run with a figure for each epoch."""
    forget_runs()
    loader = dict(batch_size=1, dataset=[torch.ones(1)], sampler=dict(type='DefaultSampler', shuffle=False))
    done = int((work_dir / 'last_checkpoint').read_text().rpartition('_')[2][0]) if resume else 0
    return Runner(
        Model(), str(work_dir), train_dataloader=loader, val_dataloader=loader, train_cfg=dict(
            by_epoch=True, max_epochs=epochs), val_cfg={}, val_evaluator=Evaluator(Figure(figures[done:])),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)), resume=resume,
        load_from=str(work_dir / f'epoch_{done}.pth') if resume else None,
        default_hooks=dict(checkpoint=dict(type=CheckpointHook, interval=1, rule='greater', **hook)),
        experiment_name=os.urandom(8).hex(), log_level='ERROR')


def rewrite(path: Path, **info) -> None:
    checkpoint = torch.load(path, weights_only=False)
    checkpoint['message_hub']['runtime_info'].update(info)
    torch.save(checkpoint, path)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.glob('*.pth')}


@pytest.fixture(scope='module')
def begun(tmp_path_factory):
    folder = tmp_path_factory.mktemp('begun') / 'run'
    make_run(folder, 2, max_keep_ckpts=2, save_best='top').train()
    assert names(folder) == {'epoch_1.pth', 'epoch_2.pth', 'best_top_epoch_2.pth'}
    return folder


@pytest.fixture
def run(begun, tmp_path):
    shutil.copytree(begun, tmp_path / 'run')
    return tmp_path / 'run'


@pytest.mark.parametrize('kept', [['x/../../victim', 1, 2], ['1', 2], 5, 'abc', [True, 1], [-1], [1.0], [None],
                                  [10**400], {1: 2}, None, [[1]], [float('nan')]])
def test_checkpoints_are_kept_by_whole_numbers(run, kept):
    victim = run.parent / 'victim.pth'
    victim.write_text('precious')
    (run / 'epoch_x').mkdir()
    rewrite(run / 'epoch_2.pth', keep_ckpt_ids=kept)
    before = names(run)
    with pytest.raises(UserError, match=r'epoch_2\.pth says that the checkpoints of steps .* whole numbers'):
        make_run(run, 3, resume=True, max_keep_ckpts=1, save_best='top').train()
    assert victim.read_text() == 'precious' and names(run) == before


@pytest.mark.parametrize('best', ['{}/victim', '{}/victim.pth', '../victim.pth', 5, ['a'], '', 'best_\0.pth',
                                  b'best_1.pth'])
def test_the_best_is_one_of_the_run(run, best):
    for victim in ('victim', 'other'):
        (run.parent / victim).mkdir()
        (run.parent / victim / 'file').touch()
    (run.parent / 'victim.pth').touch()
    best = best.format(run.parent) if isinstance(best, str) else best
    rewrite(run / 'epoch_2.pth', best_ckpt=best, best_score=-1)
    with pytest.raises(UserError, match=r'says that the best checkpoint so far is .* named best_\*\.pth'):
        make_run(run, 3, resume=True, save_best='top').train()
    assert (run.parent / 'victim.pth').exists() and (run.parent / 'victim/file').exists()


@pytest.mark.parametrize('figure', ['1', None, [1], {}, 10**400])
def test_the_best_figure_is_a_number(run, figure):
    rewrite(run / 'epoch_2.pth', best_score=figure)
    with pytest.raises(UserError, match='the best figure so far is .* no number'):
        make_run(run, 3, resume=True, save_best='top').train()


@pytest.mark.parametrize('elsewhere', ['file', 'folder', 'gone'])
def test_a_copy_leaves_the_best_of_the_original(run, begun, elsewhere):
    best = run.parent / 'elsewhere' / 'best_top_epoch_2.pth'
    best.parent.mkdir()
    if elsewhere == 'folder':
        best.mkdir()
    elif elsewhere == 'file':
        best.touch()
    rewrite(run / 'epoch_2.pth', best_ckpt=str(best))
    make_run(run, 3, resume=True, max_keep_ckpts=2, save_best='top').train()
    assert best.exists() is (elsewhere != 'gone') and (begun / 'best_top_epoch_2.pth').is_file()
    assert names(run) == {'epoch_2.pth', 'epoch_3.pth', 'best_top_epoch_3.pth'}


def test_of_several_figures_each_has_its_best(tmp_path):
    make_run(tmp_path, 3, False, (1., 3., 2.), save_best=['top', 'low']).train()
    assert {name for name in names(tmp_path) if 'best' in name} == {'best_top_epoch_2.pth', 'best_low_epoch_1.pth'}
    make_run(tmp_path, 4, True, (1., 3., 2., 4.), save_best=['top', 'low']).train()
    assert {name for name in names(tmp_path) if 'best' in name} == {'best_top_epoch_4.pth', 'best_low_epoch_1.pth'}


def test_the_best_before_goes_once_there_is_a_better_one(run, monkeypatch):
    """A full disk, or a kill, at that moment leaves it."""
    save, there = Runner.save_checkpoint, []

    def full(self, out_dir, filename, *args, **kwargs):
        if filename.startswith('best'):
            there.append(names(run))
            raise OSError(errno.ENOSPC, 'No space left on device')
        save(self, out_dir, filename, *args, **kwargs)

    monkeypatch.setattr(Runner, 'save_checkpoint', full)
    with pytest.raises(OSError, match='No space'):
        make_run(run, 3, resume=True, save_best='top').train()
    assert 'best_top_epoch_2.pth' in there[0] and 'best_top_epoch_2.pth' in names(run)
    monkeypatch.setattr(Runner, 'save_checkpoint', save)
    make_run(run, 3, resume=True, save_best='auto').train()
    assert {name for name in names(run) if 'best' in name} == {'best_top_epoch_2.pth'}  # its epoch was saved before


def test_the_pointer_is_not_written_through_a_link(tmp_path):
    for kind, link in (('soft', os.symlink), ('hard', os.link)):
        folder, victim = tmp_path / kind, tmp_path / f'{kind}.txt'
        folder.mkdir()
        victim.write_text('precious')
        link(victim, folder / 'last_checkpoint')
        make_run(folder, 1).train()
        assert victim.read_text() == 'precious'
        assert (folder / 'last_checkpoint').read_text() == str(folder / 'epoch_1.pth')

