"""Answers to questions about images."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from mmengine.device import get_device

from lgd_mm.console.words import some
from lgd_mm.engine.regions.of_files import Seen
from lgd_mm.errors import UserError
from lgd_mm.prediction.table import safe_path, safe_text
from lgd_mm.vision_language.files import ANSWERS, write_found
from lgd_mm.vision_language.inputs import batches_of, stacked
from lgd_mm.vision_language.student import Student

#: Questions that go through a model at a time.
ROWS = 64


@dataclass(frozen=True)
class Answers:
    """To Q questions about N images.

    Attributes:
        questions (list[str]): As they were asked.
        paths (list[str]): The images that could be read.
        best (list[list[list[tuple[str, float]]]]): Of each image, to each question, the likeliest answers with their
            probabilities, the best first. Each is that of one answer alone, so they need not sum to one.
        unreadable (list[str]): What could not be read, and why.
        unknown (dict[str, list[str]]): Question -> its words that the student does not know, which it reads as [UNK].
    """

    questions: list[str]
    paths: list[str]
    best: list[list[list[tuple[str, float]]]]
    unreadable: list[str]
    unknown: dict[str, list[str]]

    def rows(self) -> Iterator[tuple[str, str, int, str, float]]:
        """Image, question, rank from 1, answer and its probability."""
        for path, answers in zip(self.paths, self.best):
            for question, best in zip(self.questions, answers):
                yield from ((path, question, rank, *one) for rank, one in enumerate(best, 1))

    def write(self, file: str | Path) -> Path:
        """Write a table with the columns image, question, rank, answer and probability, safe to open in a spreadsheet,
        or the same as JSON.

        Args:
            file (str | Path): ``.csv`` or ``.json``; replaced if it is one that was written like this.

        Returns:
            Path: The file.

        Raises:
            UserError: If it cannot be written, or is any other file.
        """
        return write_found(Path(file), ANSWERS, [dict(zip(ANSWERS, row)) for row in self.rows()],
                           ([safe_path(path), safe_text(question), rank, safe_text(answer), f'{probability:.4f}']
                            for path, question, rank, answer, probability in self.rows()))


@torch.no_grad()
def answer_questions(student: Student, network: Any, paths: Sequence[str], questions: Sequence[str], top: int,
                     workers: int) -> Answers:
    """Answer each question about each image, as the tests of a training do.

    Args:
        student (Student): Trained for answers.
        network (DetectorRegions | GridRegions): What sees the images for it.
        paths (Sequence[str]): Of the images.
        questions (Sequence[str]): At least one.
        top (int): Answers of each.
        workers (int): Processes that read images.

    Returns:
        Answers: In the order of the images and of the questions.

    Raises:
        UserError: If it cannot read a question, or no image can be read.
    """
    found = Answers(list(questions), [], [], [], check_known_words(student, questions))
    student.model.to(get_device())
    unreadable: list[str] = []
    for batch in batches_of(network, paths, workers, unreadable):
        found.paths.extend(seen.path for seen in batch)
        best = _best(student, batch, questions, top)
        found.best.extend([next(best) for _ in questions] for _ in batch)
    found.unreadable.extend(unreadable)
    return found


def _best(student: Student, batch: Sequence[Seen], questions: Sequence[str],
          top: int) -> Iterator[list[tuple[str, float]]]:
    """To each question about the first image, then about the second, ..."""
    task: Any = student.model.task
    names = task.names.lines
    texts = [student.sequences.text(question) for question in questions]
    pairs = [(text, seen.regions) for seen in batch for text in texts]
    for start in range(0, len(pairs), ROWS):
        inputs = stacked(student, pairs[start:start + ROWS])
        chances = task.labels(student.model.encode(inputs).hidden).logits.float().sigmoid()
        values, places = chances.topk(min(top, len(names)), dim=1)
        for row in zip(places.tolist(), values.tolist()):
            yield [(names[place], value) for place, value in zip(*row)]


def check_known_words(student: Student, questions: Sequence[str]) -> dict[str, list[str]]:
    """See that a student can read questions.

    Args:
        student (Student): The student.
        questions (Sequence[str]): As they were asked.

    Returns:
        dict[str, list[str]]: Question -> its words that the student does not know; without those that it knows wholly.

    Raises:
        UserError: If one is longer than the student reads, or has no word that it knows.
    """
    pieces, longest = student.sequences.vocabulary, student.sequences.lengths.text - 2
    found = {}
    for question in questions:
        unknown, others = pieces.unknown_words(question)
        if not others:
            words = f' ({some(unknown)})' if unknown else ''
            raise UserError(f'{student.path} knows no word of the question {question!r}{words}: ask in the words of '
                            'the questions that it was trained on')
        number = len(pieces.pieces(question))
        if number > longest:
            raise UserError(f'the question {question!r} has {number} word pieces, and {student.path} reads {longest}: '
                            'shorten it')
        if unknown:
            found[question] = unknown
    return found
