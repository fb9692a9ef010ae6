# What accuracy does not tell of the students of the generated world: corrupted images, calibration, retrieval and
# outliers: make suite SUITE=measures, or python tools/benchmark.py configs/shapes/measures.py
_base_ = './suite.py'
title = 'The generated world, beside accuracy'
note = ('The students of the generated world, measured clean and under a corruption of each family (Gaussian noise, '
        'motion blur, fog, JPEG) at severities 1 and 3, by the calibration of their probabilities, by how early an '
        'image finds the others of its class, and by how well the distance to the tenth of 1,000 training images '
        'tells images of the harder world from its own.')
work_dir = 'work_dirs/measures'
world, teacher = _base_.world, _base_.teacher
top1 = {
    'accuracy/top1': 'top-1',
    'corrupted/top1/mean': 'top-1, corrupted',
    'calibration/ece': dict(title='calibration error', better='lower'),
    'corrupted/ece/mean': dict(title='calibration error, corrupted', better='lower')
}
tasks = [
    dict(
        name='zero-shot',
        config='configs/shapes/zero-shot_r18-slim_corrupted.py',
        test_only=True,
        metrics=top1,
        inputs=world + teacher),
    dict(name='linear probe', config='configs/shapes/linear_r18-slim_corrupted.py', metrics=top1, inputs=world),
    dict(
        name='k-NN',
        config='configs/shapes/knn_r18-slim_shapes.py',
        metrics={
            'accuracy/top1': 'top-1',
            'retrieval/mAP': 'retrieval mAP'
        },
        inputs=world),
    dict(
        name='outliers',
        config='configs/shapes/knn_r18-slim_outliers.py',
        metrics={'outliers/auroc': 'AUROC'},
        inputs=world),
    dict(
        name='Mask R-CNN',
        config='configs/shapes/mask-rcnn_r18-slim_fpn_corrupted.py',
        metrics={
            'coco/bbox_mAP': dict(title='box AP', scale=100),
            'corrupted/bbox_mAP/mean': dict(title='box AP, corrupted', scale=100)
        },
        inputs=world),
    dict(
        name='UPerNet',
        config='configs/shapes/upernet_r18-slim_corrupted.py',
        metrics={
            'mIoU': 'mIoU',
            'corrupted/mIoU/mean': 'mIoU, corrupted'
        },
        inputs=world),
]
