"""What the file of a model of vision and language says of it: data of known names, types and sizes, and nothing else.

torch is not imported: a command looks at this first.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from lgd_mm.errors import DataError, UserError
from lgd_mm.io.texts import parse_json
from lgd_mm.io.typed_json import from_json

#: What a file says that it holds, see :func:`lgd_mm.models.vl.weights.write_model`.
KIND = 'lgd_mm.VisionLanguageModel'
CURE = 'give a student.safetensors or a checkpoint of a run of configs/distillvlm as it was written'
CAPTIONS, ANSWERS, PRETRAINING = 'lgd_mm.VLCaptioning', 'lgd_mm.VLAnswering', 'lgd_mm.VLPretraining'
#: Largest sizes of a transformer, of a sequence and of what a detector gives.
SIZES = dict(region_width=2**16 + 6, width=2**14, depth=256, heads=256, positions=2**16)
LONGEST, BEAMS, REGIONS, TAGS, TAG = 4096, 256, 4096, 2**15, 1000


@dataclass(frozen=True)
class Transformer:
    """Arguments of :class:`lgd_mm.models.vl.transformer.VLTransformer`."""

    region_width: int
    width: int = 384
    depth: int = 12
    heads: int = 12
    positions: int = 512
    dropout: float = 0.1
    init_std: float = 0.02

    def __post_init__(self) -> None:
        for name, largest in SIZES.items():
            _check_size(name, getattr(self, name), largest)
        if self.width % self.heads:
            raise ValueError(f'heads is {self.heads}, which does not divide width, {self.width}')
        if not 0 <= self.dropout < 1:
            raise ValueError(f'dropout is {self.dropout}, and must be from 0 to 1')


@dataclass(frozen=True)
class Task:
    """What a model is trained for, with the arguments of all tasks."""

    type: Literal['lgd_mm.VLCaptioning', 'lgd_mm.VLAnswering', 'lgd_mm.VLPretraining']
    longest: int = 20
    beams: int = 1
    label_smoothing: float = 0.1
    answers: str | list[str] = ''
    dropout: float = 0.3
    seq2seq: bool = False

    def __post_init__(self) -> None:
        _check_size('longest', self.longest, LONGEST)
        _check_size('beams', self.beams, BEAMS)

    @property
    def does(self) -> str:
        """In words."""
        return {CAPTIONS: 'writes captions', ANSWERS: 'answers questions'}.get(self.type, 'was pre-trained alone')


@dataclass(frozen=True)
class Model:
    """Arguments of :class:`lgd_mm.VisionLanguageModel`; files that it began with, and was trained by, are not read."""

    type: Literal['lgd_mm.VisionLanguageModel']
    transformer: Transformer
    task: Task
    vocabulary: str | list[str] = ''
    bert: str | None = None
    weights: str | None = None


@dataclass(frozen=True)
class Network:
    """Digests of the network that saw the regions."""

    config: str
    weights: str


@dataclass(frozen=True)
class Seen:
    """Of the regions that a model was trained on, as :class:`lgd_mm.datasets.regions.RegionStore` says it.

    Attributes:
        detector (Network): The detector; with a ``grid``, the network with the maps.
        tags (list[str]): Names of its classes.
        width (int): Of a feature.
        most (int): Regions of an image.
        grid (int, optional): Cells of a row and of a column.
        boxes (str, optional): Whose boxes they are, if not the detector's own.
        with_map (bool): Whether features have the mean of the region's map.
    """

    detector: Network
    tags: list[str]
    width: int
    most: int
    grid: int | None
    boxes: str | None
    with_map: bool = False

    def __post_init__(self) -> None:
        _check_size('width', self.width, SIZES['region_width'])
        _check_size('most', self.most, REGIONS)
        if self.grid is not None and self.grid**2 != self.most:
            raise ValueError(f'grid is {self.grid}, and most {self.most}')
        if len(self.tags) > TAGS or any(len(name) > TAG for name in self.tags):
            raise ValueError(f'tags has more than {TAGS:,} names, or one of more than {TAG:,} characters')


@dataclass(frozen=True)
class TrainedOn:
    """What a model reads.

    Attributes:
        lengths (list[int]): Of text, tags and regions, in tokens.
        regions (Seen): What the regions are.
    """

    lengths: list[int]
    regions: Seen

    def __post_init__(self) -> None:
        least = (2, 0, 1)
        if len(self.lengths) != 3 or not all(low <= each <= LONGEST for low, each in zip(least, self.lengths)):
            raise ValueError(f'lengths is {str(self.lengths)[:60]}, and must be three whole numbers, of at least '
                             f'{", ".join(map(str, least))} and at most {LONGEST}')


@dataclass(frozen=True)
class About:
    """All of it.

    Attributes:
        model (Model): What is to be built.
        trained_on (TrainedOn, optional): None of a file that says nothing of its data.
    """

    model: Model
    trained_on: TrainedOn | None = None

    def __post_init__(self) -> None:
        if self.trained_on is None:
            return
        transformer, (text, tags, _) = self.model.transformer, self.trained_on.lengths
        if transformer.region_width != self.trained_on.regions.width + 6:
            raise ValueError(f'has a transformer for regions of {transformer.region_width} numbers, and was trained on '
                             f'features of {self.trained_on.regions.width} with 6 of the box')
        if text + tags > transformer.positions:
            raise ValueError(f'has {transformer.positions} positions, and texts and tags of {text + tags}')

    def check_task(self, wanted: str, path: object) -> None:
        """See that a model does what is asked.

        Args:
            wanted (str): :data:`CAPTIONS` or :data:`ANSWERS`.
            path (object): Its file, for messages.

        Raises:
            UserError: If it does something else.
        """
        task = self.model.task
        if task.type == wanted:
            return
        what, data = (('writes no captions', 'captions') if wanted == CAPTIONS else
                      ('answers no questions', 'questions'))
        other = {CAPTIONS: 'ask it by `lgd-mm caption`', ANSWERS: 'ask it by `lgd-mm ask`'}.get(
            task.type, 'fine-tune it by a config such as configs/distillvlm/distill-vlm_'
            f'{"caption_coco" if wanted == CAPTIONS else "vqa_vqav2"}.py')
        raise UserError(f'{path} {task.does}, and {what}: {other}, or give a student that was trained on {data}')


def about_of(model: Any, trained_on: Any, path: object) -> About:
    """What a file says, once it is known to be of this kind.

    Args:
        model (Any): The config of the model, as it was read.
        trained_on (Any): What its data set says, or None.
        path (object): The file, for messages.

    Raises:
        UserError: If a key is not known, or a value of another type or size.
    """
    return from_json(About, dict(model=model, trained_on=trained_on or None), str(path), CURE, exact=True)


def about_of_metadata(metadata: Mapping[str, str], path: object) -> About:
    """The same of the metadata of a safetensors file.

    Raises:
        UserError: If it is of another kind, or as of :func:`about_of`.
    """
    if metadata.get('kind') != KIND:
        raise UserError(f'{path} holds no model of vision and language: {CURE}')
    if 'model' not in metadata:
        raise DataError(f'{path} does not say which model it holds: {CURE}')
    model, data = (parse_json(metadata[key], f'{key} in the metadata of {path}') if key in metadata else None
                   for key in ('model', 'trained_on'))
    return about_of(model, data, path)


def as_json(about: About) -> dict[str, str]:
    """The same as metadata: what is built, without names of files of the machine that it was trained on."""
    said = asdict(about)
    said['model'] |= dict(vocabulary='vocab.txt', bert=None, weights=None)
    if said['model']['task']['type'] == ANSWERS:
        said['model']['task']['answers'] = 'answers.txt'
    return {key: json.dumps(value) for key, value in said.items()}


def _check_size(name: str, value: int, largest: int) -> None:
    if type(value) is not int or not 0 < value <= largest:
        raise ValueError(f'{name} is {str(value)[:40]}, and must be a whole number from 1 to {largest:,}')
