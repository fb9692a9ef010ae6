"""The cells of a grid as regions: maps of a student's backbone, or a teacher's positions, averaged in each cell."""

import hashlib
import json
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from mmengine.config import Config
from torch import Tensor, nn

from lgd_mm.datasets.loading import LoadImage
from lgd_mm.datasets.regions import Regions
from lgd_mm.datasets.regions.regions import grid_cells
from lgd_mm.errors import UserError
from lgd_mm.models.teachers import Teacher
from lgd_mm.models.teachers.weights import state_digest
from lgd_mm.registry import MODELS
from lgd_mm.students.network import Student
from lgd_mm.students.read import read_student_file

#: Cells of a row, at most: 32 x 32 are more than any map of a backbone has at its own size.
LARGEST = 32
#: Side of the images of a teacher that takes any, in pixels.
SIDE = 224


class Eyes(NamedTuple):
    """A network with maps of images.

    Attributes:
        name (str): What it is, for messages.
        network (nn.Module): It.
        maps (Callable): Of RGB images in [0, 1] (B, 3, *side).
        side (tuple[int, int]): Height and width of the images it is shown.
        config (dict[str, Any]): What decides the maps beside the weights.
        weights (str): Their digest.
    """

    name: str
    network: nn.Module
    maps: Callable[[Tensor], Sequence[Tensor]]
    side: tuple[int, int]
    config: dict[str, Any]
    weights: str


class GridRegions:
    """A network that sees whole images, each resized to the same square, so that the cells of any two are the same
    parts of an image.

    Args:
        cfg (Config): Of a student or a teacher.
        config (str): Its file, for messages.
        checkpoint (str, optional): A student. None: the config's ``model.teacher``.
        grid (int): G, of the rows and columns.

    Attributes:
        detector (dict[str, str]): Digests of the network's ``config`` and ``weights``.
        width (int): D, of the features.

    Raises:
        UserError: If there is no such network, or none of its maps has G rows and columns.
    """

    def __init__(self, cfg: Config, config: str, checkpoint: str | None, grid: int) -> None:
        self.grid, self.device = grid, 'cpu'
        self.eyes = eyes = student_eyes(cfg, checkpoint) if checkpoint else teacher_eyes(cfg, config)
        said = json.dumps(dict(network=eyes.config, side=eyes.side), sort_keys=True, default=str)
        self.detector = dict(config=hashlib.sha256(said.encode()).hexdigest(), weights=eyes.weights)
        with torch.no_grad():
            maps = eyes.maps(torch.zeros(1, 3, *eyes.side))
        if any(each.dim() != 4 for each in maps):
            raise UserError(f'{eyes.name} gives {tuple(maps[-1].shape)} and no maps (B, C, H, W), so it has no cells: '
                            "set out_type='featmap' of its model.backbone, or take another one")
        sides = [min(each.shape[2:]) for each in maps]
        fitting = [place for place, side in enumerate(sides) if side >= grid]
        if not fitting:
            raise UserError(f'{eyes.name} sees {max(sides)} x {max(sides)} positions of an image, fewer than the cells '
                            f'of --grid {grid}: give --grid {max(sides)} or less')
        self._map = min(fitting, key=lambda place: (sides[place], -place))
        self.width = int(maps[self._map].shape[1])

    def to(self, device: str) -> None:
        """Compute on a device."""
        self.device = device
        self.eyes.network.to(device)

    def read(self, path: str) -> tuple[tuple[int, int], Tensor]:
        """Width and height of an image, and its RGB pixels (3, S, S), uint8."""
        pixels = LoadImage()(dict(img_path=path))['img']
        image = torch.from_numpy(pixels[..., ::-1].copy()).permute(2, 0, 1)[None].float()
        resized = F.interpolate(image, self.eyes.side, mode='bicubic', antialias=True).round_().clamp_(0, 255)
        return (pixels.shape[1], pixels.shape[0]), resized[0].byte()

    @torch.no_grad()
    def regions(self, batch: Sequence[tuple[tuple[int, int], Tensor]], given: None = None) -> list[Regions]:
        """Regions of images.

        Args:
            batch (Sequence[tuple]): Of :meth:`read`.
            given (None): Cells are nobody else's.

        Returns:
            list[Regions]: G * G of each image, row by row.
        """
        images = torch.stack([pixels for _, pixels in batch]).to(self.device).float() / 255
        cells = F.adaptive_avg_pool2d(self.eyes.maps(images)[self._map].float(), self.grid)
        features = cells.flatten(2).transpose(1, 2).half().cpu().numpy()
        count = self.grid**2
        return [Regions(grid_cells(self.grid, size), np.ones(count, np.float16), np.full(count, -1, np.int16), each,
                        size) for (size, _), each in zip(batch, features)]


def student_eyes(cfg: Config, checkpoint: str) -> Eyes:
    """The backbone of a student's file; the config's own, if it has one.

    Raises:
        UserError: If the file does not fill it, or is not known to be of any.
    """
    file, given = read_student_file(checkpoint), 'backbone' in (cfg.get('model') or {})
    student = Student(file, cfg if given else None)
    backbone = {key: value for key, value in (cfg.model.backbone if given else file.metadata['backbone']).items()
                if key != 'init_cfg'}  # as its pre-training had it, so that a config of that says the same
    said = dict(backbone=backbone, mean=student.mean.flatten().tolist(), std=student.std.flatten().tolist())
    return Eyes(f'the student {checkpoint}', student, student.maps, (student.image_size, student.image_size), said,
                state_digest(file.backbone))


def teacher_eyes(cfg: Config, config: str) -> Eyes:
    """The teacher of a config, which brings its weights.

    Raises:
        UserError: If there is none, or one without positions.
    """
    if 'teacher' not in (cfg.get('model') or {}):
        raise UserError(f'{config} has no model.teacher, whose weights would be taken: give the checkpoint of a '
                        'student, too, or the config of a pre-training')
    teacher: Teacher = MODELS.build(cfg.model.teacher)
    teacher.check_dense()
    teacher.set_input_statistics(torch.zeros(3), torch.full((3, ), 255.))  # of images from 0 to 1
    said = {key: value for key, value in cfg.model.teacher.items() if key in ('type', 'dense_stride', 'dense_mode')}
    return Eyes(f'the teacher of {config}', teacher, lambda images: [teacher.dense(images)],
                teacher.image_size or (SIDE, SIDE), said, teacher.fingerprint)
