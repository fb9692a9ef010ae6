"""pretrain(): what it leaves, how it goes on, and what it refuses."""

import math
import os
import shutil

import pytest
import torch
from mmengine.config import Config

import lgd_mm
from lgd_mm.api.auto import Facts, Settings
from lgd_mm.api.classes import parse_classes
from lgd_mm.api.configs import ready_config
from lgd_mm.api.output import ASIDE, RESOLVED
from lgd_mm.api.pretraining import _earlier, write_settings
from lgd_mm.cli.early import check_pretraining
from lgd_mm.engine import launch
from lgd_mm.errors import UserError
from lgd_mm.io.safe_load import load_checkpoint_file
from lgd_mm.students import read_student
from tests.test_api.conftest import NAMES, SLIM


def test_result_says_what_the_run_left(run):
    """Files, last losses, and a history that the losses come from."""
    assert run.config.name == RESOLVED and run.checkpoint.name == 'epoch_2.pth'
    assert [record['iter'] for record in run.history] == [2, 4]
    parts = ('loss_visual', 'loss_textual', 'loss_dense_textual', 'loss_dense_mimicking')
    assert run.losses == {key: run.history[-1][key] for key in ('loss', *parts)}
    assert math.isclose(run.losses['loss'], sum(run.losses[part] for part in parts), rel_tol=1e-5)
    weights, metadata = read_student(run.student)
    state = load_checkpoint_file(run.checkpoint)['state_dict']
    assert weights and all(torch.equal(value, state[f'backbone.{key}']) for key, value in weights.items())
    assert metadata['iteration'] == 4 and metadata['backbone']['base_channels'] == 8


def test_resolved_config_is_the_run(run, arguments, tmp_path):
    """Each setting with its reason; tools/train.py makes the same student of it."""
    cfg = Config.fromfile(run.config)
    assert {name: cfg.auto[name].value for name in ('epochs', 'batch_size', 'image_size', 'optimizer')} == dict(
        epochs=2, batch_size=8, image_size=64, optimizer='adamw')
    assert cfg.auto.batch_size.why == 'given' and cfg.auto.image_size.why.startswith("auto: the teacher's size")
    assert set(cfg.auto) == {'image_size', 'batch_size', 'accumulate', 'epochs', 'optimizer', 'lr', 'amp', 'workers',
                             'recipe'}
    assert cfg.auto.recipe == dict(value='dense', why='auto: student and teacher give maps')
    assert (cfg.train_dataloader.batch_size, cfg.train_cfg.max_epochs, cfg.optim_wrapper.optimizer.lr) == (
        8, 2, cfg.auto.lr.value)
    assert cfg.model.lgka.categories == NAMES and cfg.train_dataloader.dataset.data_root == str(arguments['images'])
    launch.train(str(run.config), work_dir=str(tmp_path / 'again'))
    mine, theirs = read_student(run.student)[0], read_student(tmp_path / 'again' / 'student.safetensors')[0]
    assert all(torch.equal(value, theirs[key]) for key, value in mine.items())


@pytest.mark.parametrize(('pictures', 'given', 'parts'), [
    (1, dict(epochs=2), [('CosineAnnealingLR', 0, 2)]),  # one iteration of warm-up would last for ever
    (1, dict(epochs=80), [('LinearLR', 0, 2), ('CosineAnnealingLR', 2, 80)]),
    (40, dict(epochs=2), [('LinearLR', 0, 1), ('CosineAnnealingLR', 1, 2)]),
    (40, dict(epochs=1), [('CosineAnnealingLR', 0, 1)])])
def test_warm_up(pictures, given, parts):
    """A fortieth of the epochs, of two iterations at least; the cosine takes the rest."""
    cfg = Config.fromfile(ready_config('lgd/r18_pretrain.py'))
    write_settings(cfg, Settings(given, Facts(pictures, 1, 64, None, lambda size: (1, 10**12))))
    assert [(part.type, part.begin, part.end) for part in cfg.param_scheduler] == parts


def test_one_name_is_too_few(arguments, tmp_path):
    with pytest.raises(UserError, match="classes is one name, 'star', which leaves nothing to tell apart: give at"):
        lgd_mm.pretrain(**{**arguments, 'classes': ['star']}, out=tmp_path / 'run')
    assert not (tmp_path / 'run').exists()


@pytest.mark.slow
def test_first_rates_of_few_images(arguments, tmp_path):
    """With one batch in an epoch the rate is the settled one, then falls."""
    few = lgd_mm.pretrain(**{**arguments, 'epochs': 3}, batch_size=20, lr=0.01, out=tmp_path / 'run')
    rates = [record['lr'] for record in few.history]
    assert rates[0] == pytest.approx(0.01) and rates == sorted(rates, reverse=True) and rates[-1] > 0


@pytest.mark.slow
def test_used_folder_is_refused_resumed_or_replaced(run, arguments, tmp_path):
    """A resumed run keeps its settings, a replaced one comes back if the new one cannot begin."""
    out = tmp_path / 'run'
    first = lgd_mm.pretrain(**{**arguments, 'epochs': 1}, batch_size=4, out=out)
    assert [record['iter'] for record in first.history] == [5]
    with pytest.raises(UserError, match=r'run is not empty: give --resume .*, --overwrite .*, or another folder'):
        lgd_mm.pretrain(**arguments, out=out)
    with pytest.raises(UserError, match='give one of them'):
        lgd_mm.pretrain(**arguments, out=out, resume=True, overwrite=True)

    longer = lgd_mm.pretrain(**arguments, out=out, resume=True)  # batch_size is auto now
    assert [record['iter'] for record in longer.history] == [5, 10]
    assert Config.fromfile(longer.config).auto.batch_size == dict(value=4, why='auto: as in the run that is resumed')

    with pytest.raises(UserError, match='is a run with --recipe dense, and here it is published: leave --recipe out'):
        lgd_mm.pretrain(**arguments, recipe='published', out=out, resume=True)
    with pytest.raises(UserError, match='fewer than a batch of 64'):
        lgd_mm.pretrain(**arguments, batch_size=64, out=out, resume=True)
    assert Config.fromfile(longer.config).auto.batch_size.value == 4  # what the next resumption takes
    before = sorted(path.name for path in out.iterdir())
    with pytest.raises(UserError, match='student .*run.*student.safetensors .* fills only'):
        lgd_mm.pretrain(**{**arguments, 'options': {}}, out=out, overwrite=True, init=run.out)
    with pytest.raises(UserError, match='student.safetensors lies in .*run, which is to be overwritten: copy it'):
        lgd_mm.pretrain(**arguments, out=out, overwrite=True, init=first.student)
    assert sorted(path.name for path in out.iterdir()) == before
    link = tmp_path / 'link'
    link.symlink_to(out)
    lgd_mm.pretrain(**{**arguments, 'epochs': 1}, batch_size=10, out=link, overwrite=True)
    assert (out / 'epoch_1.pth').exists() and not (out / 'epoch_2.pth').exists() and not (out / ASIDE).exists()


@pytest.mark.parametrize('others', [False, True])
@pytest.mark.parametrize('error', [KeyboardInterrupt, UserError])
def test_stopped_before_it_has_begun(arguments, tmp_path, monkeypatch, error, others):
    """Ctrl-C, as while a teacher is downloaded, leaves no folder that neither goes on nor may be used again; what
    others put there stays."""
    def stop(work_dir, model):
        assert (tmp_path / 'run/resolved_config.py').exists()
        if others:
            (tmp_path / 'run/20260101_000000').mkdir()
            (tmp_path / 'run/20260101_000000/figures.csv').touch()
            (tmp_path / 'run/log.txt').touch()
        raise error('wrong')

    monkeypatch.setattr(launch.preflight, 'check_disk_space', stop)
    with pytest.raises(error):
        lgd_mm.pretrain(**arguments, out=tmp_path / 'run')
    left = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob('*') if path.is_file()}
    assert left == ({'run/20260101_000000/figures.csv', 'run/log.txt'} if others else set())
    assert (tmp_path / 'run').exists() is others


def test_the_folder_of_a_run_at_work_is_renamed(arguments, tmp_path, monkeypatch):
    def rename(self, *args, **kwargs):
        (tmp_path / 'run').rename(tmp_path / 'renamed')
        (tmp_path / 'renamed/20260101_000000').mkdir()
        return save(self, *args, **kwargs)

    save = launch.QuietRunner.save_checkpoint
    monkeypatch.setattr(launch.QuietRunner, 'save_checkpoint', rename)
    with pytest.raises(UserError, match=r'is gone: work dir .*run was renamed, removed or emptied while the run was'):
        lgd_mm.pretrain(**{**arguments, 'options': SLIM | {'default_hooks.logger.interval': 1}}, out=tmp_path / 'run')


@pytest.mark.slow
def test_settings_are_not_written_through_a_link(run, arguments, tmp_path):
    out, victim = tmp_path / 'run', tmp_path / 'victim.py'
    shutil.copytree(run.out, out)
    for link in (os.symlink, os.link):
        shutil.copy(out / 'resolved_config.py', victim)
        before = victim.read_bytes()
        (out / 'resolved_config.py').unlink()
        link(victim, out / 'resolved_config.py')
        lgd_mm.pretrain(**{**arguments, 'epochs': 3}, batch_size=8, out=out, resume=True)
        assert victim.read_bytes() == before != (out / 'resolved_config.py').read_bytes()
        victim.unlink()


def test_classes_of_any_length(tmp_path, monkeypatch):
    """A list with commas may be longer than a path, and a path may hold a comma."""
    names = [f'kind {index}' for index in range(400)]
    assert parse_classes(', '.join(names)) == names
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'cats,dogs.txt').write_text('cat\ndog\n')
    assert parse_classes('cats,dogs.txt') == parse_classes(('cat', 'dog')) == ['cat', 'dog']
    assert parse_classes('coco') == 'coco'
    with pytest.raises(UserError, match='^classes: gone.txt cannot be read'):
        parse_classes('gone.txt')


@pytest.mark.parametrize(('content', 'reason'), [
    (b'\xff\xfe', 'it is no text'), (b'auto = 5', 'its auto is no table'), (b'auto = dict(epochs=5)', 'no table'),
    (b'auto = dict(epochs=dict(why="x"))', 'no table'), (b'auto = dict(epochs=dict(value="many"))', "epochs is 'many'"),
    (b'auto = [1]', 'no table'), (b'auto = dict(lr=dict(value=-1))', 'lr is -1'), (b'auto = dict(lr=[1])', 'no table'),
    (b'auto = dict(image_size=dict(value=True))', 'image_size is True'), (b'auto = "x"', 'no table'),
    (b'auto = dict(amp=dict(value=[]))', r'amp is \[\]'), (b'auto = {1: dict(value="2")}', "1 is '2'")])
def test_settings_that_are_damaged(tmp_path, content, reason):
    (tmp_path / RESOLVED).write_bytes(content)
    with pytest.raises(UserError, match=rf'{RESOLVED} is damaged \(.*{reason}.*\): put the file of the run back'):
        _earlier(tmp_path)


def test_init_and_resume_are_not_both(arguments, tmp_path):
    for check in (lambda: lgd_mm.pretrain(**arguments, out=tmp_path / 'run', init='a.pth', resume=True),
                  lambda: check_pretraining(dict(init='a.pth', resume=True))):
        with pytest.raises(UserError, match='resume goes on with the weights of the run in out, init begins with'):
            check()


@pytest.mark.slow
def test_init_starts_from_weights(run, arguments, tmp_path):
    """At a rate that moves nothing, the student stays what it started from."""
    still = lgd_mm.pretrain(**{**arguments, 'epochs': 1}, batch_size=20, optimizer='sgd', lr=1e-12, init=run.student,
                            out=tmp_path / 'run')
    begun, ended = read_student(run.student)[0], read_student(still.student)[0]
    assert all(torch.allclose(value, ended[key], atol=1e-6) for key, value in begun.items() if key.endswith('weight'))


@pytest.mark.parametrize(('changed', 'sentence'), [
    (dict(student='resnet-18'), "no student is called 'resnet-18'; did you mean 'resnet18'"),
    (dict(student='timm/ghostnet100'), "no student is called .*; did you mean 'timm/ghostnet_100'"),
    (dict(teacher='RN50/opnai'), "teacher 'RN50/opnai': RN50 has no such tag; did you mean 'openai'"),
    (dict(teacher='RN50'), 'RN50 has no such tag; give RN50/TAG with one of openai, yfcc15m'),
    (dict(teacher='ViT-B16/openai'), "no teacher is called .*; did you mean 'ViT-B-16/openai'"),
    (dict(teacher='local-dir:/no/where'), 'local-dir:/no/where: there is no such folder'),
    (dict(teacher='local-dir:/usr'), 'the folder holds no open_clip_config.json'),
    (dict(classes='cocoo'), "no set is called 'cocoo'; did you mean 'coco'"),
    (dict(classes=''), 'classes is empty'),
    (dict(classes=[]), 'there are no category names'),
    (dict(classes='cat,,dog'), 'name number 2 is empty'),
    (dict(out='/proc/runs/x'), r'out: /proc/runs/x cannot be written to \(No such file or directory\): give another'),
    (dict(epochs=0), "epochs is 0: give auto or a whole number of at least 1"),
    (dict(lr='fast'), "lr is 'fast': give auto or a number above 0"),
    (dict(amp='fp8'), "amp is 'fp8': give auto, fp16, bf16, off"),
    (dict(options={'train_cfg.max_epoch': 3}), "no key train_cfg.max_epoch; did you mean 'max_epochs'"),
    (dict(options={'train_dataloader.dataset.pipeline.1.scael': 3}),
     r"train_dataloader.dataset.pipeline.1.scael: Recipe has no argument 'scael'"),
    (dict(init='/gone.pth'), '/gone.pth does not exist'),
])
def test_mistakes_are_told_and_leave_nothing(arguments, tmp_path, changed, sentence):
    """One sentence with the cure, before a folder is made."""
    with pytest.raises(UserError, match=sentence):
        lgd_mm.pretrain(**{**arguments, 'out': tmp_path / 'run', **changed})
    assert not (tmp_path / 'run').exists()


def test_bad_folders_of_images(arguments, tmp_path, monkeypatch):
    """Missing, a file, empty, without permission (which root always has)."""
    (tmp_path / 'file.jpg').write_bytes(b'')
    (tmp_path / 'empty').mkdir()
    for images, sentence in (('gone', 'gone does not exist'), ('file.jpg', 'file.jpg is a file: give the folder'),
                             ('empty', 'empty holds no image')):
        with pytest.raises(UserError, match=sentence):
            lgd_mm.pretrain(**{**arguments, 'images': tmp_path / images}, out=tmp_path / 'run')

    def refuse(folder):
        raise PermissionError(13, 'Permission denied', str(folder))

    monkeypatch.setattr('lgd_mm.api.images.os.scandir', refuse)
    with pytest.raises(UserError, match=r'empty cannot be read \(Permission denied\): change its permissions'):
        lgd_mm.pretrain(**{**arguments, 'images': tmp_path / 'empty'}, out=tmp_path / 'run')


def test_folders_that_are_no_run_are_not_overwritten(arguments, tmp_path):
    """--overwrite removes runs, not someone's documents."""
    (tmp_path / 'thesis.tex').write_text('')
    with pytest.raises(UserError, match=r'holds no run of lgd-mm \(no resolved_config.py\), which --overwrite needs'):
        lgd_mm.pretrain(**arguments, out=tmp_path, overwrite=True)
    assert (tmp_path / 'thesis.tex').exists()
