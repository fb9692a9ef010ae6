"""What is measured beside accuracy, as metrics of mmengine, registered in ``METRICS``."""

from lgd_mm.metrics.calibration import CalibrationError
from lgd_mm.metrics.captions.metric import CaptionScores
from lgd_mm.metrics.corruptions import CorruptionMetric
from lgd_mm.metrics.outliers import OutlierAUROC
from lgd_mm.metrics.retrieval import RetrievalMAP
from lgd_mm.metrics.vqa_accuracy import VQAAccuracy

__all__ = [
    'CalibrationError', 'CaptionScores', 'CorruptionMetric', 'OutlierAUROC', 'RetrievalMAP', 'VQAAccuracy']
