"""A config at a size for tests, and a batch that fits it."""

import torch
from mmengine.structures import PixelData
from mmpretrain.structures import DataSample

SIZE = 64
TEACHERS = ('lgd_mm.OpenCLIPTeacher', 'lgd_mm.BackboneTeacher', 'lgd_mm.CachedTeacher')


def small(cfg, teacher):
    """Put a stand-in teacher or a small size into a config; returns the function that makes its batch."""
    model = cfg.model
    if 'teacher' in model:
        assert model.teacher.type in TEACHERS
        model.teacher = dict(type='lgd_mm.OpenCLIPTeacher', model=teacher)
        students = model.get('students', {}).values()
        for part in (model.get('lgka'), model if 'categories' in model else None, *(one.lgka for one in students)):
            if part is not None:
                part.templates = ['a photo of a {}.']
    structure = (model.get('dense') or {}).get('structure')
    if structure:
        assert structure.teacher.type in TEACHERS
        structure.teacher = dict(type='lgd_mm.OpenCLIPTeacher', model=teacher)
    if 'queue_length' in model:
        model.queue_length = 8
    if 'roi_head' in model:  # its heads cost most of a CPU's time
        model.train_cfg.rpn_proposal.max_per_img = 8
        model.train_cfg.rcnn.sampler.num = 16
        model.roi_head.bbox_head.fc_out_channels = 64
        if 'mask_head' in model.roi_head:
            model.roi_head.mask_head.conv_out_channels = 32
    if cfg.get('data_preprocessor') and 'data_preprocessor' not in model:
        model.data_preprocessor = cfg.data_preprocessor  # as mmengine's runner does
    if cfg.default_scope == 'mmseg':
        model.data_preprocessor.size = (SIZE, SIZE)
    for head in ('decode_head', 'auxiliary_head'):
        if (model.get(head) or {}).get('type') in ('UPerHead', 'FCNHead', 'PSPHead'):
            model[head].channels = 32
    return dict(mmpretrain=pictures, mmdet=detection, mmseg=segmentation)[cfg.default_scope]


def images():
    generator = torch.Generator().manual_seed(0)
    return [torch.randint(0, 256, (3, SIZE, SIZE), dtype=torch.uint8, generator=generator) for _ in range(2)]


def pictures(cfg):
    samples = [DataSample().set_gt_label(label) for label in range(2)]
    views = [torch.stack(images()), torch.stack(images()).flip(3)]  # two of each image, if the model wants them
    return dict(inputs=views if 'SimCLR' in cfg.model.type else views[0], data_samples=samples)


def detection(cfg):
    from mmdet.testing import demo_mm_inputs
    heads = cfg.model.get('roi_head', cfg.model)
    return demo_mm_inputs(
        2, [[3, SIZE, SIZE]] * 2,
        num_items=[2, 2],
        num_classes=heads.bbox_head.num_classes,
        with_mask='mask_head' in heads or 'loss_mask' in heads.bbox_head)


def segmentation(cfg):
    from mmseg.structures import SegDataSample
    samples = []
    classes = cfg.model.decode_head.num_classes if 'decode_head' in cfg.model else 2
    for seed in range(2):
        labels = torch.randint(0, classes, (1, SIZE, SIZE), generator=torch.Generator().manual_seed(seed))
        samples.append(
            SegDataSample(
                gt_sem_seg=PixelData(data=labels), metainfo=dict(img_shape=(SIZE, SIZE), ori_shape=(SIZE, SIZE))))
    return dict(inputs=images(), data_samples=samples)
