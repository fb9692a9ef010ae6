"""The world on disk: written once, completed where it was left, the same from the same seed."""

import json
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from lgd_mm.console.progress import track
from lgd_mm.datasets.shapes.layouts import ade_labels, coco_captions, coco_instances
from lgd_mm.datasets.shapes.scene import Scene, draw_view
from lgd_mm.datasets.shapes.surfaces import COLOURS
from lgd_mm.datasets.shapes.things import Thing
from lgd_mm.datasets.shapes.worlds import find_world
from lgd_mm.errors import UserError
from lgd_mm.io.files import read_plain

#: Kinds of images; each number is part of its images' seeds, so never change one.
SPLITS = dict(
    pretrain=0, zero_shot=1, train2017=2, val2017=3, training=4, validation=5, teacher=6, teacher_test=7, labelled=8)

#: The world that there was before there were kinds: its card names none.
_FIRST = 'shapes'

#: Draws an image by its split and index.
Draw = Callable[[str, int], Scene]

#: Images of ``labelled`` that its list for the linear probe names.
_PROBE = 1000


def make_scene(split: str, index: int, seed: int = 0, kind: str = _FIRST) -> Scene:
    """Any image of the world, without the disk.

    Args:
        split (str): One of :data:`SPLITS`. The categories of those with one object follow their index.
        index (int): Which image.
        seed (int): Which world. Defaults to 0.
        kind (str): One of ``WORLDS``. Defaults to ``'shapes'``.

    Returns:
        Scene: Of the first world, 64 px with 1-3 objects (``pretrain``, ``teacher``) or one (``zero_shot``,
        ``teacher_test``, ``labelled``); else 128 px with 1-4 objects. To the teacher all that the world has is
        labelled.

    Raises:
        UserError: If there is no such kind.
    """
    world = find_world(kind)
    rng = np.random.default_rng([seed, SPLITS[split], index])
    things: tuple[Thing, ...] | None = None
    if split in ('zero_shot', 'teacher_test', 'labelled'):
        view, things = world.single, (world.categories[index % len(world.categories)], )
    elif split == 'teacher':
        view = replace(world.teacher, most=1 + index % world.teacher.most)
        things = world.categories + world.absent + world.distractors
    else:
        view = world.pretrain if split == 'pretrain' else world.scenes
    return draw_view(rng, view, world, things)


def write_world(root: str | Path,
                seed: int = 0,
                unlabelled: int = 12000,
                zero_shot: int = 800,
                labelled: int = 4000,
                detection: tuple[int, int] | None = None,
                segmentation: tuple[int, int] | None = None,
                kind: str = _FIRST) -> Path:
    """Write the world as the folders that pre-training, classification, detection and segmentation read.

    - ``pretrain/*.jpg`` and ``captions.json`` (COCO's caption format);
    - ``zero_shot/SHAPE/*.png`` and ``labelled/SHAPE/*.png``: one object each, a folder per category;
    - ``meta/FOLDER_{shapes,colours}.txt``: the same images by either label, and ``meta/probe_{shapes,colours}.txt``:
      the first 1,000 of ``labelled``, in the form of mmpretrain's ``CustomDataset``;
    - ``coco/{train2017,val2017}`` and ``coco/annotations/instances_*.json``;
    - ``ade/{images,annotations,colours}/{training,validation}``: masks by shape and by colour, see ``ade_labels``;
    - ``world.json``: the arguments.

    Files that exist are kept, missing ones are written, and each appears whole or not at all: a call after an
    interruption goes on, a call on a complete world only looks.

    Args:
        root (str | Path): Folder, new or holding a world of the same arguments.
        seed (int): Which world. Defaults to 0.
        unlabelled (int): Images for pre-training. Defaults to 12000.
        zero_shot (int): Images of single objects to test with. Defaults to 800.
        labelled (int): Images of single objects to train with. Defaults to 4000.
        detection (tuple[int, int], optional): Training and validation images in COCO's layout. Defaults to those of
            ``WORLDS``.
        segmentation (tuple[int, int], optional): The same in ADE20K's layout.
        kind (str): One of ``WORLDS``. Defaults to ``'shapes'``.

    Returns:
        Path: ``root``.

    Raises:
        UserError: If there is no such kind, or the folder holds something else or cannot be written.
    """
    root = Path(root)
    world = find_world(kind)
    detection, segmentation = detection or world.detection, segmentation or world.segmentation
    arguments = dict(kind=kind, version=world.version, seed=seed, unlabelled=unlabelled, zero_shot=zero_shot,
                     labelled=labelled, detection=list(detection), segmentation=list(segmentation))
    draw = partial(make_scene, seed=seed, kind=kind)
    try:
        _claim(root, arguments)
        _write_unlabelled(root / 'pretrain', draw, unlabelled)
        _write_classes(root, 'zero_shot', draw, world.classes, zero_shot)
        _write_classes(root, 'labelled', draw, world.classes, labelled, probe=_PROBE)
        for split, count in zip(('train2017', 'val2017'), detection):
            _write_detection(root / 'coco', split, draw, world.classes, count)
        for split, count in zip(('training', 'validation'), segmentation):
            _write_segmentation(root / 'ade', split, draw, world.classes, count)
        _remove_left(root)
    except OSError as error:
        raise UserError(f'the shapes world cannot be written to {root} ({error.strerror or error}): choose a folder '
                        'that is writable and has 200 MB of free space') from error
    return root


def _claim(root: Path, arguments: dict[str, Any]) -> None:
    """Leave the arguments in a new folder; refuse one that has others or none."""
    card = root / 'world.json'
    if not card.exists():
        if root.is_dir() and any(path.suffix != '.tmp' for path in root.iterdir()):
            raise UserError(f'{root} holds files but no world.json, so it is no shapes world: name a new folder')
        _put(card, _as_json({key: value for key, value in arguments.items() if (key, value) != ('kind', _FIRST)}))
        return
    found = read_card(root)
    other = [key for key in arguments if found.get(key) != arguments[key]]
    if other:
        differences = ', '.join(f'{key} {found.get(key)} instead of {arguments[key]}' for key in other)
        raise UserError(f'{root} holds a shapes world with {differences}: name another folder or delete this one')


def read_card(root: Path) -> dict[str, Any]:
    """The arguments of the world in a folder.

    Raises:
        UserError: If there is none.
    """
    card = root / 'world.json'
    try:
        return dict(dict(kind=_FIRST), **json.loads(read_plain(card)))
    except OSError as error:
        raise UserError(f'{card} cannot be read ({error.strerror}): name the folder of a shapes world') from error
    except (ValueError, TypeError, RecursionError) as error:
        raise UserError(f'{card} is no valid JSON of a world: delete {root} to have the world written anew') from error


def _write_unlabelled(folder: Path, draw: Draw, count: int) -> None:
    paths = [folder / f'{index:06d}.jpg' for index in range(count)]
    captions = folder / 'captions.json'
    if _complete([*paths, captions]):
        return
    phrases = []
    for path, scene in _scenes(paths, 'pretrain', draw):
        _put_image(path, scene.image)
        phrases.append((path.name, [item.phrase for item in scene.objects] + [scene.ground] * bool(scene.ground)))
    _put(captions, _as_json(coco_captions(phrases)))


def _write_classes(root: Path, split: str, draw: Draw, classes: list[str], count: int, probe: int = 0) -> None:
    """Images of one object, and the lists of their labels."""
    folders = [name.replace(' ', '_') for name in classes]
    paths = [root / split / folders[index % len(folders)] / f'{index:06d}.png' for index in range(count)]
    lists = [root / 'meta' / f'{name}_{label}.txt' for name in (split, *(['probe'] if probe else []))
             for label in ('shapes', 'colours')]
    if _complete([*paths, *lists]):
        return
    lines: dict[str, list[str]] = dict(shapes=[], colours=[])
    for path, scene in _scenes(paths, split, draw):
        _put_image(path, scene.image)
        place, item = path.relative_to(root / split), scene.objects[0]
        lines['shapes'].append(f'{place} {classes.index(item.name)}')
        lines['colours'].append(f'{place} {COLOURS.index(item.colour)}')
    for file in lists:
        name, label = file.stem.rsplit('_', 1)
        _put(file, '\n'.join(lines[label][:probe if name == 'probe' else None]).encode())


def _write_detection(root: Path, split: str, draw: Draw, classes: list[str], count: int) -> None:
    paths = [root / split / f'{index:012d}.jpg' for index in range(1, count + 1)]
    instances = root / 'annotations' / f'instances_{split}.json'
    if _complete([*paths, instances]):
        return
    scenes = []
    for path, scene in _scenes(paths, split, draw):
        _put_image(path, scene.image)
        scenes.append((path.name, scene))
    _put(instances, _as_json(coco_instances(scenes, classes)))


def _write_segmentation(root: Path, split: str, draw: Draw, classes: list[str], count: int) -> None:
    stem = dict(training='ADE_train', validation='ADE_val')[split]
    paths = [root / 'images' / split / f'{stem}_{index:08d}.jpg' for index in range(1, count + 1)]
    labels, colours = ([root / folder / split / f'{path.stem}.png' for path in paths]
                       for folder in ('annotations', 'colours'))
    if not _complete([*paths, *labels, *colours]):
        for (path, scene), label, colour in zip(_scenes(paths, split, draw), labels, colours):
            _put_image(path, scene.image)
            _put_image(label, ade_labels(scene, classes))
            _put_image(colour, ade_labels(scene, COLOURS))


def _scenes(paths: list[Path], split: str, draw: Draw) -> Iterator[tuple[Path, Scene]]:
    """The images of a split with their files, under a progress bar where there is a terminal."""
    for index, path in enumerate(track(paths, f'drawing {split}', len(paths))):
        yield path, draw(split, index)


def _complete(paths: list[Path]) -> bool:
    return all(path.exists() for path in paths)


def _put_image(path: Path, image: NDArray[Any]) -> None:
    """Encode RGB or grey pixels by the file's ending."""
    if not path.exists():
        pixels = image[:, :, ::-1] if image.ndim == 3 else image
        _put(path, cv2.imencode(path.suffix, pixels)[1].tobytes())  # JPEG at quality 95


def _put(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Another process may write the same. Not synced: there are thousands, and all can be made again.
    unfinished = path.with_name(f'{path.name}.{os.uname().nodename}.{os.getpid()}.tmp')
    unfinished.write_bytes(content)
    os.replace(unfinished, path)


def _remove_left(root: Path) -> None:
    """Remove what killed processes left unfinished, but not what another one, or one of another machine, writes, and no
    file of the user."""
    own = re.compile(rf'.+\.(?:jpg|png|json|txt)\.{re.escape(os.uname().nodename)}\.([1-9][0-9]{{0,9}})\.tmp')
    for unfinished in root.rglob('*.tmp'):
        found = own.fullmatch(unfinished.name)
        if found and unfinished.is_file() and not _lives(int(found[1])):
            unfinished.unlink(missing_ok=True)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):  # of another user
        pass
    return True


def _as_json(content: dict[str, Any]) -> bytes:
    return json.dumps(content).encode()
