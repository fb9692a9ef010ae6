"""The tasks' configs: mmpretrain's keys in the backbone, the channels that follow, upstream's schedules and classes."""

import pytest
import torch
from mmengine.config import Config
from mmengine.model import revert_sync_batchnorm
from mmengine.registry import MODELS, init_default_scope

from lgd_mm.models.common import IMAGENET_PREPROCESSOR
from tests.configs import FOLDER, read_config
from tests.test_configs.batches import small

SIZE = 64
DENSE = sorted(path.relative_to(FOLDER) for folder in ('coco', 'lvis', 'ade20k', 'cityscapes')
               for path in (FOLDER / folder).glob('*.py') if not path.stem.startswith('zero-shot'))
LABELLED = sorted(path.relative_to(FOLDER) for path in (FOLDER / 'classification').glob('*.py')
                  if path.stem.startswith(('linear_', 'finetune_')))
STUDENTS = {
    'r18': ('mmpretrain.ResNet', [64, 128, 256, 512]), 'mobilenetv2': ('lgd_mm.MobileNetV2', [24, 32, 96, 320]),
    'cspnext-tiny': ('mmdet.CSPNeXt', [96, 192, 384]), 'cspnext-s': ('mmdet.CSPNeXt', [128, 256, 512])
}
#: What makes the weights of a backbone, beside its kind.
SIZES = ('depth', 'deepen_factor', 'widen_factor', 'out_indices')
CLASSES = dict(coco=80, lvis=1203, ade20k=150, cityscapes=19)


@pytest.fixture(scope='module')
def backbones():
    """Shapes of a backbone's maps and weights, and of the weights of its plain form; most configs share theirs."""
    known = {}

    def look(scope, backbone, kind):
        key = repr((scope, backbone, kind))
        if key not in known:
            init_default_scope(scope)
            network = MODELS.build(backbone)
            network.eval()  # mmpretrain's return nothing
            plain = MODELS.build({'type': kind, **{key: backbone[key] for key in SIZES if key in backbone}})
            known[key] = ([tuple(feature.shape[1:]) for feature in network(torch.zeros(1, 3, SIZE, SIZE))],
                          *({name: value.shape for name, value in each.state_dict().items()}
                            for each in (network, plain)))
        return known[key]

    return look


@pytest.mark.parametrize('path', DENSE, ids=lambda path: path.stem)
def test_backbone(path, backbones):
    """mmpretrain's keys, strides 4 to 32 or 4 to 8, the channels that the next part expects, all of it trained."""
    cfg = read_config(path)
    kind, channels = next(STUDENTS[part] for part in path.stem.replace('-d8', '').split('_') if part in STUDENTS)
    backbone = cfg.model.backbone
    assert backbone.type == ('mmseg.ResNet' if '_r18-d8_' in path.stem else kind)
    assert (backbone.get('frozen_stages', -1), backbone.norm_eval, backbone.norm_cfg.type) == (-1, False, 'SyncBN')

    maps, weights, plain_weights = backbones(cfg.default_scope, backbone, kind)
    strides = (4, 8, 8, 8) if '-d8_' in path.stem else (4, 8, 16, 32)
    if path.stem.startswith('rtmdet'):
        strides, channels = strides[1:], channels[-3:]
    assert maps == [(channel, SIZE // stride, SIZE // stride) for channel, stride in zip(channels, strides)]
    assert weights == plain_weights

    model = cfg.model
    if 'neck' in model:
        assert model.neck.in_channels == channels
    else:
        index = model.decode_head.in_index
        assert model.decode_head.in_channels == (channels if isinstance(index, (list, tuple)) else channels[index])
        if model.get('auxiliary_head'):
            assert model.auxiliary_head.in_channels == channels[model.auxiliary_head.in_index]
    if cfg.default_scope == 'mmseg':
        assert model.pretrained is None


@pytest.mark.parametrize('path', DENSE, ids=lambda path: path.stem)
def test_classes_and_statistics(path):
    """Of the data set; the image's are those the student was pre-trained with."""
    cfg = read_config(path)
    model, expected = cfg.model, CLASSES[path.parts[0]]
    boxes = model.get('roi_head', model)
    heads = [boxes.get(name) for name in ('bbox_head', 'mask_head', 'decode_head', 'auxiliary_head')]
    assert {head.num_classes for head in heads if head} == {expected}
    assert model.data_preprocessor.mean == IMAGENET_PREPROCESSOR['mean']
    assert model.data_preprocessor.std == IMAGENET_PREPROCESSOR['std'] and model.data_preprocessor.bgr_to_rgb
    if path.parts[0] == 'ade20k':
        assert next(step for step in cfg.train_pipeline if step.type == 'LoadAnnotations').reduce_zero_label


@pytest.mark.parametrize('path', [path for path in DENSE if 'lvis' in path.stem], ids=lambda path: path.stem)
def test_lvis_lies_beside_coco(path):
    """The images are COCO's."""
    cfg = read_config(path)
    datasets = [cfg.train_dataloader.dataset.dataset, cfg.val_dataloader.dataset, cfg.test_dataloader.dataset]
    assert {dataset.data_root for dataset in datasets} == {'data/coco/'}
    assert {dataset.type for dataset in datasets} == {'LVISV1Dataset'}
    assert cfg.test_evaluator.ann_file == cfg.val_evaluator.ann_file == 'data/coco/annotations/lvis_v1_val.json'


def upstreams(name, folder):
    """A config of another library."""
    (folder / 'upstream.py').write_text(f'_base_ = {name!r}')
    return Config.fromfile(folder / 'upstream.py')


@pytest.mark.parametrize('size', ['tiny', 's'])
@pytest.mark.parametrize('kind', ['rtmdet', 'rtmdet-ins'])
def test_rtmdet_is_upstreams(kind, size, tmp_path):
    """But for RGB, the weights, which come from the student, and the batch of 8 x 32 that its rate is for."""
    ours = read_config(f'coco/{kind}_{size}_cspnext-{size}_300e_coco.py')
    theirs = upstreams(f'mmdet::rtmdet/{kind}_{size}_8xb32-300e_coco.py', tmp_path)
    assert theirs.model.backbone.pop('init_cfg').checkpoint.startswith('https://')
    assert 'Pretrained' not in ours.pretty_text
    backbones, preprocessors = zip(*[(cfg.model.pop('backbone'), cfg.model.pop('data_preprocessor'))
                                     for cfg in (ours, theirs)])
    assert preprocessors[0].mean == preprocessors[1].mean[::-1] and preprocessors[0].std == preprocessors[1].std[::-1]
    assert (preprocessors[0].bgr_to_rgb, preprocessors[1].bgr_to_rgb) == (True, False)
    init_default_scope('mmdet')
    assert str(MODELS.build(backbones[0])) == str(MODELS.build(backbones[1]))  # epsilons and momenta as well
    assert 8 * ours.train_dataloader.batch_size == ours.auto_scale_lr.base_batch_size == 256
    for key in ('model', 'optim_wrapper', 'param_scheduler', 'train_cfg', 'default_hooks', 'custom_hooks',
                'train_dataloader', 'val_dataloader', 'val_evaluator'):
        assert _plain(ours[key]) == _plain(theirs[key]), key


@pytest.mark.parametrize('name', ['rtmdet_tiny_r18_300e', 'rtmdet-ins_tiny_r18_300e', 'atss_r18_fpn_1x'])
def test_a_batch_without_objects(name):
    """Crops may leave none. What gets no gradient then, DistributedDataParallel has to look for."""
    cfg = read_config(f'coco/{name}_coco.py')
    batch = small(cfg, None)(cfg)
    init_default_scope('mmdet')
    model = revert_sync_batchnorm(MODELS.build(cfg.model))
    for sample in batch['data_samples']:
        sample.gt_instances = sample.gt_instances[torch.zeros(len(sample.gt_instances), dtype=torch.bool)]
    loss, _ = model.parse_losses(model(**model.data_preprocessor(batch, training=True), mode='loss'))
    loss.backward()
    idle = [name for name, parameter in model.named_parameters() if parameter.grad is None]
    assert torch.isfinite(loss) and bool(idle) == cfg.get('find_unused_parameters', False)


@pytest.mark.parametrize('name', ['tiny', 's'])
def test_cspnext_is_the_same_before_and_after(name):
    """Not mmdet's defaults, whose normalisation has another epsilon than RTMDet's."""
    init_default_scope('mmpretrain')
    before = MODELS.build(read_config(f'lgd/cspnext-{name}_pretrain.py').model.backbone)
    init_default_scope('mmdet')
    after = MODELS.build(read_config(f'coco/rtmdet_{name}_cspnext-{name}_300e_coco.py').model.backbone)
    assert str(before) == str(after).replace('SyncBatchNorm', 'BatchNorm2d')


@pytest.mark.parametrize('student', ['r18', 'mobilenetv2'])
@pytest.mark.parametrize(('path', 'upstream'), [
    ('ade20k/upernet_{}_80k_ade20k-512x512.py', 'mmseg::_base_/schedules/schedule_80k.py'),
    ('ade20k/upernet_{}_160k_ade20k-512x512.py', 'mmseg::_base_/schedules/schedule_160k.py'),
    ('coco/mask-rcnn_{}_fpn_2x_coco.py', 'mmdet::_base_/schedules/schedule_2x.py'),
])
def test_derived_schedule_is_upstreams(student, path, upstream, tmp_path):
    """One of two schedules is derived from the other; both must be upstream's."""
    ours, theirs = read_config(path.format(student)), upstreams(upstream, tmp_path)
    for key in ('optim_wrapper', 'param_scheduler', 'train_cfg', 'default_hooks'):
        if key in theirs:
            assert _plain(ours[key]) == _plain(theirs[key]), key


@pytest.mark.parametrize('path', [path for path in LABELLED if path.stem.startswith('linear_')],
                         ids=lambda path: path.stem)
def test_linear_probe_is_as_published(path):
    """SGD with a rate of 30 x batch / 256 for 2,048 images, no decay; test_published.py goes through the rates."""
    cfg = read_config(path)
    optimizer = cfg.optim_wrapper.optimizer
    batch = 8 * cfg.train_dataloader.batch_size
    assert batch == cfg.auto_scale_lr.base_batch_size == 2048
    assert (optimizer.type, optimizer.lr) == ('SGD', 30 * batch / 256)
    assert (optimizer.momentum, optimizer.weight_decay) == (0.9, 0)


@pytest.mark.parametrize('path', LABELLED, ids=lambda path: path.stem)
def test_labelled_images(path):
    """Each config reads its own data set, and only the training images are fewer in a subset."""
    cfg = read_config(path)
    train, val, test = (cfg[f'{split}_dataloader'].dataset for split in ('train', 'val', 'test'))
    name = path.stem.split('_')[2]
    if name.endswith('-corrupted'):
        name, test = name.removesuffix('-corrupted'), test.dataset
    root = name.split('-')[0]
    assert {dataset.data_root.strip('/') for dataset in (train, val, test)} == {f'data/{root}'}
    assert cfg.model.head.num_classes == (256 if root == 'caltech256' else 1000)
    if root == 'imagenet':
        assert (train.split, val.split, test.split) == ('train', 'val', 'val')
    else:
        assert (train.data_prefix, val.data_prefix, test.data_prefix) == ('train', 'val', 'val')
    subset = f"meta/train_{name.split('-')[1]}.txt" if '-' in name else None
    assert (train.get('ann_file'), val.get('ann_file'), test.get('ann_file')) == (subset, None, None)


def _plain(value):
    """A config without the scope that inheritance notes in it."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items() if key != '_scope_'}
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value
