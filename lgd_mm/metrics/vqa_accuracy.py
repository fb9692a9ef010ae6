"""Answers to questions about images, as VQA v2 counts them."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from mmengine.evaluator import BaseMetric

from lgd_mm.errors import UserError
from lgd_mm.language.answers import answers_of, vqa_accuracy
from lgd_mm.registry import METRICS


@METRICS.register_module()
class VQAAccuracy(BaseMetric):
    """Accuracy of ``pred_answer`` against the answers of people, ``gt_answer``: the official one, which leaves out each
    person in turn (`arXiv:1612.00837 <https://arxiv.org/abs/1612.00837>`_).

    mmpretrain's ``VQAAcc`` compares with all ten at once, and is more lenient: one, two, three of ten that agree are
    33, 67 and 100 % there, 30, 60 and 90 % here. Logs ``vqa/accuracy`` in percent, and ``vqa/TYPE`` where samples have
    a ``question_type``.
    """

    default_prefix = 'vqa'

    def process(self, data_batch: Any, data_samples: Sequence[dict[str, Any]]) -> None:
        """Score each answer."""
        for sample in data_samples:
            if not sample.get('gt_answer'):
                raise UserError(f'question {sample.get("question_id")} has no answer to compare with: leave it out '
                                'of the test set')
            self.results.append((sample['question_id'], sample.get('question_type'),
                                 vqa_accuracy(sample['pred_answer'], answers_of(sample))))

    def compute_metrics(self, results: list[tuple[Any, str | None, float]]) -> dict[str, float]:
        """Means over all questions and over those of each type.

        Args:
            results (list[tuple]): Question, its type, accuracy.

        Returns:
            dict[str, float]: In percent.
        """
        types: dict[str, list[float]] = defaultdict(list)
        for kind, accuracy in {question: (kind, accuracy) for question, kind, accuracy in results}.values():
            types['accuracy'].append(accuracy)
            if kind:
                types[kind].append(accuracy)
        return {kind: 100 * sum(values) / len(values) for kind, values in types.items()}
