"""The report of a pre-training: true, safe, and worth something when a part of it fails."""

import json
import logging
import re
from html import unescape
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F
from mmengine.config import Config
from mmengine.runner import Runner

from lgd_mm.engine.hooks.report import ReportHook
from lgd_mm.engine.report_work_dir import report_work_dir
from lgd_mm.errors import UserError
from lgd_mm.models.teachers import OpenCLIPTeacher
from lgd_mm.report import pretraining, teacher_accuracy
from lgd_mm.report.pretraining import write_pretraining_report
from lgd_mm.teacher_cache import CachedTeacher
from tests.pages import check_page
from tests.speed import with_reports
from tests.tiny import write_images, write_lgd_config

EVIL = '<script>alert(1)</script>'
NAMES = ['cat', 'dog', EVIL]


@pytest.fixture(scope='module')
def runner(tmp_path_factory: pytest.TempPathFactory) -> Runner:
    """After two epochs with a validation each and a report at the end."""
    folder = tmp_path_factory.mktemp('run')
    write_images(folder / 'pictures', 18)
    (folder / 'pictures/broken.png').write_bytes(b'no image')
    write_images(folder / 'labelled/a', 6, seed=1)
    write_images(folder / 'labelled/b', 6, seed=2)
    write_images(folder / 'labelled/c', 6, seed=3)
    val = dict(
        batch_size=4, num_workers=0, sampler=dict(type='DefaultSampler', shuffle=False),
        collate_fn=dict(type='default_collate'),
        dataset=dict(type='CustomDataset', data_root=str(folder / 'labelled'), pipeline=[
            dict(type='LoadImageFromFile'), dict(type='PackInputs')]))
    cfg = Config.fromfile(write_lgd_config(
        folder, folder / 'pictures', model=dict(lgka=dict(categories=NAMES)),
        train_cfg=dict(max_epochs=2, val_interval=1), val_dataloader=val,
        val_evaluator=dict(type='Accuracy', topk=(1, )), val_cfg=dict(),
        custom_hooks=[dict(type='lgd_mm.ReportHook')]))
    cfg.work_dir, cfg.launcher = str(folder / 'work'), 'none'
    size = cfg.train_dataloader.dataset.pipeline[1]
    size.update({key: 32 for key in ('size', 'scale') if key in size})
    runner = Runner.from_cfg(cfg)
    with pytest.MonkeyPatch.context() as patch:
        with_reports(patch)
        runner.train()
    return runner


def page_of(runner: Runner) -> str:
    return (Path(runner.work_dir) / 'report.html').read_text()


def written(runner: Runner, folder: Path, **changes: object) -> str:
    """The page with another config, of a work dir with the same scalars."""
    folder.mkdir()
    for part in Path(runner.work_dir).glob('20*'):
        (folder / part.name).symlink_to(part)
    cfg = Config(runner.cfg.to_dict(), filename=runner.cfg.filename)
    cfg.merge_from_dict(changes)
    return write_pretraining_report(folder, cfg, runner.model).read_text()


def facts(page: str) -> dict[str, str]:
    return {unescape(name): unescape(value) for name, value in re.findall('<dt>(.*?)</dt><dd>(.*?)</dd>', page)}


def test_page_is_whole_and_safe(runner: Runner) -> None:
    page = page_of(runner)
    check_page(page)
    assert re.findall('<h2>(.*?)</h2>', page) == ['Accuracy', 'Training', 'Pseudo labels', 'Visual bank',
                                                  'Similarity maps', 'Settings']
    assert re.findall('<figcaption>(loss.*?)</figcaption>', page) == ['loss', 'loss_visual', 'loss_textual']
    assert EVIL not in page and 'Not available' not in page
    assert not list(Path(runner.work_dir).glob('*.part'))


def test_it_tells_what_was_logged_and_counted(runner: Runner) -> None:
    page = page_of(runner)
    scalars = next(Path(runner.work_dir).glob('*/vis_data/scalars.json')).read_text().splitlines()
    accuracies = [line['accuracy/top1'] for line in map(json.loads, scalars) if 'accuracy/top1' in line]
    assert len(accuracies) == 2
    assert facts(page)['accuracy/top1'].startswith(f'{accuracies[-1]:.1f}, teacher ')
    counts = runner.model.lgka.counts
    assert f'each of {int(counts.sum())} views' in page and counts.sum() == runner.iter * 4
    rows = re.findall(r'<p class="name">(.*?) <span class="faint">(\d+) views', page)
    assert {unescape(name): int(count) for name, count in rows} == {
        name: int(count) for name, count in zip(NAMES, counts) if count}


def teacher_top1(runner: Runner) -> float:
    """By hand: images in the order of their classes, six in each."""
    model = runner.model
    inputs = torch.stack([item['inputs'] for item in runner.val_dataloader.dataset])
    embeddings = F.normalize(model.teacher(model.data_preprocessor(dict(inputs=inputs), False)['inputs']), dim=1)
    right = (embeddings @ model.lgka.textual_bank.T).argmax(dim=1) == torch.arange(18) // 6
    return 100 * right.float().mean().item()


def test_teacher_is_measured_as_the_student_and_once(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = teacher_top1(runner)
    assert facts(page_of(runner))['accuracy/top1'].endswith(f', teacher {expected:.1f}')
    kept = json.loads((Path(runner.work_dir) / teacher_accuracy.FILE).read_text())
    assert kept['metrics']['accuracy/top1'] == pytest.approx(expected, abs=1e-4)

    monkeypatch.setattr(teacher_accuracy, '_evaluate', lambda *args: {'accuracy/top1': -1.})
    arguments = runner.model, runner.model.teacher, runner.cfg, Path(runner.work_dir)
    assert teacher_accuracy.teacher_metrics(*arguments) == kept['metrics']
    monkeypatch.setattr(runner.model.teacher, 'fingerprint', 'another')
    assert teacher_accuracy.teacher_metrics(*arguments) == {'accuracy/top1': -1.}
    (Path(runner.work_dir) / teacher_accuracy.FILE).write_text(json.dumps(kept))


def test_again_from_the_work_dir(runner: Runner) -> None:
    first = page_of(runner)
    (Path(runner.work_dir) / 'report.html').unlink()
    assert report_work_dir(runner.work_dir) == Path(runner.work_dir) / 'report.html'
    shown = lambda page: page[:page.index('<h2>Settings')]
    assert shown(page_of(runner)) == shown(first)


def test_before_the_first_checkpoint_there_are_curves(runner: Runner, tmp_path: Path) -> None:
    (tmp_path / 'tiny_pretrain.py').write_text(runner.cfg.pretty_text)
    for part in Path(runner.work_dir).glob('20*'):
        (tmp_path / part.name).symlink_to(part)
    page = report_work_dir(tmp_path).read_text()
    assert re.findall('<h2>(.*?)</h2>', page) == ['Accuracy', 'Training', 'Settings']


def test_a_student_larger_than_its_checkpoint_is_not_built(runner: Runner, tmp_path: Path) -> None:
    cfg = Config(runner.cfg.to_dict())
    cfg.model.backbone.base_channels = 8192
    (tmp_path / 'tiny_pretrain.py').write_text(cfg.pretty_text)
    for part in (*Path(runner.work_dir).glob('*.pth'), Path(runner.work_dir) / 'last_checkpoint'):
        (tmp_path / part.name).symlink_to(part)
    with pytest.raises(UserError, match='tiny_pretrain.py describes a network far larger than the .* values in it'):
        report_work_dir(tmp_path)


def test_no_work_dir(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r'is no work dir of a run: it holds no config \(\*.py\)'):
        report_work_dir(tmp_path)


def test_without_its_images_it_is_still_a_page(runner: Runner, tmp_path: Path) -> None:
    page = written(runner, tmp_path / 'work', **{'train_dataloader.dataset.data_root': '/gone'})
    assert 'Not available: training images: image folder /gone' in page
    assert re.findall('<h2>(.*?)</h2>', page) == ['Accuracy', 'Training', 'Pseudo labels', 'Settings']


def test_a_teacher_without_positions_is_told_once(runner: Runner, tmp_path: Path,
                                                  monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: OpenCLIPTeacher, images: torch.Tensor) -> None:
        raise UserError('it has none')

    monkeypatch.setattr(OpenCLIPTeacher, 'encode_dense', refuse)
    runner.model.train()
    state = {key: value.clone() for key, value in runner.model.state_dict().items()}
    random_state = torch.get_rng_state()
    page = written(runner, tmp_path / 'work')
    assert page.count('Not available: similarity maps of the teacher: it has none.') == 1
    titles = {title.partition(':')[0] for title in re.findall('<figcaption>([a-z]+)', page)}
    assert {'image', 'student'} <= titles and 'teacher' not in titles

    # and the model is left as it was
    assert runner.model.training and torch.equal(torch.get_rng_state(), random_state)
    assert all(torch.equal(value, state[key]) for key, value in runner.model.state_dict().items())


def test_rivals_have_curves(runner: Runner, tmp_path: Path) -> None:
    work = tmp_path / 'work'
    work.mkdir()
    for part in Path(runner.work_dir).glob('20*'):
        (work / part.name).symlink_to(part)
    page = write_pretraining_report(work, runner.cfg, torch.nn.Linear(2, 2)).read_text()
    assert re.findall('<h2>(.*?)</h2>', page) == ['Accuracy', 'Training', 'Settings']
    assert 'Not available' not in page


def test_a_cached_teacher_is_loaded(runner: Runner) -> None:
    live = runner.model.teacher
    cached = CachedTeacher.__new__(CachedTeacher)
    torch.nn.Module.__init__(cached)
    cached.fingerprint, cached._config, cached._cache = live.fingerprint, runner.cfg.model.teacher, 'cache'
    model = SimpleNamespace(teacher=cached, data_preprocessor=runner.model.data_preprocessor)
    inputs = torch.randn(1, 3, 64, 64)
    teacher = pretraining._teacher(model, [])
    assert torch.equal(teacher(inputs), live(inputs))

    cached.fingerprint = 'another'
    troubles: list[str] = []
    assert pretraining._teacher(model, troubles) is None
    assert troubles == ['the teacher: the weights of the teacher are not those the cache was made with: fetch them '
                        'again, or make the cache anew']


def test_report_never_fails_the_training(runner: Runner, monkeypatch: pytest.MonkeyPatch,
                                         caplog: pytest.LogCaptureFixture) -> None:
    def broken(*args: object) -> None:
        raise RuntimeError('first line\nsecond line')

    with_reports(monkeypatch)
    monkeypatch.setattr(pretraining, 'write_pretraining_report', broken)
    logger = logging.getLogger('report')
    ReportHook().after_train(SimpleNamespace(model=runner.model, cfg=runner.cfg, work_dir='some/work', logger=logger))
    assert [record.getMessage() for record in caplog.records if record.name == 'report'] == [
        'report.html was not written (RuntimeError: first line); to try again: python tools/pretrain_report.py '
        'some/work']
