"""The algorithm and its parts, registered in ``lgd_mm.registry.MODELS``."""

from lgd_mm.models.backbones import MobileNetV2, TIMMBackbone
from lgd_mm.models.baselines import SEED, CompRess, FeatureMimicking
from lgd_mm.models.classifiers import FewShotProbe, KNNClassifier, LinearProbe
from lgd_mm.models.dense import DenseGuidance
from lgd_mm.models.heads import LGDHead, alignment_loss
from lgd_mm.models.lgd import LGD
from lgd_mm.models.many_students import ManyStudents
from lgd_mm.models.necks import LGKA, FPNProjection, MeanPooling, MLPProjection, PyramidProjection, SimpleFeaturePyramid
from lgd_mm.models.students import HeadlessStudent, ZeroShotStudent
from lgd_mm.models.teachers import BackboneTeacher, OpenCLIPTeacher
from lgd_mm.models.view_preprocessor import ViewPreprocessor
from lgd_mm.models.vl import DistillVLM, VisionLanguageModel, VLAnswering, VLCaptioning, VLPretraining
from lgd_mm.models.zero_shot import ZeroShotClassifier
from lgd_mm.moved import moved_names

__all__ = [
    'LGD', 'LGKA', 'SEED', 'BackboneTeacher', 'CompRess', 'DenseGuidance', 'DistillVLM', 'FPNProjection',
    'FeatureMimicking', 'FewShotProbe', 'HeadlessStudent', 'KNNClassifier', 'LGDHead', 'LinearProbe', 'MLPProjection',
    'ManyStudents', 'MeanPooling', 'MobileNetV2', 'OpenCLIPTeacher', 'PyramidProjection', 'SimpleFeaturePyramid',
    'TIMMBackbone', 'VLAnswering', 'VLCaptioning', 'VLPretraining', 'ViewPreprocessor', 'VisionLanguageModel',
    'ZeroShotClassifier', 'ZeroShotStudent', 'alignment_loss'
]

__getattr__ = moved_names(__name__, CachedTeacher='lgd_mm.teacher_cache')
