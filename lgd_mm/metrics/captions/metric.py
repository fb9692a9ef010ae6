"""Captions scored as COCO does, without Java."""

from collections.abc import Sequence
from typing import Any

from mmengine.evaluator import BaseMetric

from lgd_mm.console.rank_zero import print_rank0
from lgd_mm.errors import UserError
from lgd_mm.metrics.captions.bleu import bleu
from lgd_mm.metrics.captions.cider import cider
from lgd_mm.metrics.captions.rouge import rouge
from lgd_mm.metrics.captions.tokens import TOKENIZER, caption_tokens
from lgd_mm.registry import METRICS


@METRICS.register_module()
class CaptionScores(BaseMetric):
    """CIDEr-D, BLEU-1 to 4 and ROUGE-L of ``pred_caption`` against ``gt_caption``.

    Logs ``caption/CIDEr``, ``caption/BLEU-4``, ... times 100, as COCO's tables. METEOR and SPICE need Java.
    """

    default_prefix = 'caption'

    def process(self, data_batch: Any, data_samples: Sequence[dict[str, Any]]) -> None:
        """Keep the words of each image's caption and of its references."""
        for sample in data_samples:
            references = sample.get('gt_caption') or []
            references = [references] if isinstance(references, str) else references
            if not references:
                raise UserError(f'image {sample.get("image_id")} has no caption to compare with: leave it out of the '
                                'test set')
            # mmpretrain's COCOCaption calls cat_1.jpg and dog_1.jpg alike: image 1
            self.results.append((sample.get('img_path', sample.get('image_id')), caption_tokens(sample['pred_caption']),
                                 [caption_tokens(reference) for reference in references]))

    def compute_metrics(self, results: list[tuple[Any, list[str], list[list[str]]]]) -> dict[str, float]:
        """Scores of all images; of one that was captioned twice, as the last batch of several processes may be, once.

        Args:
            results (list[tuple]): Image, words of its caption, words of its references.

        Returns:
            dict[str, float]: Times 100.
        """
        once = {image: (caption, references) for image, caption, references in results}
        captions, references = zip(*once.values())
        print_rank0(f'caption scores of {len(once)} images; words by {TOKENIZER}')
        scores = {f'BLEU-{n}': score for n, score in enumerate(bleu(captions, references), start=1)}
        scores['CIDEr'] = sum(cider(captions, references)) / len(once)
        scores['ROUGE-L'] = sum(rouge(captions, references)) / len(once)
        return {name: 100 * score for name, score in scores.items()}
