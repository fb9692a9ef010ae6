"""What is measured beside accuracy, as metrics of mmengine, registered in ``METRICS``."""

from lgd_mm.metrics.calibration import CalibrationError
from lgd_mm.metrics.corruptions import CorruptionMetric

__all__ = ['CalibrationError', 'CorruptionMetric']
