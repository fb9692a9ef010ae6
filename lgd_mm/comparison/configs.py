"""The configs of a comparison: pre-trainings by each method, and tasks on the user's sets."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmengine.config import Config

from lgd_mm.api.configs import ready_config
from lgd_mm.api.finetuning import TASKS, settle, use_data
from lgd_mm.api.images import images_in
from lgd_mm.api.methods import COMPARED
from lgd_mm.api.pretraining import pretraining_config
from lgd_mm.api.small_sets import SMALL, dataset_of, longer_side
from lgd_mm.api.teachers import SHAPES, about_shapes, teacher_model
from lgd_mm.api.values import AUTO
from lgd_mm.comparison.request import Request
from lgd_mm.console.rank_zero import print_rank0
from lgd_mm.datasets.of_config import innermost
from lgd_mm.errors import UserError
from lgd_mm.language import category_names

#: Task -> its ready config. Semantic FPN, and not UPerNet, which spends nearly all its time in its own head.
READY = dict(detection=TASKS['detection'], segmentation='ade20k/sem-fpn_r18_160k_ade20k-512x512.py',
             classification=TASKS['linear-probe'])
#: What is measured: the first figure decides.
METRICS: dict[str, dict[str, Any]] = dict(
    detection={'coco/bbox_mAP': dict(title='box AP', scale=100), 'coco/bbox_mAP_50': dict(title='box AP50', scale=100)},
    segmentation={'mIoU': 'mIoU'}, classification={'accuracy/top1': 'linear top-1'})
LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')


@dataclass(frozen=True)
class TaskSet:
    """A set of the user's, in the config of its task.

    Attributes:
        cfg (Config): With the data and every class.
        train (int): Images.
        trained (int): Those that it is trained with: detectors leave out images without objects.
        longer (int, optional): Median of their longer sides in pixels, of a small set of detection or
            segmentation.
        tested (tuple[str, ...]): Paths of the images that it is tested on.
    """

    cfg: Config
    train: int
    trained: int
    longer: int | None
    tested: tuple[str, ...]

    @property
    def test(self) -> int:
        """Images that it is tested on."""
        return len(self.tested)


class Configs:
    """Makes the configs of a comparison.

    Args:
        request (Request): What was asked for.

    Attributes:
        images (int): Unlabelled.
        sets (dict[str, TaskSet]): By task.

    Raises:
        UserError: If images, names, teacher or a set cannot be used.
    """

    def __init__(self, request: Request) -> None:
        self.request = request
        self.teacher = teacher_model(request.teacher)
        names = category_names(request.classes)
        if len(names) < 2:
            raise UserError(f'classes is one name, {names[0]!r}, which leaves nothing to tell apart: give at least two')
        if request.teacher == SHAPES:
            print_rank0(about_shapes(names))
        self.images = len(images_in(request.images))
        self.sets = {task: self._set(task, data) for task, data in request.data.items()}

    @staticmethod
    def _set(task: str, data: str) -> TaskSet:
        cfg = Config.fromfile(ready_config(READY[task]))
        train = use_data(cfg, task, data)
        tested = dataset_of(cfg, 'val_dataloader')
        paths = tuple(tested.get_data_info(index)['img_path'] for index in range(len(tested)))
        trained = dataset_of(cfg, 'train_dataloader')
        small = train < SMALL and cfg.default_scope != 'mmpretrain'
        return TaskSet(cfg, train, len(trained), longer_side(cfg, trained) if small else None, paths)

    def pretraining(self, method: str, student: str, epochs: int | str = AUTO) -> Config:
        """The pre-training of a student by a method.

        Args:
            method (str): One with a recipe.
            student (str): Its name.
            epochs (int | str): Defaults to ``'auto'``: the published, see :class:`lgd_mm.api.auto.Settings`.

        Returns:
            Config: With everything that was settled.

        Raises:
            UserError: If the student does not do it.
        """
        chosen = COMPARED[method]
        assert chosen.recipe is not None
        try:
            cfg = pretraining_config(self.request.images, self.images, self.request.classes, student, self.teacher,
                                     chosen.recipe, dict(epochs=epochs))
        except UserError as error:
            raise UserError(f'{method} of {student}: {error}') from error
        if chosen.model:
            model: dict[str, Any] = {part: cfg.model[part] for part in ('backbone', 'neck', 'teacher')}
            model.update(chosen.model)
            if 'queue_length' in model:  # an image is not to meet itself twice
                model['queue_length'] = min(model['queue_length'], 1 << (self.images.bit_length() - 1))
            cfg.model = model
        return cfg

    def task(self, name: str, side: int | None = None, epochs: int | str = AUTO) -> Config:
        """The config of a task; what reads it with ``--data`` gives it the set.

        Args:
            name (str): Of the task.
            side (int, optional): Longer side of the images, in pixels. Defaults to None: what fits the set.
            epochs (int | str): Defaults to ``'auto'``.

        Returns:
            Config: With everything that was settled.
        """
        found = self.sets[name]
        cfg = copy.deepcopy(found.cfg)
        given = dict.fromkeys(('batch_size', 'lr', 'amp', 'workers'), AUTO)
        settle(cfg, {**given, 'epochs': epochs, 'image_size': side or AUTO}, found.train, longer=found.longer)
        loop = cfg.train_cfg
        loop.val_interval = loop.get('max_epochs') or loop.max_iters  # the last weights are compared
        saving = cfg.default_hooks.checkpoint
        saving.interval, saving.max_keep_ckpts = max(1, -(-loop.val_interval // 4)), 1
        _take_out(cfg, Config.fromfile(ready_config(READY[name])))
        return cfg


def settled(cfg: Config, name: str) -> Any:
    """The value of a setting of a config, of which ``auto`` has the reason, too."""
    return cfg.auto[name]['value']


def _take_out(cfg: Config, ready: Config) -> None:
    """Put the data of a ready config in the place of a user's, which ``--data`` brings, and so its content counts and
    not its place."""
    for loader in LOADERS:
        pipeline = innermost(cfg[loader].dataset).pipeline
        cfg[loader].dataset = ready[loader].dataset
        innermost(cfg[loader].dataset).pipeline = pipeline
    for part in ('val_evaluator', 'test_evaluator'):
        cfg[part] = ready[part]


def steps(cfg: Config, images: int) -> int:
    """Batches of a pass.

    Args:
        cfg (Config): Of a training.
        images (int): Of its set.
    """
    loader: Mapping[str, Any] = cfg.train_dataloader
    size = loader['batch_size']
    return max(1, images // size if loader.get('drop_last') else -(-images // size))


def file_name(*parts: str) -> str:
    """Of a config: ``dense_resnet18.py``."""
    return '_'.join(part.replace('/', '-').replace(':', '-') for part in parts) + '.py'


def config_folder(folder: Path) -> Path:
    """Where the configs of a suite lie; it is made."""
    place = folder / 'configs'
    place.mkdir(parents=True, exist_ok=True)
    return place
