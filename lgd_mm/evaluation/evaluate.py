"""From a config and a student's file to the figures."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.registry import init_default_scope
from torch import Tensor

from lgd_mm.datasets.of_config import datasets_of
from lgd_mm.datasets.outliers import OUTLIER
from lgd_mm.engine import settings
from lgd_mm.engine.checks import preflight
from lgd_mm.engine.failures import user_errors
from lgd_mm.errors import UserError
from lgd_mm.evaluation import probe
from lgd_mm.evaluation.features import Features, features_of
from lgd_mm.evaluation.few_shot_accuracy import Shots, of_predictions
from lgd_mm.evaluation.predict import by_names, by_neighbours, familiarity
from lgd_mm.evaluation.report import Rate, Results
from lgd_mm.io.writable import check_work_dir
from lgd_mm.metrics.outliers import outlier_auroc
from lgd_mm.metrics.retrieval import retrieval_map
from lgd_mm.models.classifiers.few_shot import check_shots, classify, few_shot_weights
from lgd_mm.models.zero_shot import NO_PROJECTION, bank_of_names
from lgd_mm.own_data.check_class_folders import check_classes
from lgd_mm.registry import MODELS
from lgd_mm.students.network import Student
from lgd_mm.students.read import StudentFile, read_student_file

#: Published is 30 for a batch of 256, of features of full width.
RATES = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
EPOCHS = 100
#: Of few labels.
DRAWS = 5


def evaluate_features(config: str,
                      checkpoint: str,
                      work_dir: str | None = None,
                      lrs: Sequence[float] = RATES,
                      epochs: int = EPOCHS,
                      categories: str | list[str] | None = None,
                      cfg_options: Mapping[str, Any] | None = None,
                      shots: Sequence[int] = (),
                      draws: int = DRAWS,
                      backbone: Mapping[str, Any] | None = None) -> Results:
    """Evaluate a frozen student by k-NN, zero-shot, probes, few labels and retrieval, with one pass over the images.

    Args:
        config (str): Config for k-NN, linear probe or zero-shot classification; without training images only
            zero-shot and retrieval are done. Test images of the label -1 are outliers, see
            :class:`lgd_mm.metrics.OutlierAUROC`.
        checkpoint (str): Whatever ``--student`` takes; zero-shot needs a checkpoint of the pre-training.
        work_dir (str, optional): Keeps the features. Defaults to the config's own, else ``work_dirs/NAME``.
        lrs (Sequence[float]): Learning rates of the probe. Defaults to 0.1 to 100.
        epochs (int): Of the probe. Defaults to 100.
        categories (str | list[str], optional): Names for zero-shot, as of :func:`lgd_mm.language.category_names`.
            Defaults to ``model.categories``, or the classes that the config states for the test images.
        cfg_options (Mapping[str, Any], optional): Keys to overwrite in the config. Defaults to None.
        shots (Sequence[int]): Numbers of training images of each class that a logistic regression learns from, see
            :func:`lgd_mm.models.classifiers.logistic.fit_logistic`. Defaults to none.
        draws (int): Draws of these images, over which it means. Defaults to 5.
        backbone (Mapping[str, Any], optional): Config of a backbone in the place of the config's own. Defaults to None.

    Returns:
        Results: Percent.

    Raises:
        UserError: If the user's set-up has a mistake.
    """
    check_shots(shots, draws)
    if min(lrs) <= 0 or epochs < 1:
        given = ' '.join(map(str, lrs))
        raise UserError(f'--lrs {given} --epochs {epochs}: rates must be above 0, and epochs at least 1')
    cfg = settings.load_config(config, cfg_options, work_dir, 'none', backbone)
    return evaluate_student(cfg, read_student_file(checkpoint), lrs, epochs, categories, shots, draws)


def evaluate_student(cfg: Config, file: StudentFile, lrs: Sequence[float] = RATES, epochs: int = EPOCHS,
                     categories: str | list[str] | None = None, shots: Sequence[int] = (),
                     draws: int = DRAWS) -> Results:
    """As :func:`evaluate_features`, of what has been read.

    Args:
        cfg (Config): With ``work_dir``.
        file (StudentFile): The student.
        lrs (Sequence[float]): As above.
        epochs (int): As above.
        categories (str | list[str], optional): As above.
        shots (Sequence[int]): As above.
        draws (int): As above.

    Returns:
        Results: Percent.

    Raises:
        UserError: If the user's set-up has a mistake.
    """
    test = 'test' if cfg.get('test_dataloader') else 'val'
    _check_config(cfg, test)
    init_default_scope(cfg.get('default_scope', 'mmengine'))
    bank = _textual_bank(cfg, test, file, categories)
    if bank is None and not cfg.get('train_dataloader'):
        raise UserError(f'config {cfg.filename} has no train_dataloader: k-NN and linear probe need labelled training '
                        'images, so take a config such as configs/classification/linear_r18_folder.py')

    with user_errors(cfg, when_disk_is_full=''):
        student = Student(file, cfg)
    every = _features(cfg, test, test, file, student)
    outlier = every.labels == OUTLIER
    if outlier.all():
        raise UserError(f'all {len(outlier)} images of {test}_dataloader are outliers (label {OUTLIER}): give it a '
                        'ConcatDataset of test images and of these')
    tested, outliers = every.of(~outlier), every.of(outlier)
    results = Results()
    if int(tested.labels.bincount().max()) > 1:
        results.retrieval = 100 * retrieval_map(tested.pooled, tested.labels)
    if bank is not None:
        results.zero_shot, results.names = _top1(by_names(tested, bank), tested), len(bank)
    if cfg.get('train_dataloader'):
        train = _features(cfg, 'train', test, file, student)
        results.k, results.temperature = cfg.model.get('k', 20), cfg.model.get('temperature', 0.07)
        results.knn = _top1(by_neighbours(train, tested, results.k, results.temperature), tested)
        if len(outliers.labels):
            known, others = (familiarity(train, part, results.k) for part in (tested, outliers))
            results.outliers = 100 * outlier_auroc(known, others)
        seed = (cfg.get('randomness') or {}).get('seed') or 0
        results.rates = _sweep(train, tested, lrs, epochs, seed)
        results.few_shot = _few_shot(train, tested, shots, draws)
    return results


def _check_config(cfg: Config, test: str) -> None:
    if not cfg.get(f'{test}_dataloader') or 'backbone' not in (cfg.get('model') or {}):
        raise UserError(f'{cfg.filename} has no test_dataloader or no model.backbone: give a config for k-NN, linear '
                        'probe or zero-shot classification (configs/classification)')
    if any(str(node.get('type')).endswith('CorruptedImages') for _, node in datasets_of(cfg, test)):
        raise UserError(f'{cfg.filename} tests clean and corrupted images, whose figures are told apart by '
                        'tools/test.py alone: give the config without corruptions')
    preflight.check_data(cfg, 'train', test)
    check_classes(cfg, 'train', test)
    check_work_dir(cfg.work_dir)


def _features(cfg: Config, split: str, test: str, file: StudentFile, student: Student) -> Features:
    """Features of a split, loaded as the test images are."""
    pipeline = next(node['pipeline'] for _, node in datasets_of(cfg, test) if 'pipeline' in node)
    for _, node in datasets_of(cfg, split):
        if 'pipeline' in node and split != test:
            node['pipeline'] = pipeline  # type: ignore[index]
    loader = {**cfg[f'{test}_dataloader'], 'dataset': cfg[f'{split}_dataloader'].dataset}
    with user_errors(cfg, when_disk_is_full=''):
        return features_of(cfg, split, loader, file, student)


def _textual_bank(cfg: Config, test: str, file: StudentFile, categories: str | list[str] | None) -> Tensor | None:
    """The bank of the names (C, D); None without names, or for a student that imitates no embeddings of a CLIP."""
    if categories and not file.neck:
        raise UserError(f'--categories: {file.path} {NO_PROJECTION}')
    stated = [(node.get('metainfo') or {}).get('classes') for _, node in datasets_of(cfg, test)]
    names = categories or cfg.model.get('categories') or next(filter(None, stated), None)
    teacher = cfg.model.get('teacher') or {}
    if 'type' not in teacher:
        teacher = {**(file.teacher_config if names and file.neck else {}), **teacher}
    if not names or not file.neck or not hasattr(MODELS.get(teacher['type']), 'encode_text'):
        return None
    return bank_of_names(MODELS.build(teacher), names, cfg.model.get('templates'))


def _sweep(train: Features, tested: Features, lrs: Sequence[float], epochs: int, seed: int) -> list[Rate]:
    held = probe.hold_out(train.labels, seed)
    features, labels = train.pooled.to(get_device()), train.labels.to(get_device())
    probes = probe.train_probes(features[~held], labels[~held], int(labels.max()) + 1, lrs, epochs, seed)
    chosen_by = probe.top1(probes, features[held], labels[held]).tolist()
    reported = probe.top1(probes, tested.pooled.to(get_device()), tested.labels.to(get_device())).tolist()
    return [Rate(*figures) for figures in zip(lrs, chosen_by, reported)]


def _few_shot(train: Features, tested: Features, shots: Sequence[int], draws: int) -> list[Shots]:
    if not shots:
        return []
    device = get_device()
    weights = few_shot_weights(train.pooled.to(device), train.labels.to(device), shots, draws, train.classes)
    predicted = [classify(weights, part.to(device)).cpu() for part in tested.pooled.split(probe.CHUNK)]
    return of_predictions(shots, torch.cat(predicted), tested.labels)


def _top1(predicted: Tensor, tested: Features) -> float:
    return 100 * (predicted == tested.labels).float().mean().item()
