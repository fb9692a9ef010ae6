"""A student's file, read once: whatever ``--student`` takes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from torch import Tensor

from lgd_mm.errors import UserError
from lgd_mm.io.networks import find_network
from lgd_mm.io.safe_load import load_checkpoint_file
from lgd_mm.language import Vocabulary
from lgd_mm.models.zero_shot import OWN_SPACE
from lgd_mm.safety.allow_list import checked
from lgd_mm.safety.config_text import parse_config
from lgd_mm.students.file import FPN, NECK, PREFIX, TEXTUAL_BANK, VOCABULARY, metadata_of
from lgd_mm.students.left_out import left_out

#: Side of the largest images that any student takes, in pixels.
LARGEST_VIEW = 4096
#: The largest mean or standard deviation, of values from 0 to 255; a number that is none is not less, either.
LARGEST_STATISTIC = 1e6


class StudentFile(NamedTuple):
    """What a file holds of a student.

    Attributes:
        path (str): The file.
        found (str): Where in the file its network is, and what was taken off the keys; empty if all is as usual.
        prefix (str): What the keys of the backbone begin with in the file: ``'backbone.'``, or nothing in the weights
            of a supervised network of timm or torchvision.
        backbone (dict[str, Tensor]): Weights, without prefix.
        neck (dict[str, Tensor]): Weights of the projection to a teacher's embeddings; empty if there is none.
        pyramid (dict[str, Tensor]): Weights of mmdet's FPN that was pre-trained with the backbone; empty if there is
            none.
        metadata (dict[str, Any]): As of :func:`lgd_mm.students.file.student_metadata`, as far as the file knows it and
            as it has it: what is to be built is taken from the properties, which check it.
        config (dict[str, Any]): Of the pre-training, likewise; empty if it is not recorded.
        names (tuple[str, ...]): Of the C categories of an LGD pre-training; empty if they are not recorded.
        bank (Tensor, optional): The teacher's embeddings of the names (C, D).
        left_out (str, optional): What a fine-tuned network has beside its backbone, as a sentence.
    """

    path: str
    found: str
    prefix: str
    backbone: dict[str, Tensor]
    neck: dict[str, Tensor]
    pyramid: dict[str, Tensor]
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
        """The config of the backbone, checked, and with the library in its type.

        Raises:
            UserError: If it is not recorded, or names what no file may build.
        """
        backbone = self.metadata.get('backbone')
        if not backbone:
            raise UserError(f'{self.path} does not say of which backbone it is: give a student exported by lgd_mm, or '
                            'a checkpoint of lgd_mm or OpenMMLab')
        if isinstance(backbone, Mapping) and '.' not in str(backbone.get('type', '.')):
            scope = self.config.get('default_scope')
            scope = scope if scope in ('mmdet', 'mmseg') else 'mmpretrain'
            backbone = {**backbone, 'type': f'{scope}.{backbone["type"]}'}
        return checked(backbone, 'backbone', self.path, 'backbone')

    @property
    def pyramid_config(self) -> dict[str, Any]:
        """The config of the FPN that :attr:`pyramid` is of, checked.

        Raises:
            UserError: If it is another neck, or names what no file may build.
        """
        neck = checked(self.metadata.get('neck'), 'neck', self.path, 'neck', 'mmdet')
        if neck['type'] != 'mmdet.FPN':
            raise UserError(f'{self.path}: neck.type is {neck["type"]!r}, and a student brings none but mmdet.FPN: the '
                            'file is damaged or of another program')
        return neck

    @property
    def teacher_config(self) -> dict[str, Any]:
        """The config of the teacher of the pre-training, checked; empty if it is not recorded.

        Raises:
            UserError: If it names what no file may build.
        """
        teacher = self.model.get('teacher')
        return checked(teacher, 'teacher', self.path, 'model.teacher', 'lgd_mm') if teacher else {}

    def check_backbone(self) -> None:
        """See that there is a backbone among the keys, for what takes no weights of another library.

        Raises:
            UserError: If no key begins as a backbone's.
        """
        if not self.prefix:
            found = ', '.join(list(self.backbone)[:3]) or 'nothing'
            raise UserError(f'{self.path} holds no backbone: its keys ({found}, ...) do not begin with {PREFIX!r}: '
                            'give an exported student or a checkpoint of lgd_mm or mmpretrain')


def read_student_file(path: str | Path) -> StudentFile:
    """Read an exported student, a checkpoint of a pre-training, any with ``backbone.`` keys, or weights without.

    Args:
        path (str | Path): A ``.safetensors`` or ``.pth`` file.

    Returns:
        StudentFile: With the projection of a pre-training.

    Raises:
        UserError: If the file is missing, damaged or unsafe.
    """
    checkpoint = load_checkpoint_file(path)
    network = find_network(checkpoint, path)
    state = {key: value for key, value in network.state.items() if isinstance(value, Tensor)}
    try:
        config = parse_config((checkpoint.get('meta') or {}).get('cfg') or '')
        metadata = metadata_of(checkpoint, config, state)
        distilled = 'teacher' in (config.get('model') or {})
        exported = 'neck' in metadata and not distilled  # beside its backbone it has that neck alone
        rest = None if exported else left_out(state, config, path)
    except (AttributeError, TypeError) as error:  # a list where a config has a dict
        raise UserError(f'{path} is no checkpoint of a model, by the config in it (meta.cfg): name a file saved by '
                        'training') from error
    own_space = any(key.startswith(OWN_SPACE) for key in state)
    prefix = PREFIX if any(key.startswith(PREFIX) for key in state) else ''
    return StudentFile(
        path=str(path),
        found=str(network),
        prefix=prefix,
        backbone=_below(prefix, state),
        neck=_below(NECK, state) if distilled and not own_space else {},
        pyramid=_below(FPN, state) if distilled else _below(NECK, state) if exported else {},
        metadata=metadata,
        config=config,
        names=Vocabulary.from_tensor(state[VOCABULARY]).categories if VOCABULARY in state else (),
        bank=state.get(TEXTUAL_BANK),
        left_out=rest)


def read_student(path: str | Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read a backbone from an exported student, an LGD checkpoint or any checkpoint with ``backbone.`` keys.

    Args:
        path (str | Path): A ``.safetensors`` or ``.pth`` file.

    Returns:
        tuple[dict[str, Tensor], dict[str, Any]]: Weights without the prefix, and the metadata of
        :func:`lgd_mm.students.file.student_metadata` as far as the file knows it.

    Raises:
        UserError: If the file is missing, damaged, unsafe, or holds no ``backbone.`` keys.
    """
    file = read_student_file(path)
    file.check_backbone()
    return file.backbone, file.metadata


def _below(prefix: str, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
