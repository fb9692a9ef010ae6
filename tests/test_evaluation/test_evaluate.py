"""What the features say is what the models say that look at the images."""

import os

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

from lgd_mm.engine import launch
from lgd_mm.errors import UserError
from lgd_mm.evaluation import evaluate_features
from lgd_mm.evaluation import features as features_module
from lgd_mm.evaluation.features import features_of
from lgd_mm.evaluation.predict import by_names, by_neighbours
from lgd_mm.models.zero_shot import bank_of_names
from lgd_mm.registry import MODELS
from lgd_mm.runs.measures import last_metrics
from lgd_mm.students import export_checkpoint
from lgd_mm.students.network import Student
from lgd_mm.students.read import read_student_file
from tests.test_evaluation.conftest import CLASSES
from tests.tiny import lgd_model

QUICK = dict(lrs=[0.1, 1.0], epochs=3)


@pytest.fixture
def no_forward(monkeypatch):
    """A student may not look at images."""
    def refuse(*args, **kwargs):
        raise AssertionError('a forward pass')
    return lambda: monkeypatch.setattr(features_module, 'mean_pool', refuse)


def loaders(config, work_dir):
    """Both splits without augmentation, as models of mmpretrain would be shown them."""
    cfg = Config.fromfile(config)
    cfg.work_dir = str(work_dir)
    init_default_scope('mmpretrain')
    train = {**cfg.test_dataloader, 'dataset': {**cfg.train_dataloader.dataset,
                                                'pipeline': cfg.test_dataloader.dataset.pipeline}}
    return cfg, train, cfg.test_dataloader


def predictions(model, loader):
    """Of ``predict``, batch by batch; of more than one class, or they would tell nothing."""
    samples = [sample for batch in Runner.build_dataloader(loader)
               for sample in model(**model.data_preprocessor(batch), mode='predict')]
    predicted = torch.tensor([int(sample.pred_label) for sample in samples])
    assert len(predicted.unique()) > 1
    return predicted


@torch.no_grad()
def test_predictions_are_those_of_the_models(config, checkpoint, lgd, teacher, tmp_path):
    cfg, train_loader, test_loader = loaders(config, tmp_path)
    file = read_student_file(checkpoint)
    train, tested = (features_of(cfg, split, loader, file, Student(file, cfg))
                     for split, loader in (('train', train_loader), ('test', test_loader)))
    assert train.pooled.shape == (40, 64) and train.pooled.dtype == torch.float16
    assert tested.labels.tolist() == [label for label in range(4) for _ in range(5)]

    knn = MODELS.build(dict(type='lgd_mm.KNNClassifier', backbone=cfg.model.backbone, num_classes=4)).eval()
    knn.backbone.load_state_dict(lgd.backbone.state_dict())
    for batch in Runner.build_dataloader(train_loader):
        knn(**knn.data_preprocessor(batch), mode='loss')
    assert torch.equal(by_neighbours(train, tested, 20, 0.07), predictions(knn, test_loader))

    parts = {part: lgd_model(teacher)[part] for part in ('backbone', 'neck', 'teacher')}
    names = dict(categories=CLASSES, templates=['a photo of a {}.'])
    zero_shot = MODELS.build(dict(type='lgd_mm.ZeroShotClassifier', **parts, **names)).eval()
    zero_shot.load_state_dict(lgd.state_dict(), strict=False)
    bank = bank_of_names(lgd.teacher, **names)
    assert torch.equal(by_names(tested, bank), predictions(zero_shot, test_loader))


def test_the_second_call_reads(config, checkpoint, tmp_path, no_forward):
    first = evaluate_features(config, checkpoint, str(tmp_path), **QUICK)
    assert first.zero_shot is not None and first.names == 4 and first.k == 20
    assert [rate.rate for rate in first.rates] == [0.1, 1.0] and first.chosen in first.rates
    no_forward()
    assert evaluate_features(config, checkpoint, str(tmp_path), **QUICK) == first
    assert len(list((tmp_path / 'features').iterdir())) == 2


def test_an_exported_student_has_no_projection(config, checkpoint, tmp_path):
    student, _ = export_checkpoint(checkpoint, tmp_path / 'student')
    results = evaluate_features(config, str(student), str(tmp_path), **QUICK)
    assert results.zero_shot is None and results.knn is not None
    with pytest.raises(UserError, match='--categories: .*student.safetensors holds no neck'):
        evaluate_features(config, str(student), str(tmp_path), categories=CLASSES, **QUICK)


@pytest.mark.parametrize('change', ['weights', 'pipeline', 'picture', 'damage'])
def test_other_features_are_computed_anew(config, checkpoint, folder, tmp_path, no_forward, change):
    """Only what decides them counts, and a damaged file is none."""
    evaluate_features(config, checkpoint, str(tmp_path), **QUICK)
    options = {}
    if change == 'weights':
        content = torch.load(checkpoint, weights_only=True)
        content['state_dict']['backbone.conv1.weight'] += 1
        checkpoint = tmp_path / 'epoch_2.pth'
        torch.save(content, checkpoint)
    if change == 'pipeline':
        options = {'test_dataloader.dataset.pipeline.0.imdecode_backend': 'pillow'}
    if change == 'picture':
        os.utime(folder / 'train/cat/0.png', ns=(1, 1))
    if change == 'damage':
        next((tmp_path / 'features').glob('train-*')).write_bytes(b'damaged')
    no_forward()
    with pytest.raises(AssertionError, match='a forward pass'):
        evaluate_features(config, str(checkpoint), str(tmp_path), cfg_options=options, **QUICK)


def test_nothing_half_written(config, checkpoint, tmp_path, monkeypatch):
    def full(tensors, path):
        path.write_bytes(b'half')
        raise OSError(28, 'No space left on device')
    monkeypatch.setattr(features_module, 'save_file', full)
    with pytest.raises(UserError, match='features cannot be written to .*give another with --work-dir'):
        evaluate_features(config, checkpoint, str(tmp_path), **QUICK)
    assert list(tmp_path.glob('features/*')) == []


def test_zero_shot_alone_needs_no_training_images(config, checkpoint, tmp_path):
    none = {'train_dataloader': None}
    results = evaluate_features(config, checkpoint, str(tmp_path), cfg_options=none)
    assert results.zero_shot is not None and results.knn is None and results.chosen is None


def bare(checkpoint, tmp_path):
    return str(export_checkpoint(checkpoint, tmp_path / 'student')[0])


@pytest.mark.parametrize(('arguments', 'sentence'), [
    (dict(checkpoint='gone.pth'), 'gone.pth does not exist'),
    (dict(cfg_options={'model.backbone.depth': 34}), 'student .*epoch_1.pth .*fills only .* keys of model.backbone .*'
     "depth 34.*: use a config with the student's backbone, or give --backbone checkpoint$"),
    (dict(cfg_options={'model.k': 50}), 'model.k=50 neighbours .* only 40 training images'),
    (dict(categories=['cat', 'dog']), 'there are 2 names, but a test image has the label 3: give the name'),
    (dict(lrs=[0.0, 1.0]), '--lrs 0.0 1.0 --epochs 3: rates must be above 0'),
    (dict(cfg_options={'train_dataloader': None}, bare=True), 'has no train_dataloader: k-NN and linear probe need'),
    (dict(cfg_options={'test_dataloader': None}), 'has no test_dataloader or no model.backbone: give a config'),
    (dict(cfg_options={'train_dataloader.dataset.ann_file': 'none.txt'}), 'train_dataloader.dataset has no images'),
    (dict(cfg_options={'train_dataloader.dataset.with_label': False}), 'train_dataloader.dataset has no labels: give'),
], ids=['checkpoint', 'model', 'neighbours', 'names', 'rates', 'no train', 'no test', 'empty', 'unlabelled'])
def test_mistakes(config, checkpoint, folder, tmp_path, arguments, sentence):
    (folder / 'none.txt').write_text('')
    arguments = {'checkpoint': checkpoint, **QUICK, **arguments}
    if arguments.pop('bare', False):
        arguments['checkpoint'] = bare(checkpoint, tmp_path)
    with pytest.raises(UserError, match=sentence):
        evaluate_features(config, work_dir=str(tmp_path / 'run'), **arguments)


def test_what_tells_nothing(config, checkpoint, tmp_path):
    """Outliers alone, corrupted images among the clean ones, and a student of NaN, which would have a class for each
    image."""
    cfg = Config.fromfile(config)
    clean = cfg.test_dataloader.dataset
    outliers = dict(clean, pipeline=[clean.pipeline[0], dict(type='lgd_mm.LabelOutlier'), clean.pipeline[1]])
    for dataset, sentence in ((outliers, r'all 20 images of test_dataloader are outliers \(label -1\): give it a Conc'),
                              (dict(type='lgd_mm.CorruptedImages', dataset=dict(clean, pipeline=[
                                  clean.pipeline[0], dict(type='lgd_mm.Corrupt'), clean.pipeline[1]])),
                               'tests clean and corrupted images, whose figures are told apart by tools/test.py')):
        cfg.test_dataloader.dataset = dataset
        cfg.dump(tmp_path / 'odd.py')
        with pytest.raises(UserError, match=sentence):
            evaluate_features(str(tmp_path / 'odd.py'), checkpoint, str(tmp_path / 'odd'), **QUICK)

    broken = torch.load(checkpoint, weights_only=False)
    broken['state_dict']['backbone.bn1.bias'] += torch.nan
    torch.save(broken, tmp_path / 'broken.pth')
    with pytest.raises(UserError, match='the features of 20 of 20 images are not finite, or larger than float16 holds'):
        evaluate_features(config, str(tmp_path / 'broken.pth'), str(tmp_path / 'run'), **QUICK)
    assert not list((tmp_path / 'run').rglob('*.safetensors'))


def test_retrieval_and_outliers(config, checkpoint, folder, tmp_path):
    """As the metrics say of the same student in a run; an outlier is no test image."""
    plain = evaluate_features(config, checkpoint, str(tmp_path / 'plain'), **QUICK)
    assert plain.outliers is None and 0 < plain.retrieval < 100
    cfg = Config.fromfile(config)
    known = cfg.test_dataloader.dataset
    others = dict(known, data_prefix='train/tree', with_label=False, pipeline=[
        known.pipeline[0], dict(type='lgd_mm.LabelOutlier'), known.pipeline[1]])
    cfg.test_dataloader.dataset = dict(type='ConcatDataset', datasets=[known, others], ignore_keys=['classes'])
    cfg.train_dataloader.dataset.pipeline = known.pipeline
    cfg.model = dict(type='lgd_mm.KNNClassifier', backbone=cfg.model.backbone, num_classes=4, k=3)
    cfg.merge_from_dict(dict(
        train_cfg=dict(by_epoch=True, max_epochs=1), val_cfg={}, val_evaluator=dict(type='lgd_mm.OutlierAUROC'),
        optim_wrapper=dict(type='lgd_mm.ReadOnlyOptimWrapper', optimizer=dict(type='SGD', lr=0.)),
        default_hooks=dict(checkpoint=None)))
    cfg.val_dataloader = cfg.test_dataloader
    cfg.test_dataloader = cfg.test_evaluator = cfg.test_cfg = None
    cfg.dump(tmp_path / 'outliers.py')
    found = evaluate_features(str(tmp_path / 'outliers.py'), checkpoint, str(tmp_path / 'run'), **QUICK)
    assert (found.retrieval, found.zero_shot) == (plain.retrieval, plain.zero_shot) and 0 < found.outliers < 100
    launch.train(str(tmp_path / 'outliers.py'), checkpoint, work_dir=str(tmp_path / 'trained'))
    assert last_metrics(tmp_path / 'trained')['outliers/auroc'] == pytest.approx(found.outliers, abs=0.3)
