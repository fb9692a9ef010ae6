"""Cells of a grid: the same parts of an image for every network, each with the mean of the positions in it."""

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope

from lgd_mm.api.student import load_student
from lgd_mm.datasets.regions import check_same_boxes, with_boxes
from lgd_mm.errors import UserError
from lgd_mm.students.backbone import build_backbone
from lgd_mm.students.file import student_metadata, write_student
from tests.detectors import SIZES, extract, write_detector, write_images_of_shapes
from tests.tiny import write_lgd_config


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    return write_images_of_shapes(tmp_path_factory.mktemp('data'))


def whole_image(path, side):
    """RGB pixels in [0, 1] (1, 3, side, side) of a whole image."""
    image = torch.from_numpy(cv2.imread(str(path))[..., ::-1].copy()).permute(2, 0, 1)[None].float()
    return F.interpolate(image, (side, side), mode='bicubic', antialias=True).round().clamp(0, 255) / 255


@pytest.fixture(scope='module')
def pretraining(data, tmp_path_factory):
    """The config of a pre-training and a student of it, whose views have 64 pixels."""
    folder = tmp_path_factory.mktemp('pretraining')
    config = write_lgd_config(folder, data / 'images')
    cfg = Config.fromfile(config)
    torch.manual_seed(0)
    backbone = build_backbone(Config(dict(default_scope='mmpretrain', model=dict(backbone=cfg.model.backbone))))
    write_student(backbone.state_dict(), student_metadata(cfg.to_dict(), 0, {}), folder / 'student')
    return config, folder / 'student.safetensors'


def test_cells_of_a_student_and_of_a_teacher_are_the_same(pretraining, data, tmp_path):
    config, checkpoint = pretraining
    student = extract((config, checkpoint), tmp_path / 'student', grid=2, split='train')
    teacher = extract((config, None), tmp_path / 'teacher', grid=2, split='train')
    check_same_boxes(student, teacher)
    assert (student.about['width'], teacher.about['width'], student.about['most']) == (64, 32, 4)
    network = load_student(checkpoint)
    for name in student.names:
        ours, theirs = student.row(name), teacher.row(name)
        width, height = SIZES[int(name[-5])]
        np.testing.assert_array_equal(ours.boxes[1], np.float32([width / 2, 0, width, height / 2]))
        np.testing.assert_array_equal(ours.tags, [-1] * 4)
        np.testing.assert_allclose(with_boxes(ours)[2, -6:], [0, 0.5, 0.5, 1, 0.5, 0.5])
        with torch.no_grad():  # the last map has 2 x 2 positions
            last = network.maps(whole_image(data / 'images' / name, 64))[-1]
        np.testing.assert_allclose(ours.features, last[0].flatten(1).T.half(), atol=2e-3)
        teachers = MODELS.build(Config.fromfile(config).model.teacher)
        teachers.set_input_statistics(torch.zeros(3), torch.full((3, ), 255.))
        positions = teachers.dense(whole_image(data / 'images' / name, 32))[0]  # 4 x 4
        cells = positions.unfold(1, 2, 2).unfold(2, 2, 2).mean((3, 4))
        np.testing.assert_allclose(theirs.features, cells.flatten(1).T.half(), atol=2e-3)


def test_the_map_nearest_to_the_grid_is_taken(pretraining, tmp_path):
    config, checkpoint = pretraining
    options = {'model.backbone.out_indices': (0, 1, 2, 3)}
    for grid, width in ((2, 64), (3, 32), (4, 32), (7, 16), (16, 8)):  # maps of 16, 8, 4 and 2 positions
        store = extract((config, checkpoint), tmp_path / str(grid), grid=grid, split='train', cfg_options=options)
        assert store.about['width'] == width, grid
    for files, message in (((config, checkpoint), 'sees 2 x 2 positions of an image, .* give --grid 2 or less'),
                           ((config, None), 'sees 4 x 4 positions of an image, .* give --grid 4 or less')):
        with pytest.raises(UserError, match=message):
            extract(files, tmp_path / 'x', grid=5, split='train')


def test_cells_have_no_boxes_of_their_own(pretraining, data, tmp_path):
    config, checkpoint = pretraining
    init_default_scope('mmdet')
    detector = write_detector(tmp_path / 'detector', data)
    cells = extract((config, checkpoint), tmp_path / 'cells', grid=2, split='train')
    with pytest.raises(UserError, match='is a store of cells, .* give --grid 2 in its place'):
        extract(detector, tmp_path / 'store', boxes=str(cells.folder))
    with pytest.raises(UserError, match='has no model.teacher'):
        extract((detector[0], None), tmp_path / 'x', grid=2)
    with pytest.raises(UserError, match='has no test_dataloader'):
        extract((config, checkpoint), tmp_path / 'x', grid=2)
