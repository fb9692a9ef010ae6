"""Where the parts of each kind of config lie: packages, less the modules that do more than compute."""

from typing import NamedTuple

LAYERS = ('torch.nn.modules', 'mmcv.cnn.bricks', 'mmcv.ops', 'mmengine.utils.dl_utils.parrots_wrapper',
          'mmpretrain.models.utils', 'mmdet.models.layers')
BACKBONES = ('mmpretrain.models.backbones', 'mmdet.models.backbones', 'mmseg.models.backbones',
             'lgd_mm.models.backbones')
NECKS = ('mmpretrain.models.necks', 'mmdet.models.necks', 'mmseg.models.necks', 'lgd_mm.models.necks')
TEACHERS = ('lgd_mm.models.teachers', 'lgd_mm.teacher_cache')
NETWORKS = (
    'mmpretrain.models.classifiers', 'mmpretrain.models.heads', 'mmpretrain.models.losses', 'mmpretrain.models.selfsup',
    'mmdet.models.detectors', 'mmdet.models.dense_heads', 'mmdet.models.roi_heads', 'mmdet.models.seg_heads',
    'mmdet.models.losses', 'mmdet.models.data_preprocessors', 'mmdet.models.task_modules',
    'mmseg.models.segmentors', 'mmseg.models.decode_heads', 'mmseg.models.losses', 'mmseg.models.data_preprocessor',
    'mmseg.models.assigners', 'mmseg.structures.sampler', 'mmengine.model.base_model.data_preprocessor',
    'lgd_mm.models.baselines', 'lgd_mm.models.classifiers', 'lgd_mm.models.dense', 'lgd_mm.models.heads',
    'lgd_mm.models.lgd', 'lgd_mm.models.many_students', 'lgd_mm.models.students', 'lgd_mm.models.view_preprocessor',
    'lgd_mm.models.zero_shot', 'lgd_mm.lean_mmseg')
#: Models that read texts: files of words are named, and read as text.
VISION_LANGUAGE = ('lgd_mm.models.vl', )
DATA = ('mmengine.dataset', 'mmcv.transforms', 'mmpretrain.datasets', 'mmdet.datasets', 'mmseg.datasets',
        'lgd_mm.datasets', 'lgd_mm.lean_mmseg',
        'lgd_mm.teacher_cache', 'lgd_mm.watching.images')
METRICS = ('mmpretrain.evaluation.metrics', 'mmdet.evaluation.metrics', 'mmseg.evaluation.metrics',
           'lgd_mm.lean_mmseg', 'lgd_mm.metrics', 'lgd_mm.evaluation.few_shot_accuracy', 'lgd_mm.watching.metrics')
#: The metrics of a file: others write where their arguments say, or read what they wrote.
METRIC_CLASSES = ('Accuracy', 'SingleLabelMetric', 'ConfusionMatrix', 'MultiLabelMetric', 'AveragePrecision',
                  'VOCMultiLabelMetric', 'VOCAveragePrecision', 'RetrievalRecall', 'RetrievalAveragePrecision',
                  'FewShotAccuracy', 'CocoMetric', 'LVISMetric', 'VOCMetric', 'IoUMetric', 'CalibrationError',
                  'CorruptionMetric', 'OutlierAUROC', 'RetrievalMAP', 'RankMe', 'NeighbourAccuracy', 'ZeroShotAccuracy',
                  'CaptionScores', 'VQAAccuracy')
#: Modules in those packages that read pickles, run what a string says, fetch something, wait for pipes, or write beside
#: the data. tests/test_security/test_readers.py looks at the sources of all others.
EXCEPT = (
    'mmpretrain.models.classifiers.hugging_face', 'mmpretrain.models.classifiers.timm',
    'mmpretrain.models.heads.vqa_head', 'mmpretrain.models.utils.huggingface', 'mmpretrain.models.utils.tokenizer',
    'mmpretrain.models.utils.vector_quantizer', 'mmpretrain.models.selfsup.milan', 'mmpretrain.models.selfsup.beit',
    'mmpretrain.models.selfsup.eva', 'mmpretrain.models.selfsup.mixmim', 'mmdet.models.detectors.d2_wrapper',
    'mmdet.models.detectors.kd_one_stage', 'mmdet.models.detectors.lad', 'mmdet.models.detectors.glip',
    'mmdet.models.detectors.grounding_dino', 'mmdet.models.dense_heads.atss_vlfusion_head',
    'mmdet.models.task_modules.tracking', 'mmpretrain.datasets.cifar', 'mmpretrain.datasets.mnist',
    'mmpretrain.datasets.multi_task', 'mmpretrain.datasets.refcoco', 'mmpretrain.datasets.onedl',
    'mmpretrain.datasets.coco_retrieval', 'mmdet.datasets.crowdhuman', 'mmdet.datasets.refcoco',
    'mmdet.datasets.openimages', 'mmdet.datasets.onedl', 'mmdet.datasets.dsdl', 'mmdet.datasets.odvg',
    'mmdet.datasets.reid_dataset', 'mmdet.datasets.transforms.text_transformers',
    'mmdet.datasets.transforms.instaboost', 'mmdet.datasets.transforms.generate_line',
    'mmdet.datasets.transforms.loading_onedl', 'mmseg.datasets.onedl', 'mmseg.datasets.dsdl',
    'mmseg.datasets.transforms.loading_onedl', 'mmseg.models.backbones.vpd')
#: Classes of other modules that take any function of another package by its name.
EXCEPT_CLASSES = ('Albu', 'Albumentations')


class Kind(NamedTuple):
    """One kind of config.

    Attributes:
        own (tuple[str, ...]): Packages of its own type.
        parts (tuple[str, ...]): Packages of what it is made of.
        registries (tuple[str, ...]): Of mmengine.
        paths (bool): Whether strings may be paths. Defaults to False: names of variants.
        names (tuple[str, ...]): The classes in those packages. Defaults to (): all.
    """

    own: tuple[str, ...]
    parts: tuple[str, ...]
    registries: tuple[str, ...] = ('MODELS', 'TASK_UTILS')
    paths: bool = False
    names: tuple[str, ...] = ()


KINDS = {
    'backbone': Kind(BACKBONES, BACKBONES + LAYERS),
    'neck': Kind(NECKS, NECKS + LAYERS),
    'teacher': Kind(TEACHERS, BACKBONES + LAYERS, paths=True),
    'network': Kind(NETWORKS + VISION_LANGUAGE, BACKBONES + NECKS + NETWORKS + LAYERS + VISION_LANGUAGE),
    'preprocessor': Kind(NETWORKS + LAYERS, NETWORKS + LAYERS),
    'dataset': Kind(DATA, DATA, ('DATASETS', 'TRANSFORMS', 'DATA_SAMPLERS', 'FUNCTIONS'), paths=True),
    'metric': Kind(METRICS, METRICS, ('METRICS', ), paths=True, names=METRIC_CLASSES),
}
