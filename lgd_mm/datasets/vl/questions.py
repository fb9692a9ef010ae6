"""Questions about images, and the answers of people."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from lgd_mm.console.printable import shown
from lgd_mm.console.rank_zero import print_rank0
from lgd_mm.datasets.vl.dataset import RegionTexts, sample
from lgd_mm.errors import DataError, UserError
from lgd_mm.language.answers import answers_of, normalised, read_answers, vqa_accuracy
from lgd_mm.registry import DATASETS


@DATASETS.register_module()
class VLQuestions(RegionTexts):
    """Questions with answers from a list; ``targets`` say how right each is.

    Questions that have no answer of the list are left out when training, and count as wrong when testing.

    Args:
        answers (str): File with an answer on each line, as ``normalised`` by :mod:`lgd_mm.language.answers`.
        test (bool): Keep all, with ``data_samples`` for metrics. Defaults to False.
        **parts (Any): See :class:`lgd_mm.datasets.vl.dataset.RegionTexts`.

    Attributes:
        left_out (int): Questions without an answer of the list.

    Raises:
        UserError: If a question or an answer is no text, a question to train with has no answers, or none is left.
    """

    def __init__(self, answers: str, test: bool = False, **parts: Any) -> None:
        super().__init__(**parts)
        self.answers = {answer: number for number, answer in enumerate(read_answers(answers))}
        self.test = test
        for number, entry in enumerate(self.entries):
            entry.setdefault('question_id', number)
            _check(entry, test)
        odd = [answer for answer in self.answers if normalised(answer) != answer]
        if odd:
            print_rank0(f'{len(odd):,} of {len(self.answers):,} answers of {answers} are the answer to no question, as '
                        f'those of people are compared in their normal form: {shown(odd[0])} is '
                        f'{shown(normalised(odd[0]))}')
        self.tell_unknown(entry['question'] for entry in self.entries)
        answered = [self._scores(entry).any() for entry in self.entries]
        self.left_out = len(answered) - sum(answered)
        if not test:
            self.entries = [entry for entry, found in zip(self.entries, answered) if found]
            if not self.entries:
                raise UserError(f'no question has an answer of {answers}: make the list from the answers of the '
                                'training questions')

    def item(self, index: int, rng: np.random.Generator | None) -> dict[str, Any]:
        """``targets`` are ``answers``."""
        entry = self.entries[index]
        inputs = self.inputs(self.seen(index), self.sequences.text(entry['question']), rng)
        item = dict(inputs=inputs, targets=dict(answers=torch.from_numpy(self._scores(entry))))
        if self.test:
            item['data_samples'] = sample(
                entry, ('question_id', 'question_type', 'question', 'img_path', 'gt_answer', 'gt_answer_weight'))
        return item

    def _scores(self, entry: dict[str, Any]) -> np.ndarray[Any, Any]:
        """How right each answer of the list is (A, ), by the official accuracy."""
        scores = np.zeros(len(self.answers), np.float32)
        people = answers_of(entry) if 'gt_answer' in entry else []
        for answer in Counter(map(normalised, people)):
            if answer in self.answers:
                scores[self.answers[answer]] = vqa_accuracy(answer, people)
        return scores


def _check(entry: Mapping[str, Any], test: bool) -> None:
    """See that there is a question, and answers to it; those of VQA v2's test are kept secret.

    Raises:
        UserError: If not.
    """
    number, question = entry['question_id'], entry.get('question')
    if not isinstance(question, str):
        raise DataError(f'question {shown(number)} is {shown(question)}, and no text: correct the entry')
    if not question.strip():
        raise DataError(f'question {shown(number)} is empty: leave it out')
    if 'gt_answer' not in entry and not test:
        raise DataError(f'question {shown(number)} has no answers: name the file of the answers (source.ann_file)')
    if 'gt_answer' in entry and not all(isinstance(answer, str) for answer in answers_of(entry)):
        raise DataError(f'an answer to question {shown(number)} is no text: correct the entry')
