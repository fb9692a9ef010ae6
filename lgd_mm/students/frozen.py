"""The frozen student of a file: backbone, and where its pre-training left one, the projection."""

from pathlib import Path
from typing import Any, NamedTuple

from mmengine.config import Config
from mmengine.model import BaseModel
from torch import Tensor, nn

from lgd_mm.errors import UserError
from lgd_mm.io.key_report import KeyReport
from lgd_mm.io.networks import find_network
from lgd_mm.io.safe_load import load_checkpoint_file
from lgd_mm.language import Vocabulary
from lgd_mm.models.distiller import IMAGENET_PREPROCESSOR
from lgd_mm.models.features import mean_pool
from lgd_mm.models.necks.projection import projection_of
from lgd_mm.models.zero_shot import OWN_SPACE
from lgd_mm.safety.allow_list import checked
from lgd_mm.safety.bounded_build import bounded_build
from lgd_mm.safety.config_text import parse_config
from lgd_mm.students.backbone import build_backbone
from lgd_mm.students.file import VOCABULARY, weights_of
from lgd_mm.students.left_out import left_out
from lgd_mm.students.plug import compare_statistics, misfit
from lgd_mm.version import __version__

#: Side of the largest images that any student takes, in pixels.
LARGEST_VIEW = 4096
#: The largest mean or standard deviation, of values from 0 to 255; a number that is none is not less, either.
LARGEST_STATISTIC = 1e6

NECK, TEXTUAL_BANK = 'neck.', 'lgka.textual_bank'


class StudentFile(NamedTuple):
    """What a file holds of a student.

    Attributes:
        path (str): The file.
        backbone (dict[str, Tensor]): Weights, without prefix.
        neck (dict[str, Tensor]): Weights of the projection to a teacher's embeddings; empty if there is none.
        metadata (dict[str, Any]): As of :func:`lgd_mm.students.file.read_student`, as the file has it: what is to
            be built is taken from the properties, which check it.
        config (dict[str, Any]): Of the pre-training, likewise; empty if it is not recorded.
        names (tuple[str, ...]): Of the C categories of an LGD pre-training; empty if they are not recorded.
        bank (Tensor, optional): The teacher's embeddings of the names (C, D).
        left_out (str, optional): What a fine-tuned network has beside its backbone, as a sentence.
    """

    path: str
    backbone: dict[str, Tensor]
    neck: dict[str, Tensor]
    metadata: dict[str, Any]
    config: dict[str, Any]
    names: tuple[str, ...]
    bank: Tensor | None
    left_out: str | None

    @property
    def model(self) -> dict[str, Any]:
        """The model's config in the pre-training; empty if it is not recorded."""
        return self.config.get('model') or {}

    @property
    def image_size(self) -> int:
        """Side of the views it was trained with, in pixels; 224 if it is not recorded.

        Raises:
            UserError: If it is no number of pixels.
        """
        size = self.metadata.get('image_size') or 224
        if not isinstance(size, int) or not 0 < size <= LARGEST_VIEW:
            raise UserError(f'{self.path}: image_size is no number of pixels: the file is damaged or of another '
                            'program')
        return size

    @property
    def statistics(self) -> dict[str, list[float]]:
        """Those of ``mean`` and ``std`` that are recorded.

        Raises:
            UserError: If one is not three numbers.
        """
        found = {key: self.metadata[key] for key in ('mean', 'std') if self.metadata.get(key)}
        for key, values in found.items():
            if not (isinstance(values, (list, tuple)) and len(values) == 3 and all(
                    isinstance(value, (int, float)) and abs(value) <= LARGEST_STATISTIC for value in values)):
                raise UserError(f'{self.path}: {key} is not three numbers: the file is damaged or of another program')
        return found

    @property
    def backbone_config(self) -> dict[str, Any]:
        """The config of the backbone, checked; without its own, mmpretrain's scope is meant.

        Raises:
            UserError: If it is not recorded, or names what no file may build.
        """
        if not self.metadata.get('backbone'):
            raise UserError(f'{self.path} does not say of which backbone it is: give a student exported by lgd_mm, or '
                            'a checkpoint of lgd_mm or OpenMMLab')
        return checked(self.metadata['backbone'], 'backbone', self.path, 'backbone')

    @property
    def teacher_config(self) -> dict[str, Any]:
        """The config of the teacher of the pre-training, checked; empty if it is not recorded.

        Raises:
            UserError: If it names what no file may build.
        """
        teacher = self.model.get('teacher')
        return checked(teacher, 'teacher', self.path, 'model.teacher', 'lgd_mm') if teacher else {}


def read_student_file(path: str | Path) -> StudentFile:
    """Read whatever ``--student`` takes, with the projection of a checkpoint of a pre-training.

    Raises:
        UserError: If the file is missing, damaged or unsafe.
    """
    checkpoint = load_checkpoint_file(path)
    backbone, metadata, _ = weights_of(checkpoint, path)
    state = find_network(checkpoint, path).state
    config = parse_config((checkpoint.get('meta') or {}).get('cfg') or '')
    neck = {key.removeprefix(NECK): value for key, value in state.items() if key.startswith(NECK)}
    if 'teacher' not in (config.get('model') or {}) or any(key.startswith(OWN_SPACE) for key in state):
        neck = {}  # it projects into a space of its own
    names = Vocabulary.from_tensor(state[VOCABULARY]).categories if VOCABULARY in state else ()
    return StudentFile(str(path), backbone, neck, metadata, config, names, state.get(TEXTUAL_BANK),
                       left_out(checkpoint, path))


def preprocessor_of(cfg: Config) -> dict[str, Any]:
    """The config of a classifier's data preprocessor, as mmengine's runner and the classifiers settle it."""
    return {**IMAGENET_PREPROCESSOR, **(cfg.model.get('data_preprocessor') or cfg.get('data_preprocessor') or {})}


class FrozenStudent(BaseModel):
    """Backbone and projection in eval mode.

    Args:
        cfg (Config): Its ``model.backbone`` is the student's.
        file (StudentFile): The weights.

    Raises:
        UserError: If the file does not fill the backbone.
    """

    def __init__(self, cfg: Config, file: StudentFile) -> None:
        super().__init__(preprocessor_of(cfg))
        with bounded_build(file.backbone.values(), file.path):
            self.backbone = build_backbone(cfg)
        report = KeyReport.compare(self.backbone.state_dict(), file.backbone)
        if not report.complete:
            raise UserError(misfit(cfg, file.path, file.metadata, report))
        compare_statistics(cfg, file.metadata, file.path)
        self.backbone.load_state_dict(file.backbone, strict=False)
        self.neck = None
        if file.neck:
            self.neck = _projection(file)
        self.eval()

    def forward(self, inputs: Tensor, data_samples: Any = None, mode: str = 'tensor') -> tuple[Tensor, Tensor | None]:
        """Pooled features (B, d) of normalised images (B, 3, H, W), and embeddings (B, D) if there is a projection."""
        features = self.backbone(inputs)
        return mean_pool(features[-1]), None if self.neck is None else self.neck(features)


def _projection(file: StudentFile) -> nn.Module:
    """The projection of a file, with its weights."""
    config = checked(file.model.get('neck'), 'neck', file.path, 'model.neck', 'lgd_mm')
    try:
        with bounded_build(file.neck.values(), file.path):
            neck = projection_of(config, file.neck)
        neck.load_state_dict(file.neck)
    except (KeyError, TypeError, IndexError, RuntimeError) as error:
        reason = (str(error).strip().splitlines() or [''])[-1].strip()
        raise UserError(f'{file.path} has a projection (neck.*) that cannot be built ({reason}): it is of another '
                        f'version than lgd_mm {__version__}; use it with the version that trained it') from error
    return neck
