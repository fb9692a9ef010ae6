"""Registries of this package: children of mmengine's roots, so that ``lgd_mm.X`` resolves from every scope."""

from mmengine.registry import DATA_SAMPLERS as MMENGINE_DATA_SAMPLERS
from mmengine.registry import DATASETS as MMENGINE_DATASETS
from mmengine.registry import HOOKS as MMENGINE_HOOKS
from mmengine.registry import LOOPS as MMENGINE_LOOPS
from mmengine.registry import METRICS as MMENGINE_METRICS
from mmengine.registry import MODELS as MMENGINE_MODELS
from mmengine.registry import OPTIM_WRAPPERS as MMENGINE_OPTIM_WRAPPERS
from mmengine.registry import TRANSFORMS as MMENGINE_TRANSFORMS
from mmengine.registry import VISBACKENDS as MMENGINE_VISBACKENDS
from mmengine.registry import WEIGHT_INITIALIZERS as MMENGINE_WEIGHT_INITIALIZERS
from mmengine.registry import Registry

MODELS = Registry('model', parent=MMENGINE_MODELS, scope='lgd_mm', locations=['lgd_mm.models', 'lgd_mm.teacher_cache'])
DATASETS = Registry(
    'dataset', parent=MMENGINE_DATASETS, scope='lgd_mm',
    locations=['lgd_mm.datasets', 'lgd_mm.teacher_cache', 'lgd_mm.watching'])
TRANSFORMS = Registry('transform', parent=MMENGINE_TRANSFORMS, scope='lgd_mm', locations=['lgd_mm.datasets'])
DATA_SAMPLERS = Registry(
    'data sampler', parent=MMENGINE_DATA_SAMPLERS, scope='lgd_mm', locations=['lgd_mm.datasets'])
HOOKS = Registry('hook', parent=MMENGINE_HOOKS, scope='lgd_mm', locations=['lgd_mm.engine'])
LOOPS = Registry('loop', parent=MMENGINE_LOOPS, scope='lgd_mm', locations=['lgd_mm.engine', 'lgd_mm.watching'])
METRICS = Registry('metric', parent=MMENGINE_METRICS, scope='lgd_mm', locations=[
    'lgd_mm.metrics', 'lgd_mm.lean_mmseg', 'lgd_mm.evaluation.few_shot_accuracy', 'lgd_mm.watching'])
OPTIM_WRAPPERS = Registry(
    'optim_wrapper', parent=MMENGINE_OPTIM_WRAPPERS, scope='lgd_mm', locations=['lgd_mm.engine'])
VISBACKENDS = Registry(
    'vis_backend', parent=MMENGINE_VISBACKENDS, scope='lgd_mm', locations=['lgd_mm.engine.tracking'])
WEIGHT_INITIALIZERS = Registry(
    'weight initializer', parent=MMENGINE_WEIGHT_INITIALIZERS, scope='lgd_mm', locations=['lgd_mm.students.neck'])
