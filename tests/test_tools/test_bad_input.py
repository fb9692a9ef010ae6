"""A user's mistakes: one sentence with the cure, and nothing half-written."""

import errno
import os
import re

import pytest
import torch

from lgd_mm.engine.checks import preflight
from lgd_mm.engine.launch import test as evaluate
from lgd_mm.engine.launch import train
from lgd_mm.errors import UserError
from tests.tiny import run_tool, write_images, write_lgd_config


class Trap:
    """Touches a file when it is unpickled."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return open, (self.path, 'w')


def test_missing_data_root(tmp_path):
    """The command a user types first: exit code 2, one line, no traceback, no folder."""
    roots = [f'{split}_dataloader.dataset.data_root={tmp_path}/none' for split in ('train', 'val')]
    done = run_tool('tools/train.py', 'configs/coco/mask-rcnn_r18_fpn_1x_coco.py', '--work-dir', tmp_path / 'run',
                    '--cfg-options', *roots)
    assert done.returncode == 2
    errors = [line for line in done.stderr.splitlines() if line.startswith('error: ')]
    assert errors == [
        f'error: {tmp_path}/none does not exist (train_dataloader.dataset.data_root, '
        'val_dataloader.dataset.data_root): put or link your data there, or give --cfg-options '
        'train_dataloader.dataset.data_root=PATH val_dataloader.dataset.data_root=PATH; '
        f'python tools/prepare_dataset.py coco {tmp_path}/none --check tells more'
    ]
    assert 'Traceback' not in done.stderr
    assert not (tmp_path / 'run').exists()


@pytest.mark.parametrize(('options', 'sentence'), [
    ({'train_dataloader.dataset.ann_file': 'gone.txt'}, r'gone.txt does not exist \(train_\S+.dataset.ann_file\)'),
    ({'train_dataloader.dataset.data_prefix': 'gone'}, r'gone does not exist \(train_dataloader.dataset.data_prefix\)'),
    ({'train_dataloader.dataset': dict(
        type='RepeatDataset', times=2, dataset=dict(type='CustomDataset', data_root='/gone', pipeline=[]))},
     r'/gone does not exist \(train_dataloader.dataset.dataset.data_root\)'),
    ({'train_dataloader.batch_size': 13, 'train_dataloader.drop_last': True},
     'has 12 images, fewer than a batch of 13: .*train_dataloader.batch_size=N'),
    ({'model.backbone.depth': 19}, r'model.backbone \(mmpretrain.ResNet, depth 19, base_channels 8\) cannot be built '
     r'\(invalid depth 19 for resnet\): set model.backbone.depth or'),
    ({'model.backbone': dict(_delete_=True, type='mmpretrain.TIMMBackbone', model_name='resnet18x')},
     r'\(Unknown model \(resnet18x\)\): set model.backbone.model_name to a name of timm, such as resnet18'),
    ({'model.backbone.type': 'mmpretrain.ResNot'}, 'model.backbone.type: there is no mmpretrain.ResNot'),
    ({'optim_wrapper.type.deep': 1}, '--cfg-options do not fit'),
])
def test_config_mistakes(tmp_path, classifier, options, sentence):
    """Missing files in plain and wrapped datasets, too few images, unknown student, options that do not fit."""
    with pytest.raises(UserError, match=sentence):
        train(classifier, work_dir=str(tmp_path / 'run'), cfg_options=options)
    assert not (tmp_path / 'run').exists()


def test_missing_or_broken_config(tmp_path):
    """Named with the reason."""
    with pytest.raises(UserError, match='config gone.py does not exist'):
        train('gone.py')
    (tmp_path / 'broken.py').write_text('model = dict(')
    with pytest.raises(UserError, match='broken.py cannot be read .*never closed'):
        train(str(tmp_path / 'broken.py'))


def test_missing_images_of_an_evaluator(classifier, tmp_path):
    """CocoMetric has a path of its own."""
    from lgd_mm.engine.settings import load_config
    evaluators = [dict(type='X'), dict(type='Y', ann_file='/gone.json')]
    cfg = load_config(classifier, dict(val_evaluator=evaluators), None, 'none')
    with pytest.raises(UserError, match=r'/gone.json does not exist \(val_evaluator.1.ann_file\)'):
        preflight.check_data(cfg, 'val')


def test_nothing_to_test(classifier, trained, tmp_path):
    (tmp_path / 'none.txt').write_text('')
    with pytest.raises(UserError, match='^a data set has no images: see data_root, ann_file'):
        evaluate(classifier, str(trained / 'epoch_1.pth'), work_dir=str(tmp_path / 'work'),
                 cfg_options={'test_dataloader.dataset.ann_file': str(tmp_path / 'none.txt')})


def test_work_dir_that_cannot_be_written(classifier):
    """Not even root may write there."""
    with pytest.raises(UserError, match=r'work dir /proc/runs/x cannot be written to \(.+\): give another'):
        train(classifier, work_dir='/proc/runs/x')


def test_full_disk_before_training(tmp_path, classifier, monkeypatch):
    """Less disk space than a checkpoint needs."""
    usage = preflight.shutil.disk_usage(tmp_path)
    monkeypatch.setattr(preflight.shutil, 'disk_usage', lambda path: usage._replace(free=10))
    with pytest.raises(UserError, match='has 0 MiB left, and a checkpoint may need 2 MiB'):
        train(classifier, work_dir=str(tmp_path / 'run'))
    assert not (tmp_path / 'run').exists()


def test_full_disk_while_saving(tmp_path, classifier, trained, monkeypatch):
    """The cut-off checkpoint is removed, the whole ones stay."""
    whole = (trained / 'epoch_1.pth').read_bytes()
    run = tmp_path / 'run'
    run.mkdir()
    (run / 'epoch_7.pth').write_bytes(whole)

    def fill(content, file):
        file.write(b'PK half of it')
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    (run / 'own.pth').write_bytes(b'of another program')
    monkeypatch.setattr(torch, 'save', fill)
    with pytest.raises(UserError, match=r'cannot be written to \(No space left on device\): .*--resume'):
        train(classifier, work_dir=str(run))
    assert sorted(path.name for path in run.glob('*.pth')) == ['epoch_7.pth', 'own.pth']
    assert not list(run.glob('.*.part'))


def test_full_disk_after_training_began(tmp_path, classifier, monkeypatch):
    """The logs of a new work dir stay."""
    def fill(content, file):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(torch, 'save', fill)
    with pytest.raises(UserError, match='No space left'):
        train(classifier, work_dir=str(tmp_path / 'run'))
    assert list((tmp_path / 'run').glob('*/*.log'))


def test_files_in_the_work_dir_stay(tmp_path, classifier):
    """Whatever the mistake: those of older torch are no zip files."""
    torch.save({}, tmp_path / 'legacy.pth', _use_new_zipfile_serialization=False)
    with pytest.raises(UserError, match='there is no mmpretrain.ResNot'):
        train(classifier, work_dir=str(tmp_path), cfg_options={'model.backbone.type': 'mmpretrain.ResNot'})
    assert (tmp_path / 'legacy.pth').is_file()


@pytest.mark.parametrize('inside', [True, False])
def test_no_permission_is_told_of_the_work_dir_alone(tmp_path, classifier, trained, monkeypatch, inside):
    """Testing has nothing to go on with; an error of another file keeps its name."""
    run = tmp_path / 'run'

    def refuse(self):
        raise PermissionError(errno.EACCES, 'Permission denied', str((run if inside else tmp_path) / 'file'))

    monkeypatch.setattr('mmengine.runner.Runner.test', refuse)
    with pytest.raises(UserError if inside else PermissionError) as caught:
        evaluate(classifier, str(trained / 'epoch_1.pth'), work_dir=str(run))
    if inside:
        assert str(caught.value) == (f'work dir {run} cannot be written to (Permission denied): free disk space or '
                                     'give another with --work-dir FOLDER')


def test_other_errors_keep_their_traceback(tmp_path, classifier, monkeypatch):
    """What is not a user's mistake is not hidden."""
    with pytest.raises(UserError, match="model.backbone.colour: ResNet has no argument 'colour': correct its spelling"):
        train(classifier, work_dir=str(tmp_path / 'run'), cfg_options={'model.backbone.colour': 'red'})
    monkeypatch.setattr('lgd_mm.engine.launch._build', lambda cfg: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        train(classifier, work_dir=str(tmp_path / 'run'))


@pytest.fixture
def damaged(tmp_path, trained):
    """Files that are no checkpoints, by what is wrong with them."""
    (tmp_path / 'cut.pth').write_bytes((trained / 'epoch_1.pth').read_bytes()[:5000])
    torch.save(dict(meta={}, state_dict={}, optimizer=Trap(tmp_path / 'trap'), message_hub={}), tmp_path / 'code.pth')
    torch.save(dict(state_dict={}), tmp_path / 'weights.pth')
    return tmp_path


@pytest.mark.parametrize(('name', 'sentence'), [
    ('gone', 'gone.pth does not exist'),
    ('cut', 'cut.pth is cut off or not a checkpoint'),
    ('code', 'code.pth would run code'),
    ('weights', 'weights.pth cannot be resumed from, it has no meta, optimizer, message_hub'),
])
def test_resume_from_a_bad_file(classifier, damaged, name, sentence):
    """Before a folder is made; the pickle's code does not run."""
    with pytest.raises(UserError, match=sentence):
        train(classifier, work_dir=str(damaged / 'run'), resume=str(damaged / f'{name}.pth'))
    assert not (damaged / 'run').exists() and not (damaged / 'trap').exists()


@pytest.mark.parametrize('name', ['gone', 'cut', 'code'])
def test_student_from_a_bad_file(classifier, damaged, name):
    """The same file reader."""
    with pytest.raises(UserError, match=f'{name}.pth'):
        train(classifier, work_dir=str(damaged / 'run'), student=str(damaged / f'{name}.pth'))
    assert not (damaged / 'run').exists() and not (damaged / 'trap').exists()


@pytest.mark.parametrize(('pointer', 'sentence'), [
    ('/gone/epoch_3.pth', 'last_checkpoint names /gone/epoch_3.pth, which is missing or damaged: give --resume FILE'),
    ('', 'last_checkpoint is empty: give --resume FILE'),
])
def test_resume_pointer_to_nothing(tmp_path, classifier, pointer, sentence):
    """last_checkpoint names a file that was deleted, and the only other one is cut off."""
    (tmp_path / 'last_checkpoint').write_text(pointer)
    (tmp_path / 'epoch_4.pth').write_bytes(b'PK')
    with pytest.raises(UserError, match=sentence):
        train(classifier, work_dir=str(tmp_path), resume='auto')


@pytest.mark.parametrize('run', [
    lambda config, file, options, folder: evaluate(config, file, work_dir=folder, cfg_options=options),
    lambda config, file, options, folder: train(config, resume=file, work_dir=folder, cfg_options=options),
], ids=['test', 'resume'])
@pytest.mark.parametrize(('options', 'sentence'), [
    ({'model.backbone.deep_stem': True}, r'\d+ missing \(backbone.stem.0.conv.weight, .*unexpected \(backbone.conv1'),
    ({'model.backbone.base_channels': 4, 'model.head.in_channels': 32}, r'\d+ mismatched \(backbone.layer1'),
])
def test_checkpoint_of_another_model(tmp_path, classifier, trained, run, options, sentence):
    """mmengine would only warn; keys are named."""
    with pytest.raises(UserError, match='is a checkpoint of another model than the config describes: .*' + sentence):
        run(classifier, str(trained / 'epoch_1.pth'), options, str(tmp_path / 'run'))
    assert not (tmp_path / 'run').exists()


def test_checkpoint_of_another_category_list(tmp_path, monkeypatch):
    """Resuming names the difference and leaves the work dir as it was."""
    monkeypatch.setenv('LGD_CACHE_DIR', str(tmp_path / 'cache'))
    write_images(tmp_path / 'pictures', 8)
    config = str(write_lgd_config(tmp_path, tmp_path / 'pictures', train_cfg=dict(max_epochs=1), param_scheduler=[]))
    run = tmp_path / 'run'
    train(config, work_dir=str(run))
    before = {path.name: path.stat().st_mtime_ns for path in run.glob('*.*t*')}
    names = ['cat', 'dog', 'bicycle', 'tree', 'zebra']
    with pytest.raises(UserError, match='other category names.*zebra'):
        train(config, work_dir=str(run), resume='auto',
              cfg_options={'model.lgka.categories': names, 'train_cfg.max_epochs': 2})
    assert {path.name: path.stat().st_mtime_ns for path in run.glob('*.*t*')} == before


def test_all_images_bad_is_one_sentence(tmp_path, monkeypatch):
    """Also from a loader's worker, whose whole traceback torch passes on."""
    monkeypatch.setenv('LGD_CACHE_DIR', str(tmp_path / 'cache'))
    for path in write_images(tmp_path / 'pictures', 8):
        path.write_bytes(b'no image')
    config = str(write_lgd_config(tmp_path, tmp_path / 'pictures', train_dataloader=dict(num_workers=1)))
    with pytest.raises(UserError, match=re.compile(r'^none of the 8 images in \S+ can be read')):
        train(config, work_dir=str(tmp_path / 'run'))
    assert not (tmp_path / 'run').exists()


def test_precision_and_scaling_that_cannot_be(tmp_path, classifier, monkeypatch):
    """fp16 on the CPU, another optimiser wrapper, a learning rate without its batch."""
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    with pytest.raises(UserError, match='--amp fp16 needs a GPU'):
        train(classifier, work_dir=str(tmp_path / 'run'), amp='fp16')
    with pytest.raises(UserError, match='--amp replaces optim_wrapper.type=OptimWrapper, but the config has Other'):
        train(classifier, work_dir=str(tmp_path / 'run'), amp='bf16', cfg_options={'optim_wrapper.type': 'Other'})
    with pytest.raises(UserError, match='--auto-scale-lr needs auto_scale_lr.base_batch_size'):
        train(classifier, work_dir=str(tmp_path / 'run'), auto_scale_lr=True)
    assert not (tmp_path / 'run').exists()


def test_more_processes_than_gpus(monkeypatch):
    """Counted on this machine; without GPUs any number may run, but not under Slurm."""
    monkeypatch.setenv('LOCAL_WORLD_SIZE', '4')
    monkeypatch.setattr(torch.cuda, 'device_count', lambda: 2)
    with pytest.raises(UserError, match='4 GPUs were asked for, but this machine has 2: give 2 or fewer'):
        preflight.check_processes('pytorch')
    monkeypatch.setattr(torch.cuda, 'device_count', lambda: 0)
    preflight.check_processes('pytorch')
    with pytest.raises(UserError, match='--launcher slurm needs GPUs'):
        preflight.check_processes('slurm')
