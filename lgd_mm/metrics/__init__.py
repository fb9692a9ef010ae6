"""What is measured beside accuracy, as metrics of mmengine, registered in ``METRICS``."""

from lgd_mm.metrics.calibration import CalibrationError
from lgd_mm.metrics.corruptions import CorruptionMetric
from lgd_mm.metrics.outliers import OutlierAUROC
from lgd_mm.metrics.retrieval import RetrievalMAP

__all__ = ['CalibrationError', 'CorruptionMetric', 'OutlierAUROC', 'RetrievalMAP']
