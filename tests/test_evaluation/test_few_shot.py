"""Few labels: by the features, by the model of a config, and by another solver, the same figures."""

import re
import statistics

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner
from rich.console import Console

from lgd_mm.datasets.draws import draw_of_each_class
from lgd_mm.errors import UserError
from lgd_mm.evaluation import evaluate_features
from lgd_mm.evaluation.evaluate import _features
from lgd_mm.evaluation.few_shot_accuracy import FewShotAccuracy, Shots, of_predictions
from lgd_mm.evaluation.report import results_table
from lgd_mm.models.classifiers.logistic import PENALTY, unit
from lgd_mm.registry import MODELS
from lgd_mm.students.network import Student
from lgd_mm.students.read import read_student_file
from tests.test_evaluation.conftest import CLASSES
from tests.test_models.test_logistic import by_scipy

QUICK = dict(lrs=[1.0], epochs=1)
SHOTS, DRAWS = (1, 3, 8), 3


@pytest.fixture(scope='module')
def results(config, checkpoint, tmp_path_factory):
    return evaluate_features(config, checkpoint, str(tmp_path_factory.mktemp('run')), **QUICK, shots=SHOTS, draws=DRAWS)


def test_by_hand(config, checkpoint, tmp_path, results):
    """scipy's minimum of the same objective, on images drawn by the list of labels."""
    cfg, file = Config.fromfile(config), read_student_file(checkpoint)
    cfg.work_dir = str(tmp_path)
    student = Student(file, cfg)
    train, tested = (_features(cfg, split, 'test', file, student) for split in ('train', 'test'))
    for of_one in results.few_shot:
        for draw, figure in enumerate(of_one.top1):
            places = draw_of_each_class(train.labels.tolist(), of_one.shots, draw)
            weight = by_scipy(unit(train.pooled[places]), train.labels[places], 4, PENALTY)
            predicted = (unit(tested.pooled).numpy() @ weight.T).argmax(1)
            assert figure == pytest.approx(100 * np.mean(predicted == tested.labels.numpy()))
    assert [(of_one.shots, len(of_one.top1)) for of_one in results.few_shot] == [(1, 3), (3, 3), (8, 3)]
    assert results.few_shot[-1].mean > results.few_shot[0].mean > 25


@torch.no_grad()
def test_the_model_says_the_same(config, lgd, results):
    """In any order of the images, some of them twice: what counts is their place in the data set."""
    cfg = Config.fromfile(config)
    model = MODELS.build(dict(type='lgd_mm.FewShotProbe', backbone=cfg.model.backbone, num_classes=4, shots=SHOTS,
                              draws=DRAWS)).train()
    model.backbone.load_state_dict(lgd.backbone.state_dict())
    dataset = dict(cfg.train_dataloader.dataset, pipeline=cfg.test_dataloader.dataset.pipeline)
    loader = Runner.build_dataloader(dict(cfg.train_dataloader, dataset=dataset))
    for batch in [*loader, next(iter(loader))]:
        assert model(**model.data_preprocessor(batch), mode='loss') == {}
    metric = FewShotAccuracy()
    model.eval()
    for batch in Runner.build_dataloader(cfg.test_dataloader):
        samples = model(**model.data_preprocessor(batch), mode='predict')
        metric.process(batch, [sample.to_dict() for sample in samples])
    figures = metric.evaluate(20)
    expected = {f'few-shot/top1_{each.shots}': each.mean for each in results.few_shot}
    expected |= {f'few-shot/std_{each.shots}': each.std for each in results.few_shot}
    assert figures == pytest.approx(expected)


def test_counted_by_hand():
    """Two draws of one number: 50 and 75 percent of four images."""
    predicted = torch.tensor([[[0, 0]], [[1, 1]], [[0, 1]], [[0, 0]]])
    [of_one] = of_predictions([5], predicted, torch.tensor([0, 1, 1, 1]))
    assert of_one == Shots(5, (50.0, 75.0)) and of_one.mean == 62.5
    assert of_one.std == pytest.approx(statistics.stdev([50, 75])) and Shots(5, (50.0, )).std is None


def test_the_table(results):
    console = Console(width=100)
    with console.capture() as capture:
        console.print(results_table(results))
    middle = results.few_shot[1]
    assert re.search(rf'3 +│ +{middle.mean:.2f} ± {middle.std:.2f} +│ +3', capture.get())


@pytest.mark.parametrize(('shots', 'draws', 'sentence'), [
    ((1, 11), 5, '11 images of each class are asked for, but class bicycle has 10: give more .*, or shots=10$'),
    ((0, ), 5, 'shots=0: give a whole number of images of each class, 1 or more'),
    ((5, 5), 5, 'shots 5 5: give each number of images once'),
    ((5, ), 0, 'draws=0: give a number of draws, 1 or more'),
])
def test_mistakes(config, checkpoint, tmp_path, shots, draws, sentence):
    options = {'train_dataloader.dataset.metainfo': dict(classes=CLASSES)}
    with pytest.raises(UserError, match=sentence):
        evaluate_features(config, checkpoint, str(tmp_path), **QUICK, cfg_options=options, shots=shots, draws=draws)


def test_a_model_that_saw_nothing(config):
    model = MODELS.build(dict(type='lgd_mm.FewShotProbe', backbone=Config.fromfile(config).model.backbone,
                              num_classes=4)).eval()
    with pytest.raises(UserError, match='FewShotProbe has seen no labelled image: train it with its config first'):
        model(torch.zeros(1, 3, 32, 32), mode='predict')
