"""Tasks of few labels by tools/train.py, as a suite starts them: figures in the log, and the same by two processes."""

import pytest

from lgd_mm.datasets.shapes import make_scene
from lgd_mm.runs.measures import last_metrics
from tests.tiny import train_in_two

NAMES = ('circle', 'crescent', 'cross', 'diamond', 'ring', 'square', 'star', 'triangle')


@pytest.fixture(scope='module')
def options(tmp_path_factory):
    """Three images of each of eight classes to train with, one to test with."""
    import cv2
    root = tmp_path_factory.mktemp('world')
    for index in range(32):
        folder = root / ('zero_shot' if index < 8 else 'labelled') / NAMES[index % 8]
        folder.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / f'{index:02}.png'), make_scene('pretrain', index).image)
    return lambda inner: [
        f'train_dataloader.{inner}data_root={root}', f'train_dataloader.{inner}ann_file=',
        f'val_dataloader.dataset.data_root={root}', 'val_dataloader.dataset.ann_file=',
        *(f'{split}_dataloader.num_workers=0' for split in ('train', 'val')),
        'train_dataloader.persistent_workers=False']


def test_fine_tuning(tool, tmp_path, options, capfd):
    """Sixteen images make a batch of an epoch; a class without as many is named before anything is written."""
    arguments = ['configs/shapes/finetune-10shots_r18-slim_shapes.py', '--work-dir', tmp_path / 'run', '--cfg-options',
                 *options('dataset.dataset.'), 'train_cfg.max_epochs=2', 'train_cfg.val_interval=2',
                 'test_dataloader=None', 'test_evaluator=None', 'test_cfg=None', 'default_hooks.logger.interval=1']
    printed = tool('tools/train.py', *arguments, 'train_dataloader.dataset.shots=2')
    assert '[1][1/1]' in printed and 0 <= last_metrics(tmp_path / 'run')['accuracy/top1'] <= 100
    arguments[2] = tmp_path / 'none'
    with pytest.raises(SystemExit, match='2'):
        tool('tools/train.py', *arguments)
    assert ('error: 10 images of each class are asked for, but class circle has 3: give more images of it, or shots=3'
            in capfd.readouterr().err)
    assert not (tmp_path / 'none').exists()


@pytest.mark.slow
def test_a_probe_in_two_processes(tool, tmp_path, options):
    config = 'configs/shapes/few-shot_r18-slim_shapes.py'
    more = ['--cfg-options', *options('dataset.'), 'model.shots=(1,3)', 'model.draws=2',
            'train_dataloader.batch_size=7', 'val_dataloader.batch_size=3']
    tool('tools/train.py', config, '--work-dir', tmp_path / 'one', *more)
    done = train_in_two(config, '--work-dir', tmp_path / 'two', *more)
    assert done.returncode == 0, done.stderr[-3000:]
    one, two = (last_metrics(tmp_path / name) for name in ('one', 'two'))
    keys = {f'few-shot/{figure}_{shots}' for figure in ('top1', 'std') for shots in (1, 3)}
    assert keys <= set(one) and {key: one[key] for key in keys} == {key: two[key] for key in keys}
    assert one['few-shot/std_3'] == 0  # all images of each class, in both draws
