"""A model of vision and language reads the words and regions that it was made for."""

from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner

from lgd_mm.datasets.regions.regions import BOX
from lgd_mm.datasets.vl.dataset import RegionTexts
from lgd_mm.errors import UserError
from lgd_mm.models.bare_model import bare_model
from lgd_mm.models.vl import DistillVLM, VisionLanguageModel
from lgd_mm.registry import HOOKS


@HOOKS.register_module()
class VLFitHook(Hook):
    """Compares data sets with the model before the first batch: numbers of words mean the same to both, regions have
    as many numbers as the model reads, and those of all splits are of one network.

    Raises:
        UserError: If not; names the keys.
    """

    priority = 'VERY_HIGH'

    def before_train(self, runner: Runner) -> None:
        """Look at the training set."""
        check_fit(bare_model(runner.model), runner.train_dataloader.dataset, 'train_dataloader.dataset')

    def before_val(self, runner: Runner) -> None:
        """Look at the validation set."""
        self._check(runner, 'val', runner.val_dataloader.dataset)

    def before_test(self, runner: Runner) -> None:
        """Look at the test set."""
        self._check(runner, 'test', runner.test_dataloader.dataset)

    def _check(self, runner: Runner, split: str, dataset: Any) -> None:
        model, key = bare_model(runner.model), f'{split}_dataloader.dataset'
        check_fit(model.student if isinstance(model, DistillVLM) else model, dataset, key)
        loader = getattr(runner._train_loop, 'dataloader', None)  # of what is only tested, a config or nothing
        trained = getattr(loader, 'dataset', None)
        if isinstance(trained, RegionTexts) and isinstance(dataset, RegionTexts):
            ours, theirs = (each.stores['regions'] for each in (trained, dataset))
            if ours.about['detector'] != theirs.about['detector']:
                raise UserError(f'{key}.regions, {theirs.folder}, are of another network than those of '
                                f'train_dataloader.dataset.regions, {ours.folder}: extract both with one config and '
                                'checkpoint')


def check_fit(model: Any, dataset: Any, key: str) -> None:
    """See that a model reads what a data set gives.

    Args:
        model (Any): What is neither of both may be anything.
        dataset (Any): A :class:`lgd_mm.datasets.vl.dataset.RegionTexts`.
        key (str): Of the data set in the config, for messages.

    Raises:
        UserError: If not.
    """
    if not isinstance(dataset, RegionTexts):
        return
    if isinstance(model, DistillVLM):
        if 'teacher_regions' not in dataset.stores:
            raise UserError(f'{key} has no teacher_regions, which model.teacher looks at: extract them with '
                            'tools/extract_regions.py --boxes, and name their folder')
        _check_one(model.student, dataset, key, 'model.student', 'regions')
        _check_one(model.teacher, dataset, key, 'model.teacher', 'teacher_regions')
    elif isinstance(model, VisionLanguageModel):
        _check_one(model, dataset, key, 'model', 'regions')


def _check_one(model: VisionLanguageModel, dataset: RegionTexts, key: str, name: str, regions: str) -> None:
    if dataset.vocabulary.words != model.pieces.words:
        raise UserError(f'{key}.vocabulary has other word pieces than {name}.vocabulary: give both the same file')
    answers = getattr(dataset, 'answers', None)
    names = getattr(model.task, 'names', None)
    if answers is not None and names is not None and list(answers) != names.lines:
        raise UserError(f'{key}.answers is another list than {name}.task.answers: give both the same file')
    width, wanted = dataset.stores[regions].about['width'] + BOX, model.transformer.region_width
    if width != wanted:
        raise UserError(f'{key}.{regions}, {dataset.stores[regions].folder}, has regions of {width} numbers with their '
                        f'boxes, and {name}.transformer.region_width is {wanted}: set it to {width}, or give the '
                        'regions of the network that it was trained with')
    words, places = dataset.lengths.text + dataset.lengths.tags, model.transformer.positions
    if words > places:
        raise UserError(f'{key}.lengths has {words} words and tags, and {name}.transformer.positions is {places}: give '
                        'shorter ones, or set positions')
