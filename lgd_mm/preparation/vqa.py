"""VQA v2: questions and answers of people under the names that the configs have, and the answers that are learnt."""

import os
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from lgd_mm.errors import DataError
from lgd_mm.io.files import write_text
from lgd_mm.io.texts import read_json
from lgd_mm.preparation.links import refuse_links
from lgd_mm.preparation.spec import DatasetSpec, Repair
from lgd_mm.preparation.tree import Tree

#: Questions of each part; people answered those of the first two.
QUESTIONS = dict(train2014=443_757, val2014=214_354, test2015=447_793)
ANSWERED = ('train2014', 'val2014')
#: Published names of the files, and what the configs call them.
NAMES = ((r'v2_OpenEnded_mscoco_(train2014|val2014|test2015|test-dev2015)_questions\.json', r'questions_\1.json'),
         (r'v2_mscoco_(train2014|val2014)_annotations\.json', r'annotations_\1.json'))
ANSWERS = 'answers.txt'
#: Questions, of training and validation together, that an answer must be the most frequent one of: 3,129 answers in the
#: lists that are passed around.
LEAST = 9


def published_names(tree: Tree, spec: DatasetSpec, folders: Sequence[Path]) -> Iterator[Repair]:
    """Files that were unpacked by hand.

    Args:
        tree (Tree): The data set.
        spec (DatasetSpec): VQA v2.
        folders (Sequence[Path]): The user's root first.

    Yields:
        Repair: Gives one the name that the configs have.

    Raises:
        UserError: If one lies behind a link.
    """
    for name in tree.files(''):
        for pattern, ours in NAMES:
            match = re.fullmatch(pattern, name)
            target = match and match.expand(ours)
            if target and not (tree / target).exists():
                refuse_links(folders[0], tree / name, tree / target)
                yield Repair(f'{name} is called {target} by the configs', (target, ),
                             partial(os.rename, tree / name, tree / target))


def missing_answers(tree: Tree, spec: DatasetSpec, folders: Sequence[Path]) -> Iterator[Repair]:
    """The list of answers; arguments and errors are those of :func:`published_names`.

    Yields:
        Repair: Makes it, once the answers of people are there.
    """
    files = [tree / f'annotations_{part}.json' for part in ANSWERED]
    if not (tree / ANSWERS).exists() and all(file.is_file() for file in files):
        refuse_links(folders[0], tree / ANSWERS)
        yield Repair(f'{ANSWERS} is missing', (ANSWERS, ), partial(_write_answers, files, tree / ANSWERS))


def _write_answers(files: Sequence[Path], target: Path) -> None:
    entries = [entry for file in files for entry in _entries(file, 'annotations')]
    try:
        answers = frequent_answers(entries)
    except (KeyError, TypeError) as error:
        raise DataError(f'{files[0]} is not of the form of VQA v2 ({type(error).__name__}: {error}): unpack it again'
                        ) from error
    if not answers:
        raise DataError(f'{files[0]} has no answer to {LEAST} questions: unpack it again')
    write_text(target, ''.join(f'{answer}\n' for answer in answers))


def frequent_answers(entries: Iterable[Mapping[str, Any]], least: int = LEAST) -> list[str]:
    """Answers that are learnt, as `arXiv:1708.02711 <https://arxiv.org/abs/1708.02711>`_ chooses them: of each question
    the most frequent one, normalised, if enough questions have it.

    Args:
        entries (Iterable[Mapping]): ``annotations`` of VQA v2.
        least (int): Questions. Defaults to 9.

    Returns:
        list[str]: The most frequent first, of like ones in the order of the alphabet.
    """
    from lgd_mm.language.answers import normalised  # brings mmpretrain's metrics, which take seconds
    plain = {answer: normalised(answer) for answer in {entry['multiple_choice_answer'] for entry in entries}}
    questions = defaultdict(set)
    for entry in entries:
        questions[plain[entry['multiple_choice_answer']]].add(entry['question_id'])
    counts = {answer: len(asked) for answer, asked in questions.items() if answer.strip() and len(asked) >= least}
    return sorted(counts, key=lambda answer: (-counts[answer], answer))


def question_faults(part: str, tree: Tree) -> Iterator[str]:
    """What is wrong with the questions of a part.

    Raises:
        UserError: If they are no JSON, or of another form.
    """
    path = f'questions_{part}.json'
    questions = _entries(tree / path, 'questions')
    if len(questions) != QUESTIONS[part]:
        yield f'{path} has {len(questions):,} questions instead of {QUESTIONS[part]:,}'
    for index, each in enumerate(questions):
        if not (isinstance(each.get('question'), str) and type(each.get('question_id')) is int
                and type(each.get('image_id')) is int):
            yield f'{path} has no valid question, question_id or image_id in entry {index}: unpack it again'
            break


def answer_faults(part: str, tree: Tree) -> Iterator[str]:
    """What is wrong with the answers of people: the n-th must be of the n-th question.

    Raises:
        UserError: If they are no JSON, or of another form.
    """
    path, asked = f'annotations_{part}.json', f'questions_{part}.json'
    entries = _entries(tree / path, 'annotations')
    for index, entry in enumerate(entries):
        answers = entry.get('answers')
        if not (isinstance(entry.get('multiple_choice_answer'), str) and isinstance(answers, list) and answers
                and all(isinstance(one, dict) and isinstance(one.get('answer'), str) for one in answers)):
            yield f'{path} has no valid answers in entry {index}: unpack it again'
            return
    if (tree / asked).is_file():
        numbers = [[each.get('question_id') for each in found]
                   for found in (entries, _entries(tree / asked, 'questions'))]
        if numbers[0] != numbers[1]:
            yield f'{path} is not of the questions of {asked}, in their order: unpack both again'


def list_faults(tree: Tree) -> Iterator[str]:
    """What is wrong with the list of answers, which may be another than that which is made here.

    Raises:
        UserError: If there are none, or one is there twice.
    """
    from lgd_mm.language.answers import read_answers
    read_answers(str(tree / ANSWERS))
    yield from ()


def _entries(file: Path, key: str) -> list[dict[str, Any]]:
    content = read_json(file)
    entries = content.get(key) if isinstance(content, dict) else None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise DataError(f'{file} has no list {key!r}: it is not of VQA v2; unpack the published file')
    return entries
