"""How captions are scored against those that people wrote, in plain Python."""

from lgd_mm.metrics.captions.bleu import bleu
from lgd_mm.metrics.captions.cider import cider
from lgd_mm.metrics.captions.rouge import rouge
from lgd_mm.metrics.captions.tokens import TOKENIZER, caption_tokens

__all__ = ['TOKENIZER', 'bleu', 'caption_tokens', 'cider', 'rouge']
