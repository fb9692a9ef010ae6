"""Answers of people to questions about images, and how far one agrees with them."""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from mmpretrain.evaluation.metrics.vqa import _process_digit_article, _process_punctuation

from lgd_mm.errors import UserError
from lgd_mm.io.texts import read_text

#: People who answer a question of VQA v2.
PEOPLE = 10
#: People whose agreement makes an answer right.
AGREEING = 3
#: Answers that need not be normalised again: VQA v2 has half a million questions, and a few thousand answers to most.
KEPT = 2**16


def read_answers(file: str) -> list[str]:
    """Answers, one on each line.

    Raises:
        UserError: If there is no such file, there are none, or one is there twice.
    """
    if not os.path.exists(file):
        raise UserError(f'answers: {file} does not exist: `python tools/prepare_dataset.py vqa ROOT` makes the '
                        'answers.txt of VQA v2; of other questions, write one answer on each line')
    answers = [line for line in read_text(file, 'answers').split('\n') if line.strip()]
    twice = next((answer for answer, count in Counter(answers).items() if count > 1), None)
    if not answers or twice is not None:
        what = f'has {twice!r} twice' if answers else 'has no answer'
        raise UserError(f'{file} {what}: give one answer on each line')
    return answers


def answers_of(entry: Mapping[str, Any]) -> list[str]:
    """Answers of people, one for each: mmpretrain's ``COCOVQA`` keeps each answer once, with the part of the people who
    gave it.

    Args:
        entry (Mapping): ``gt_answer``, one or several, and perhaps ``gt_answer_weight``.
    """
    answers = entry['gt_answer']
    if isinstance(answers, str):
        return [answers]
    weights = entry.get('gt_answer_weight')
    if weights is None:
        return list(answers)
    return [answer for answer, weight in zip(answers, weights) for _ in range(round(PEOPLE * weight))]


def vqa_accuracy(answer: str, people: Sequence[str]) -> float:
    """How right an answer is.

    Args:
        answer (str): Of a model.
        people (Sequence[str]): Of people, ten as a rule; that of one alone is right if it is the same, as normalised.

    Returns:
        float: From 0 to 1.
    """
    answer = normalised(answer.replace('\n', ' ').replace('\t', ' ').strip())
    if len(people) == 1:
        return float(normalised(people[0]) == answer)
    if len(set(people)) > 1:  # as the official code: what all say alike stays as it is
        people = [unpunctuated(one) for one in people]
    agreeing = [one == answer for one in people]
    return sum(min(1., (sum(agreeing) - one) / AGREEING) for one in agreeing) / len(people)


@lru_cache(KEPT)
def normalised(answer: str) -> str:
    """An answer without punctuation, articles and case, numbers as digits."""
    plain: str = _process_digit_article(unpunctuated(answer))
    return plain


@lru_cache(KEPT)
def unpunctuated(answer: str) -> str:
    """An answer without punctuation."""
    plain: str = _process_punctuation(answer)
    return plain
