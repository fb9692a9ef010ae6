"""Heads: the alignment losses."""

from lgd_mm.models.heads.lgd_head import LGDHead
from lgd_mm.models.losses import alignment_loss

__all__ = ['LGDHead', 'alignment_loss']
