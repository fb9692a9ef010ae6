"""A student is shown regions of the network that it was trained with, or says why not."""

import pytest
import torch
from mmengine.config import Config, ConfigDict
from mmengine.registry import init_default_scope

import lgd_mm
from lgd_mm.engine.regions.checkpoint import _digest
from lgd_mm.errors import UserError
from lgd_mm.models.vl.weights import write_model
from lgd_mm.registry import DATASETS, MODELS
from lgd_mm.safety.config_text import parse_config
from lgd_mm.students.backbone import build_backbone
from lgd_mm.students.file import student_metadata, write_student
from lgd_mm.vision_language.detector import detector_of
from lgd_mm.vision_language.student import load_student
from tests.configs import read_config
from tests.detectors import extract, write_detector
from tests.test_vision_language.conftest import NAMES, spread_weights, write_captioner, write_run
from tests.tiny import write_lgd_config


def student_of(config, file, features=0.05):
    """A student's file as a training would leave it, with weights that differ."""
    init_default_scope('mmpretrain')
    cfg = read_config(config)
    write_model(MODELS.build(cfg.model), cfg.model.to_dict(), 0, file,
                DATASETS.build(cfg.train_dataloader.dataset).metainfo)
    spread_weights(file, features)
    return cfg, file


def test_another_detector_is_refused(world, tmp_path):
    init_default_scope('mmdet')
    other = write_run(tmp_path / 'other', *write_detector(tmp_path / 'a', world.folder, seed=1))
    with pytest.raises(UserError, match=r'other is not the network whose regions .* was trained on \(SHA-256'):
        lgd_mm.caption(world.captions, world.images, other)
    config, _ = write_detector(tmp_path / 'b', world.folder, scale=(80, 80))
    with pytest.raises(UserError, match='has the weights of the network .* and another config .*: give as config'):
        lgd_mm.caption(world.captions, world.images, world.detector[1], config=config)
    larger = write_run(tmp_path / 'larger', config, world.detector[1])
    with pytest.raises(UserError, match='and another config .*: give as config the file that its regions were'):
        lgd_mm.caption(world.captions, world.images, larger)
    found = lgd_mm.caption(world.captions, world.images, larger, config=world.detector[0])
    assert found == lgd_mm.caption(world.captions, world.images, world.run)


def test_what_is_no_detector_is_refused(world, tmp_path):
    with pytest.raises(UserError, match=r'reads regions of a detector \(nut, bolt, washer\): give the detector'):
        lgd_mm.caption(world.captions, world.images)
    with pytest.raises(UserError, match='does not hold the config of its detector: give as config'):
        lgd_mm.caption(world.captions, world.images, world.detector[1])
    with pytest.raises(UserError, match='holds no trained network'):
        lgd_mm.caption(world.captions, world.images, world.images)
    with pytest.raises(UserError, match='is of no two-stage detector|no two-stage detector'):
        lgd_mm.caption(world.captions, world.images, world.captions, config=world.detector[0])
    renamed = torch.load(world.run / 'epoch_1.pth')
    renamed['meta']['dataset_meta'] = dict(classes=['nut', 'bolt', 'screw'])
    renamed['meta']['cfg'] = renamed['meta']['cfg'].replace("'washer'", "'screw'")
    torch.save(renamed, tmp_path / 'renamed.pth')
    with pytest.raises(UserError, match='detects nut, bolt, screw, and .* was trained on regions of nut, bolt, washer'):
        lgd_mm.caption(world.captions, world.images, tmp_path / 'renamed.pth')


def test_no_detector_is_built_that_is_far_larger_than_its_file(world, tmp_path):
    """Also if a student says that it is the one."""
    content = torch.load(world.run / 'epoch_1.pth')
    assert 'fc_out_channels=24' in content['meta']['cfg']
    content['meta']['cfg'] = content['meta']['cfg'].replace('fc_out_channels=24', 'fc_out_channels=900000')
    torch.save(content, tmp_path / 'larger.pth')
    wanted = _digest(ConfigDict(parse_config(content['meta']['cfg'])), False)
    student = load_student(world.captions / 'student.safetensors')
    student.trained_on.regions.detector.__dict__['config'] = wanted
    with pytest.raises(UserError, match='larger.pth describes a network far larger than the'):
        detector_of(student, tmp_path / 'larger.pth', None)


def test_a_teacher_of_two_detectors_is_refused(world, tmp_path):
    _, file = student_of(write_captioner(world.folder, world.folder / 'teacher_regions', 'adapted'),
                         tmp_path / 'adapted.safetensors')
    with pytest.raises(UserError, match="features in another detector's boxes, and so needs two detectors"):
        lgd_mm.caption(file, world.images, world.run)


def test_cells_of_a_grid(world, tmp_path):
    """The student whose backbone sees them, with and without the config; and the teacher of a config."""
    config = write_lgd_config(tmp_path, world.images)
    cfg = Config.fromfile(config)
    torch.manual_seed(0)
    backbone = build_backbone(Config(dict(default_scope='mmpretrain', model=dict(backbone=cfg.model.backbone))))
    write_student(backbone.state_dict(), student_metadata(cfg.to_dict(), 0, {}), tmp_path / 'backbone')
    checkpoint = tmp_path / 'backbone.safetensors'
    for name, seen_by, given in (('student', checkpoint, [dict(), dict(config=config)]), (
            'teacher', None, [dict(config=config)])):
        store = extract((config, seen_by), tmp_path / f'cells_{name}', grid=2, images=str(world.images))
        read, file = student_of(write_captioner(world.folder, store.folder, f'grid_{name}'),
                                tmp_path / f'{name}.safetensors', features=5.)
        dataset = DATASETS.build(read.test_dataloader.dataset)
        items = [{key: value[None] for key, value in dataset[index]['inputs'].items()} for index in range(len(NAMES))]
        read.model.weights = str(file)
        model = MODELS.build(read.model)
        model.init_weights()
        wanted = [model.eval()(item, mode='predict')[0].pred_caption for item in items]
        for options in given:
            found = lgd_mm.caption(file, world.images, seen_by, **options)
            assert found.captions == wanted and len(set(wanted)) > 1
        with pytest.raises(UserError, match='reads 2 x 2 cells of a backbone: give as the detector'):
            lgd_mm.caption(file, world.images)
    with pytest.raises(UserError, match='is not the network whose regions'):
        lgd_mm.caption(tmp_path / 'teacher.safetensors', world.images, checkpoint)
