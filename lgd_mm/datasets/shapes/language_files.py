"""Captions and questions of the world's detection images, in the files that readers of COCO know."""

import json
from collections.abc import Sequence
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np

from lgd_mm.datasets.shapes.layouts import coco_instances
from lgd_mm.datasets.shapes.questions import answers, questions
from lgd_mm.datasets.shapes.sentences import sentences
from lgd_mm.datasets.shapes.surfaces import COLOURS
from lgd_mm.datasets.shapes.world import SPLITS, make_scene, read_card
from lgd_mm.datasets.shapes.worlds import find_world
from lgd_mm.errors import UserError
from lgd_mm.io.files import write_text
from lgd_mm.language.wordpiece import WordPieces

#: Part of the seeds of what is written, so that it draws other numbers than the images.
_LANGUAGE = 100
#: How often each kind of question is drawn for an image of a split; what was asked before is left out.
_DRAWS = dict(train2017=4, val2017=1)
#: People who answer a question of VQA v2.
_PEOPLE = 10


def write_language(root: str | Path) -> Path:
    """Write what is said of the images of a world's ``coco/{train2017,val2017}``.

    - ``captions_{train,val}.json`` in the form of mmpretrain's ``COCOCaption``: the Karpathy split's;
    - ``questions_{train,val}.json`` and ``answers_{train,val}.json`` in that of VQA v2, ten people being of one mind;
    - ``instances_{train,val}.json``, the objects as COCO has them, with their colours: a detector that knows these has
      features from which a colour can be read;
    - ``answers.txt``, all answers that there are, and ``vocab.txt``, the word pieces of the training texts.

    Args:
        root (str | Path): Folder of :func:`lgd_mm.datasets.shapes.write_world`.

    Returns:
        Path: ``root/language``.

    Raises:
        UserError: If there is no world, or one with things that have no name: a question would be of several.
    """
    card = read_card(Path(root))
    folder, world = Path(root) / 'language', find_world(card['kind'])
    if world.distractors:
        raise UserError(f'{root} is a {card["kind"]} world, in which there are things without a name, so that answers '
                        "would not be certain: name the folder of a world of kind 'shapes'")
    folder.mkdir(exist_ok=True)
    texts: list[str] = []
    for name, split, count in zip(('train', 'val'), ('train2017', 'val2017'), card['detection']):
        captions, asked = _of_split(split, count, card)
        _write(folder / f'captions_{name}.json', captions)
        scenes = ((_file(index), make_scene(split, index, card['seed'], card['kind'])) for index in range(count))
        _write(folder / f'instances_{name}.json', coco_instances(scenes, coloured(world.classes), attrgetter('phrase')))
        _write(folder / f'questions_{name}.json', dict(questions=[question for question, _ in asked]))
        _write(folder / f'answers_{name}.json', dict(annotations=[annotation for _, annotation in asked]))
        if name == 'train':
            texts += [caption for entry in captions for caption in entry['caption']]
            texts += [question['question'] for question, _ in asked] + world.classes
    write_text(folder / 'answers.txt', '\n'.join(answers(world.classes, world.scenes.most)) + '\n')
    write_text(folder / 'vocab.txt', '\n'.join(WordPieces.learnt(texts, size=400).words) + '\n')
    return folder


def _of_split(split: str, count: int, card: dict[str, Any]) -> tuple[list[dict[str, Any]], list[Any]]:
    """Captions of each image, and its questions with their answers."""
    names = find_world(card['kind']).classes
    captions: list[dict[str, Any]] = []
    asked: list[Any] = []
    for index in range(count):
        scene = make_scene(split, index, card['seed'], card['kind'])
        rng = np.random.default_rng([card['seed'], _LANGUAGE + SPLITS[split], index])
        captions.append(dict(image=_file(index), caption=sentences(scene, rng)))
        drawn = {question.text: question for _ in range(_DRAWS[split]) for question in questions(scene, names, rng)}
        for question in drawn.values():
            common = dict(image_id=index + 1, question_id=len(asked) + 1)
            asked.append((dict(common, question=question.text), dict(
                common, question_type=question.kind,
                answers=[dict(answer=question.answer, answer_id=person + 1) for person in range(_PEOPLE)])))
    return captions, asked


def coloured(names: Sequence[str]) -> list[str]:
    """Names with each of the colours."""
    return [f'{colour} {name}' for colour in COLOURS for name in names]


def _file(index: int) -> str:
    """Of an image."""
    return f'{index + 1:012d}.jpg'


def _write(file: Path, content: Any) -> None:
    write_text(file, json.dumps(content))
