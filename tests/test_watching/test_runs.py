"""A pre-training that is watched is the same pre-training, also when it is resumed and when two processes share it."""

import json
import shutil

import pytest
import torch

from lgd_mm.engine import launch
from lgd_mm.engine.hooks.early_stopping import EarlyStoppingHook
from lgd_mm.errors import UserError
from lgd_mm.io.safe_load import load_checkpoint_file
from lgd_mm.runs.history import read_history
from lgd_mm.watching import StudentValLoop
from tests.isolation import forget_runs
from tests.tiny import ROOT, train_in_two, write_images, write_lgd_config

HOOKS = [dict(type='lgd_mm.IterationSeedHook'), dict(type='lgd_mm.ExportStudentHook')]
FIGURES = ('zero-shot/top1', 'knn/top1', 'embedding/rankme')
NAMES = ['circle', 'square', 'star']


def watched(held_out, **changes):
    """What configs/_base_/watch.py has, for images of these tests."""
    from mmengine.config import Config
    base = Config.fromfile(ROOT / 'configs/_base_/watch.py').to_dict()
    base['val_dataloader'].update(num_workers=0, batch_size=5)
    base['val_dataloader']['dataset']['data_root'] = str(held_out)
    for step, key in zip(base['val_dataloader']['dataset']['pipeline'][1:], ('scale', 'crop_size')):
        step[key] = 64
    return {**{key: base[key] for key in ('val_cfg', 'val_dataloader', 'val_evaluator')}, **changes}


@pytest.fixture(scope='module')
def images(tmp_path_factory):
    folder = tmp_path_factory.mktemp('images')
    write_images(folder, 16)
    return folder


@pytest.fixture(scope='module')
def config(images, tmp_path_factory):
    """A function from changes to a config with stochastic depth."""

    def make(**changes):
        return write_lgd_config(tmp_path_factory.mktemp('config'), images, **{**dict(
            model=dict(backbone=dict(drop_path_rate=0.2), lgka=dict(categories=NAMES)),
            train_cfg=dict(max_epochs=4), custom_hooks=HOOKS), **changes})

    return make


def trained(config, work_dir, **given):
    forget_runs()
    launch.train(str(config), work_dir=str(work_dir), **given)
    return load_checkpoint_file((work_dir / 'last_checkpoint').read_text().strip())


@pytest.fixture(scope='module')
def best(config, held_out):
    """Watched by all figures; the best checkpoint is kept."""
    return config(**watched(held_out), default_hooks=dict(checkpoint=dict(
        max_keep_ckpts=-1, save_best='embedding/rankme', rule='greater')))


@pytest.fixture(scope='module')
def whole(best, tmp_path_factory):
    """Its run without a stop."""
    work_dir = tmp_path_factory.mktemp('whole')
    return trained(best, work_dir), work_dir


def same(first, second):
    if isinstance(first, torch.Tensor):
        return torch.equal(first, second)
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(same(first[key], second[key]) for key in first)
    if isinstance(first, (list, tuple)):
        return len(first) == len(second) and all(map(same, first, second))
    return first == second


def figures(work_dir):
    return [{key: record[key] for key in ('step', *FIGURES)} for record in read_history(work_dir).evaluations]


@pytest.mark.parametrize('hooks', [HOOKS, HOOKS[1:]])
def test_nothing_of_the_training_changes(config, held_out, tmp_path, hooks):
    """To the bit: weights, statistics of batch norms, banks, and the optimiser's state; also where nothing seeds each
    iteration, and every random number counts."""
    plain, looked_at = (trained(config(custom_hooks=hooks, **changes), tmp_path / name)
                        for name, changes in (('plain', {}), ('watched', watched(held_out))))
    for key in ('state_dict', 'optimizer'):
        assert same(plain[key], looked_at[key]), key
    assert not same(plain['state_dict'], load_checkpoint_file(tmp_path / 'plain' / 'epoch_1.pth')['state_dict'])


def test_each_look_is_told(whole):
    """With what it took."""
    assert [record['step'] for record in figures(whole[1])] == [1, 2, 3, 4]
    assert all(record['seconds'] > 0 for record in read_history(whole[1]).evaluations)


def test_workers_change_nothing(whole, best, tmp_path):
    again = trained(best, tmp_path, cfg_options={'val_dataloader.num_workers': 2, 'val_dataloader.batch_size': 12})
    assert same(again['state_dict'], whole[0]['state_dict'])
    for before, after in zip(figures(whole[1]), figures(tmp_path)):
        assert after == pytest.approx(before, rel=1e-4)


class Killed(Exception):
    pass


@pytest.mark.parametrize('epoch', [1, 3, 4])
def test_killed_before_a_look(whole, best, tmp_path, epoch, monkeypatch):
    """The last that the run left is the checkpoint before the look: that is made up for."""
    state, work_dir = whole
    run = StudentValLoop.run

    def die(loop):
        if loop.runner.epoch == epoch:
            raise Killed
        return run(loop)

    with monkeypatch.context() as patch:
        patch.setattr(StudentValLoop, 'run', die)
        with pytest.raises(Killed):
            trained(best, tmp_path)
    assert len(figures(tmp_path)) == epoch - 1
    resumed = trained(best, tmp_path, resume='auto')
    assert same(resumed['state_dict'], state['state_dict']) and figures(tmp_path) == figures(work_dir)
    kept, = (path.name for path in work_dir.glob('best_*'))
    assert [path.name for path in tmp_path.glob('best_*')] == [kept]
    ours, theirs = (load_checkpoint_file(folder / kept) for folder in (tmp_path, work_dir))
    assert same(ours['state_dict'], theirs['state_dict'])


@pytest.mark.parametrize('epoch', [1, 3])
def test_stopped_after_a_look(whole, best, tmp_path, epoch):
    """Looking once more changes nothing of what is best."""
    state, work_dir = whole
    shutil.copytree(work_dir, tmp_path / 'copy')
    resumed = trained(best, tmp_path / 'copy', resume=str(tmp_path / 'copy' / f'epoch_{epoch}.pth'))
    assert same(resumed['state_dict'], state['state_dict']) and figures(tmp_path / 'copy') == figures(work_dir)
    assert [path.name for path in (tmp_path / 'copy').glob('best_*')] == [path.name for path in work_dir.glob('best_*')]


@pytest.fixture(scope='module')
def impatient(config, held_out):
    """No gain is large enough: it ends after the look that is the second without one."""
    hook = dict(type='EarlyStoppingHook', monitor='knn/top1', rule='greater', min_delta=1000, patience=2)
    return config(**watched(held_out), train_cfg=dict(max_epochs=6), custom_hooks=[*HOOKS, hook])


@pytest.fixture(scope='module')
def ended(impatient, tmp_path_factory):
    work_dir = tmp_path_factory.mktemp('ended')
    return trained(impatient, work_dir), work_dir


@pytest.mark.parametrize('epoch', [1, 2, 3])
def test_the_same_end_after_a_stop(ended, impatient, tmp_path, epoch):
    state, work_dir = ended
    assert [record['step'] for record in figures(work_dir)] == [1, 2, 3]
    resumed = trained(impatient, tmp_path, resume=str(work_dir / f'epoch_{epoch}.pth'))
    assert resumed['meta']['epoch'] == 3 and same(resumed['state_dict'], state['state_dict'])
    assert same(load_checkpoint_file(tmp_path / 'student.pth')['state_dict'],
                load_checkpoint_file(work_dir / 'student.pth')['state_dict'])


def test_patience_counts_equal_figures_and_no_numbers():
    hook = EarlyStoppingHook('knn/top1', rule='greater', min_delta=1e-6, check_finite=False, patience=3)
    decisions = [hook._check_stop_condition(value)[0] for value in (50., 60., 60., float('nan'), 60.)]
    assert decisions == [False, False, False, False, True] and hook.best_score == 60


@pytest.mark.slow
def test_two_processes_see_what_one_sees(config, held_out, tmp_path):
    backbone = dict(norm_eval=True, zero_init_residual=True)
    shared = config(**watched(held_out), model=dict(backbone=backbone, lgka=dict(categories=NAMES)),
                    train_cfg=dict(max_epochs=2))
    one = trained(shared, tmp_path / 'one', cfg_options={'train_dataloader.batch_size': 8})
    done = train_in_two(shared, '--work-dir', tmp_path / 'two')
    assert done.returncode == 0, done.stderr[-3000:]
    two = load_checkpoint_file((tmp_path / 'two' / 'last_checkpoint').read_text().strip())
    for key, value in one['state_dict'].items():
        torch.testing.assert_close(two['state_dict'][key], value, rtol=0, atol=1e-5)
    for alone, together in zip(figures(tmp_path / 'one'), figures(tmp_path / 'two'), strict=True):
        assert together == pytest.approx(alone, rel=1e-3)


@pytest.mark.parametrize('changes, said', [
    (dict(model=dict(lgka=dict(categories=['circle', 'star']))),
     r'ZeroShotAccuracy cannot be measured on .*: no category of the run is called square, as class folders are; take'),
    (dict(val_evaluator=dict(type='Accuracy')), 'val_evaluator has Accuracy, which lgd_mm.StudentValLoop has nothing')])
def test_figures_that_cannot_be(config, held_out, tmp_path, changes, said):
    with pytest.raises(UserError, match=said):
        trained(config(**watched(held_out) | changes), tmp_path)


def test_scalars_are_plain_lines(whole):
    line = json.loads(next((whole[1]).glob('*/vis_data/scalars.json')).read_text().splitlines()[-1])
    assert set(FIGURES) < line.keys() and line['step'] == 4
