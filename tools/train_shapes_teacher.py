"""Make the teacher that ships with a world of shapes: ``python tools/train_shapes_teacher.py --out DIR``.

A tiny open_clip model, trained with SigLIP's loss on images of the world and captions that name one of their objects:
its shape, its colour, what else the world's names say, or several of these; or the background. The folder can be used
as ``local-dir:DIR`` wherever open_clip takes a model name.
"""

import argparse
import gzip
import json
import math
import shutil
import time
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import torch
import torch.nn.functional as F
from open_clip.loss import SigLipLoss
from open_clip.tokenizer import default_bpe
from safetensors.torch import save_file
from torch import Tensor
from tqdm import tqdm

from lgd_mm.datasets.shapes import COLOURS, WORLDS, Scene, Thing, make_scene
from lgd_mm.errors import UserError, reported
from lgd_mm.io.safe_load import load_checkpoint_file

TEMPLATES = open_clip.OPENAI_IMAGENET_TEMPLATES
MERGES = 512  # byte-pair merges kept of CLIP's 48,894: they would make a vocabulary of 49,408 tokens
MEAN, STD = [0.37, 0.37, 0.37], [0.21, 0.21, 0.21]
CONFIG: dict[str, Any] = {
    'model_cfg': {
        'embed_dim': 64,
        'vision_cfg': {'image_size': 64, 'layers': [2, 2, 1, 1], 'width': 16},
        'text_cfg': {'context_length': 32, 'vocab_size': 2 * 256 + MERGES + 2, 'width': 48, 'heads': 2, 'layers': 1},
        'init_logit_scale': math.log(10),
        'init_logit_bias': -4.0,
    },
    'preprocess_cfg': {'mean': MEAN, 'std': STD},
}
BATCH = 128
WEIGHTS = 'open_clip_model.safetensors'


class SharedCaptionsLoss(SigLipLoss):
    """SigLIP's loss for captions that may be true of several images of the batch."""

    truth: Tensor  #: (images, captions), 1 where the caption is true and -1 elsewhere

    def get_ground_truth(self, *_: object, **__: object) -> Tensor:
        """Labels of all pairs, in place of the identity."""
        return self.truth


def main() -> None:
    """Train, measure and write the folder."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--out', type=Path, required=True, help='new folder for model, merges and README')
    parser.add_argument('--world', choices=WORLDS, default='shapes', help='what it is to know (default: shapes)')
    parser.add_argument('--start', type=Path, help='folder of a teacher to go on from (default: new weights)')
    parser.add_argument('--steps', type=int, default=2000, help='steps of 128 images (default: 2000)')
    parser.add_argument('--images', '--pictures', type=int, default=12000, help='images to learn from (default: 12000)')
    parser.add_argument('--seed', type=int, default=0, help='of weights, batches and world (default: 0)')
    arguments = parser.parse_args()
    with reported():
        if arguments.out.exists() and not (arguments.out.is_dir() and not any(arguments.out.iterdir())):
            raise UserError(f'--out {arguments.out} is not empty: name a new folder')
        if arguments.start:
            check_start(arguments.start)
        arguments.out.mkdir(parents=True, exist_ok=True)
        make_teacher(arguments.out, arguments.world, arguments.steps, arguments.images, arguments.seed, arguments.start)


def check_start(folder: Path) -> None:
    """See that a teacher can go on from the weights of another.

    Args:
        folder (Path): Of the other.

    Raises:
        UserError: If it has none, or those of other sizes.
    """
    with torch.device('meta'):
        wanted = {key: value.shape for key, value in open_clip.CLIP(**CONFIG['model_cfg']).state_dict().items()}
    state = load_checkpoint_file(folder / WEIGHTS).get('state_dict', {})
    odd = next((key for key in sorted({*wanted, *state}) if key not in state or wanted.get(key) != state[key].shape),
               None)
    if odd is not None:
        raise UserError(f'--start {folder}: {odd} is not as in the teacher of a world: name a folder that this script '
                        'wrote')


def make_teacher(
        out: Path, world: str, steps: int, number: int, seed: int, start_from: Path | None = None) -> None:
    """Train the teacher and write it with its figures.

    Args:
        out (Path): An empty folder.
        world (str): What it is to know, one of ``WORLDS``.
        steps (int): Optimiser steps.
        number (int): Size of the training set.
        seed (int): Of weights, batches and world.
        start_from (Path, optional): Folder of a teacher whose weights are the first.
    """
    began = time.perf_counter()
    torch.manual_seed(seed)
    (out / 'open_clip_config.json').write_text(json.dumps(CONFIG, indent=2) + '\n')
    write_merges(out / 'bpe.txt.gz')
    name = f'local-dir:{out}'
    if start_from:
        shutil.copyfile(start_from / WEIGHTS, out / WEIGHTS)
    model = open_clip.create_model(name, load_weights=bool(start_from)).to(memory_format=torch.channels_last)
    tokenizer = open_clip.get_tokenizer(name, bpe_path=str(out / 'bpe.txt.gz'))
    phrases = all_phrases(world)
    train(model, tokenizer, phrases, *training_set(world, phrases, number, seed), steps, 2e-3 if start_from else 3e-3)
    half = {key: value.half().contiguous() for key, value in model.state_dict().items()}
    save_file(half, out / WEIGHTS)
    minutes = (time.perf_counter() - began) / 60
    shape, colour = accuracy(name, out / 'bpe.txt.gz', world, seed)
    thing = 'shape' if world == 'shapes' else f'one of {len(WORLDS[world].classes)} categories'
    options = ('' if world == 'shapes' else f'--world {world} ') + (f'--start {start_from} ' if start_from else '')
    print(f'zero-shot {thing} {shape:.1%}, colour {colour:.1%}')
    (out / 'README.md').write_text(
        f'# Teacher of the {"shapes" if world == "shapes" else world} world\n\n'
        'A tiny open_clip model (`local-dir:` form, own byte-pair merges in `bpe.txt.gz`), made by\n'
        f'`python tools/train_shapes_teacher.py {options}--steps {steps} --images {number} --seed {seed} --out DIR`\n'
        f'in {minutes:.0f} minutes (CPU threads: {torch.get_num_threads()}) with torch {torch.__version__} and '
        f'open_clip {open_clip.__version__}.\n\n'
        f'Zero-shot accuracy with the 80 templates on 800 unseen images of single objects: {thing} {shape:.1%}, '
        f'colour {colour:.1%}.\n')


def write_merges(path: Path) -> None:
    """The first merges of CLIP's own list, which make a vocabulary small enough to ship."""
    with gzip.open(default_bpe(), 'rt', encoding='utf-8') as file:
        lines = [next(file).rstrip('\n') for _ in range(1 + MERGES)]  # the first line is a heading
    path.write_bytes(gzip.compress('\n'.join(lines).encode(), mtime=0))


def all_phrases(world: str) -> list[str]:
    """All that captions say of a world."""
    shapes = list(dict.fromkeys(thing.shape for thing in WORLDS[world].categories))
    pairs = (f'{colour} {shape}' for colour, shape in product(COLOURS, shapes))
    things = WORLDS[world].categories + WORLDS[world].absent
    return list(dict.fromkeys([*shapes, *COLOURS, *pairs, *(text for thing in things for text in says(thing)),
                               *WORLDS[world].names]))


def says(thing: Thing) -> Iterator[str]:
    """What a caption may say of a thing but its colour."""
    yield from (thing.shape, thing.name)
    if thing.texture:
        yield f'{thing.texture} shape'
    if thing.part:
        yield f'shape with a {thing.part}'


def truths(scene: Scene) -> Iterator[str]:
    """Captions that are true of an image."""
    for item in scene.objects:
        yield from (*says(item.thing), item.colour, f'{item.colour} {item.shape}')
    if scene.ground:
        yield scene.ground


def training_set(world: str, phrases: list[str], count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Images (N, 3, 64, 64), uint8, and the truth (N, P) of every phrase: 1 or -1."""
    images, truth = [], -torch.ones(count, len(phrases))
    places = {phrase: place for place, phrase in enumerate(phrases)}
    for index in tqdm(range(count), 'drawing', disable=None):
        scene = make_scene('teacher', index, seed, world)
        images.append(scene.image)
        for text in truths(scene):
            if text in places:
                truth[index, places[text]] = 1
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2), truth


def train(model: open_clip.CLIP, tokenizer: open_clip.SimpleTokenizer, phrases: list[str], images: Tensor,
          truth: Tensor, steps: int, rate: float) -> None:
    """Train all weights for some steps of 128 images against all phrases, each in a template drawn anew."""
    texts = tokenizer([template(phrase) for phrase in phrases for template in TEMPLATES])
    texts = texts.view(len(phrases), len(TEMPLATES), -1)
    matrices = [weight for weight in model.parameters() if weight.ndim > 1]
    others = [weight for weight in model.parameters() if weight.ndim <= 1]
    optimizer = torch.optim.AdamW([{'params': matrices, 'weight_decay': 0.05}, {'params': others, 'weight_decay': 0}])
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=rate, total_steps=steps, pct_start=0.15)
    loss_function = SharedCaptionsLoss()
    model.train()
    order = torch.cat([torch.randperm(len(images)) for _ in range(math.ceil(steps * BATCH / len(images)))])
    for step, batch in enumerate(order[:steps * BATCH].split(BATCH), 1):
        captions = texts[torch.arange(len(phrases)), torch.randint(len(TEMPLATES), (len(phrases), ))]
        loss_function.truth = truth[batch]
        with torch.autocast('cpu', torch.bfloat16):
            image_features = model.encode_image(views(images[batch]), normalize=True)
            text_features = model.encode_text(captions, normalize=True)
        loss = loss_function(
            image_features.float(), text_features.float(), model.logit_scale.exp(), model.logit_bias)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if step % 50 == 0 or step == steps:
            print(f'step {step}/{steps}  loss {loss.item():.3f}', flush=True)


def views(images: Tensor) -> Tensor:
    """Normalised images: mirrored and turned by quarters, half of the batches by any angle and enlarged a little."""
    count = len(images)
    pixels = images.to(memory_format=torch.channels_last).float() / 255
    if torch.rand(()) < 0.5:
        pixels = torch.rot90(pixels.flip(3) if torch.rand(()) < 0.5 else pixels, int(torch.randint(4, ())), (2, 3))
    else:
        angle = 2 * math.pi * torch.rand(count)
        zoom = torch.empty(count).uniform_(0.75, 1.05)
        across, down = zoom * torch.cos(angle), zoom * torch.sin(angle)
        shift = torch.empty(2, count).uniform_(-0.1, 0.1)
        rows = torch.stack([across, -down, shift[0], down, across, shift[1]], 1).view(count, 2, 3)
        grid = F.affine_grid(rows, list(images.shape), align_corners=False)
        pixels = F.grid_sample(pixels, grid, padding_mode='reflection', align_corners=False)
    contrast = torch.empty(count, 1, 1, 1).uniform_(0.8, 1.2)
    light = torch.empty(count, 1, 1, 1).uniform_(-0.1, 0.1)
    return normalise((0.5 + contrast * (pixels - 0.5) + light).clamp(0, 1))


def normalise(pixels: Tensor) -> Tensor:
    """Pixels in [0, 1] with the statistics of the preprocessing configuration."""
    return (pixels - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1)


@torch.no_grad()
def accuracy(name: str, merges: Path, world: str, seed: int) -> tuple[float, float]:
    """Zero-shot accuracy of category and colour on 800 images of single objects, with the model read back from disk."""
    model = open_clip.create_model(name).eval()
    tokenizer = open_clip.get_tokenizer(name, bpe_path=str(merges))
    scenes = [make_scene('teacher_test', index, seed, world) for index in range(800)]
    pixels = torch.from_numpy(np.stack([scene.image for scene in scenes])).permute(0, 3, 1, 2) / 255
    features = torch.cat([model.encode_image(batch, normalize=True) for batch in normalise(pixels).split(100)])
    shares = []
    for names, kind in ((WORLDS[world].classes, 'name'), (COLOURS, 'colour')):
        guesses = (features @ open_clip.build_zero_shot_classifier(model, tokenizer, names, TEMPLATES)).argmax(1)
        right = [names[guess] == getattr(scene.objects[0], kind) for guess, scene in zip(guesses, scenes)]
        shares.append(sum(right) / len(right))
    return shares[0], shares[1]


if __name__ == '__main__':
    main()
