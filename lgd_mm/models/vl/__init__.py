"""Models of vision and language, and how a small one learns from a large one."""

from lgd_mm.models.vl.distill_vlm import DistillVLM
from lgd_mm.models.vl.model import VisionLanguageModel
from lgd_mm.models.vl.tasks import VLAnswering, VLCaptioning, VLPretraining

__all__ = ['DistillVLM', 'VLAnswering', 'VLCaptioning', 'VLPretraining', 'VisionLanguageModel']
