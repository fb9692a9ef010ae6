"""The student that a run leaves."""

import torch

from lgd_mm.engine.launch import train
from lgd_mm.io.safe_load import load_checkpoint_file
from lgd_mm.students import export_checkpoint, read_student
from lgd_mm.students.read import read_student_file
from tests.isolation import forget_runs
from tests.tiny import write_images, write_lgd_config


def test_student_of_a_run_with_an_average_is_the_average(tmp_path):
    """As it is in the checkpoint, with the batch norms' statistics; it says so, and so does one that is exported later.
    """
    write_images(tmp_path / 'pictures', 8)
    config = write_lgd_config(
        tmp_path / 'config', tmp_path / 'pictures', train_cfg=dict(max_epochs=1),
        custom_hooks=[dict(type='lgd_mm.ExportStudentHook'), dict(type='EMAHook', momentum=0.3)])
    forget_runs()
    train(str(config), work_dir=str(tmp_path / 'run'))
    checkpoint = load_checkpoint_file(tmp_path / 'run/epoch_1.pth')
    weights, metadata = read_student(tmp_path / 'run/student.safetensors')
    later, known = read_student(export_checkpoint(tmp_path / 'run/epoch_1.pth', tmp_path / 'later')[0])
    assert metadata['averaged'] is known['averaged'] is True
    for key, value in weights.items():
        assert torch.equal(value, checkpoint['state_dict'][f'backbone.{key}']) and torch.equal(value, later[key])
    raw = checkpoint['ema_state_dict']
    assert not all(torch.equal(value, raw[f'module.backbone.{key}']) for key, value in weights.items())
    assert 'the average that EMAHook kept' in next((tmp_path / 'run').glob('*/*.log')).read_text()


def test_a_pyramid_that_travels_is_in_the_student(tmp_path):
    """As it was trained."""
    write_images(tmp_path / 'pictures', 8)
    config = write_lgd_config(
        tmp_path / 'config', tmp_path / 'pictures', train_cfg=dict(max_epochs=1),
        model=dict(backbone=dict(out_indices=(0, 1, 2, 3)), dense=dict(
            type='lgd_mm.DenseGuidance', pyramid=dict(type='lgd_mm.FPNProjection', channels=8))))
    forget_runs()
    train(str(config), work_dir=str(tmp_path / 'run'))
    state = load_checkpoint_file(tmp_path / 'run/epoch_1.pth')['state_dict']
    file = read_student_file(tmp_path / 'run/student.safetensors')
    assert file.pyramid_config['out_channels'] == 8 and len(file.pyramid) == 16
    assert all(torch.equal(value, state[f'dense.pyramid.fpn.{key}']) for key, value in file.pyramid.items())
    assert all(value.any() for value in file.pyramid.values()), 'a bias begins at zero, and each has learnt'
