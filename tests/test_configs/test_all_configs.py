"""Every config builds and trains one step, or predicts; no basename twice."""

from collections import Counter
from typing import NamedTuple

import pytest
import torch
from mmengine.model import revert_sync_batchnorm
from mmengine.optim import build_optim_wrapper
from mmengine.registry import MODELS, init_default_scope

import lgd_mm  # noqa: F401 - makes mmdet:: and mmseg:: configs readable
from lgd_mm.engine.frozen_backbone import freeze_backbone
from lgd_mm.safety.saved_config import saved_run
from tests.configs import read_config
from tests.test_configs.batches import SIZE, small
from tests.tiny import ROOT, write_tiny_teacher

FOLDER = ROOT / 'configs'
#: Students alone are neither trained nor tested: tests/test_zoo builds them.
OTHERS = {'_base_', 'students'}
FILES = sorted(path.relative_to(FOLDER) for path in FOLDER.rglob('*.py') if not OTHERS & set(path.parts))

#: Suites of the benchmark name other configs and have no model of their own.
SUITES = (
    'ablation', 'cache_precision', 'dense', 'dense_cached', 'dense_search', 'harder', 'probes', 'quickstart', 'readme',
    'speed', 'suite', 'text_control', 'vl', 'vl_captions', 'vl_detectors', 'vl_long')
CONFIGS = [path for path in FILES if path.stem not in SUITES]
#: Texts and regions in place of images: tests/test_configs/test_vision_language.py.
VISION_LANGUAGE = [path for path in CONFIGS if path.parts[0] == 'distillvlm'
                   or path.stem.startswith(('caption_', 'vqa_'))]
TRAINED = [path for path in CONFIGS if not path.stem.startswith(('few-shot_', 'knn_', 'zero-shot'))
           and path not in VISION_LANGUAGE]
#: One of each task, method and student is trained in a quick run of the tests.
QUICK = {
    'r18_pretrain', 'r18_cached_pretrain', 'r18_mobilenetv2_pretrain', 'mobilenetv2_pretrain',
    'mobilenetv3-large_pretrain', 'timm_pretrain', 'compress_r18_pretrain', 'mimicking_r18_pretrain',
    'seed_r18_pretrain', 'seed-dino_mobilenetv2_pretrain', 'simclr_r18-slim_shapes', 'supervised_r18-slim_shapes',
    'lgd_r18-slim_shapes', 'linear_r18-slim_shapes', 'linear_mobilenetv2_imagenet', 'linear_timm_imagenet',
    'r18_dense_pretrain', 'timm_dense_pretrain',
    'finetune_r18_folder', 'faster-rcnn_r18_fpn_1x_coco', 'mask-rcnn_r18-slim_fpn_shapes',
    'rtmdet_tiny_cspnext-tiny_300e_coco', 'rtmdet-ins_tiny_r18_300e_coco', 'atss_mobilenetv2_fpn_1x_coco',
    'cspnext-tiny_dense_pretrain', 'segformer_r18_160k_ade20k-512x512',
    'finetune-10shots_r18-slim_shapes', 'upernet-50images_r18-slim_shapes', 'mask-rcnn-50images_r18-slim_fpn_shapes',
    'linear-seg-frozen_mobilenetv2_40k_ade20k-512x512', 'sem-fpn-frozen_r18-slim_shapes',
    'mask-rcnn-frozen_r18-slim_fpn_shapes',
    'sem-fpn_r18_160k_ade20k-512x512', 'upernet_r18-slim_colours', 'pspnet_mobilenetv2-d8_80k_cityscapes-512x1024'
}
ONLY_TESTED = [path for path in CONFIGS if path not in (*TRAINED, *VISION_LANGUAGE)]


@pytest.fixture(scope='module')
def teacher(tmp_path_factory):
    return write_tiny_teacher(tmp_path_factory.mktemp('teacher'))


class Step(NamedTuple):
    """What one step of training has come to."""

    kind: str
    loss: torch.Tensor
    without_gradient: list[str]
    moved: set[str]


@pytest.fixture(scope='module')
def steps():
    """A step by its model and optimiser: configs that differ in images or length alone share it."""
    return {}


def built(cfg):
    """Its model, always with the same weights."""
    init_default_scope(cfg.default_scope)
    torch.manual_seed(0)
    return revert_sync_batchnorm(MODELS.build(cfg.model))


def one_step(cfg, batch):
    model = built(cfg)
    if cfg.get('frozen_backbone'):
        freeze_backbone(model)
    model.train()
    wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    before = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}

    data = model.data_preprocessor(batch, training=True)
    loss, _ = model.parse_losses(model(**data, mode='loss'))
    wrapper.backward(loss)
    trained = {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
    without_gradient = [name for name, parameter in trained.items() if parameter.grad is None]
    wrapper.step()
    moved = {name for name, parameter in model.named_parameters() if not torch.equal(parameter, before[name])}
    return Step(type(model).__name__, loss.detach(), without_gradient, moved)


def test_suites_alone_have_no_model():
    assert {path.stem for path in FILES if 'tasks' in read_config(path)} == set(SUITES)
    assert [path for path in CONFIGS if 'model' not in read_config(path)] == []


def test_basenames_are_unique():
    """mmengine finds configs by name, and so do people."""
    counts = Counter(path.name for path in FOLDER.rglob('*.py'))
    assert [name for name, count in counts.items() if count > 1] == []


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.stem)
def test_a_run_of_it_is_read_from_its_folder(path):
    """As data: reports and evaluations build what the list allows."""
    cfg = read_config(path)
    text = '\n'.join(f'{key} = {value!r}' for key, value in cfg.to_dict().items())
    saved = saved_run(text, path)
    assert saved['model']['type'].rpartition('.')[2] == cfg.model.type.rpartition('.')[2]
    assert "'_delete_'" not in text  # of a dict that was merged nowhere: in a run's folder, it would be a setting


@pytest.mark.parametrize('path', [
    pytest.param(path, marks=() if path.stem in QUICK else pytest.mark.slow) for path in TRAINED
], ids=lambda path: path.stem)
def test_builds_and_trains_a_step(path, teacher, steps):
    """All parameters get a gradient, so that DistributedDataParallel needs no ``find_unused_parameters``."""
    cfg = read_config(path)
    batch = small(cfg, teacher)(cfg)
    frozen_backbone = cfg.get('frozen_backbone', False)
    what = repr((cfg.default_scope, cfg.model.to_dict(), cfg.optim_wrapper.to_dict(), frozen_backbone))
    if what not in steps:
        steps[what] = one_step(cfg, batch)
    kind, loss, without_gradient, moved = steps[what]

    assert torch.isfinite(loss) and loss > 0 and without_gradient == []
    probe = path.stem.startswith('linear_')
    assert (kind == 'LinearProbe') is probe  # the suites test the class that ImageNet's probe has
    assert frozen_backbone is ('frozen_' in path.stem)
    frozen = probe or 'frozen_' in path.stem
    assert any('backbone.' in name for name in moved) is not frozen and moved


@pytest.mark.parametrize('path', ONLY_TESTED, ids=lambda path: path.stem)
def test_builds_and_predicts(path, teacher):
    """A score for each class, which sum to one; of pixels, labels of the data set."""
    cfg = read_config(path)
    batch = small(cfg, teacher)(cfg)
    model = built(cfg).eval()
    data = model.data_preprocessor(batch)
    with torch.no_grad():
        if path.stem.startswith('knn_'):
            model.k = 2
            model(**data, mode='loss')
        if path.stem.startswith('few-shot_'):
            model.num_classes, model.shots = 2, (1, )
            for place, sample in enumerate(data['data_samples']):
                sample.set_metainfo(dict(sample_idx=place))
            model(**data, mode='loss')
        samples = model(**data, mode='predict')
    if path.stem.startswith('few-shot_'):  # each image is the one that its class was learned from
        assert [sample.few_shot_label.tolist() for sample in samples] == [[[label] * model.draws] for label in range(2)]
        return
    if path.stem.startswith('zero-shot-segmentation_'):
        assert [tuple(sample.pred_sem_seg.shape) for sample in samples] == [(SIZE, SIZE)] * 2
        classes = 41 if path.stem.endswith('harder') else {'ade20k': 150, 'shapes': 9}[path.parts[0]]
        highest = max(int(sample.pred_sem_seg.data.max()) for sample in samples)
        assert highest < len(model.dataset_meta['classes']) == classes
        return
    classes = {'caltech256': 256, 'slim_shapes': 8, 'slim_corrupted': 8, 'slim_outliers': 8, 'slim_harder': 40,
               'colours': 6}
    expected = next((count for end, count in classes.items() if path.stem.endswith(end)), 1000)
    assert [tuple(sample.pred_score.shape) for sample in samples] == [(expected, )] * 2
    assert sum(float(sample.pred_score.sum()) for sample in samples) == pytest.approx(2)
