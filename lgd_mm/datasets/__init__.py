"""Pre-training images, their views, and labelled images; in ``DATASETS``, ``TRANSFORMS`` and ``DATA_SAMPLERS``."""

from lgd_mm.datasets.corruptions import Corrupt, CorruptedImages
from lgd_mm.datasets.few_labels import FewLabels
from lgd_mm.datasets.image_folder import UnlabelledImages
from lgd_mm.datasets.indexed_images import IndexedImages
from lgd_mm.datasets.labelled_images import LabelledImages
from lgd_mm.datasets.loading import LoadImage, UnreadableImage
from lgd_mm.datasets.outliers import LabelOutlier
from lgd_mm.datasets.shapes.images import DrawnImages
from lgd_mm.datasets.sharded_images import ShardedImages
from lgd_mm.datasets.view_sampler import ViewSampler
from lgd_mm.datasets.views import PackView, RandomView
from lgd_mm.datasets.vl import VLCaptionPretraining, VLCaptionTest, VLCaptionTraining, VLQuestions
from lgd_mm.moved import moved_names

__all__ = [
    'Corrupt', 'CorruptedImages', 'DrawnImages', 'FewLabels', 'IndexedImages', 'LabelOutlier', 'LabelledImages',
    'LoadImage', 'PackView', 'RandomView', 'ShardedImages', 'UnlabelledImages', 'UnreadableImage',
    'VLCaptionPretraining', 'VLCaptionTest', 'VLCaptionTraining', 'VLQuestions', 'ViewSampler'
]

__getattr__ = moved_names(__name__, CachedImages='lgd_mm.teacher_cache')
