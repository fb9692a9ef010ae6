"""A detector, its regions of a few images, and students that were trained on them."""

import json
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from safetensors import safe_open
from safetensors.torch import save_file

from lgd_mm.engine.launch import train
from tests.detectors import SIZES, extract, write_detector, write_images_of_shapes
from tests.isolation import forget_runs
from tests.tiny import ROOT

WORDS = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', 'a', 'red', 'nut', 'bolt', 'washer', 'what', 'is', 'it', 'the',
         'how', 'many', '?', 'left', 'of', 'two', '=']
ANSWERS = ['yes', 'no', '=2', 'red']
QUESTIONS = ['What is it?', 'how many red nut', 'is the bolt left of the washer?']
#: Of weights.
SEED = 0
#: As COCO has them: by numbers.
NAMES = [f'{number:012d}.png' for number in range(len(SIZES))]


class World(NamedTuple):
    """What a person has.

    Attributes:
        folder (Path): All of it.
        images (Path): A folder of five.
        detector (tuple[Path, Path]): Config and checkpoint, which does not hold the config.
        run (Path): The folder of a training of the same detector, with the config in its checkpoint.
        captions (Path): Folder of a distillation, in whose ``student.safetensors`` weights are spread, so that
            captions differ.
        answers (Path): The same of a student of questions.
    """

    folder: Path
    images: Path
    detector: tuple[Path, Path]
    run: Path
    captions: Path
    answers: Path


def write_config(folder, name, data, model, task_test=None):
    """A config of one epoch on the CPU."""
    loader = dict(batch_size=2, num_workers=0, persistent_workers=False)
    settings = dict(
        model=model, train_cfg=dict(_delete_=True, type='EpochBasedTrainLoop', max_epochs=1),
        train_dataloader=dict(**loader, dataset=data), val_dataloader=None, val_cfg=None, val_evaluator=None,
        test_dataloader=dict(**loader, sampler=dict(type='DefaultSampler', shuffle=False),
                             collate_fn=dict(type='default_collate'), dataset=task_test), param_scheduler=[],
        test_evaluator=dict(type='lgd_mm.CaptionScores' if 'Caption' in data['type'] else 'lgd_mm.VQAAccuracy'))
    if task_test is None:
        settings |= dict(test_dataloader=None, test_cfg=None, test_evaluator=None)
    file = folder / f'{name}.py'
    file.write_text(f'_base_ = {str(ROOT / "configs/_base_/vl_shapes.py")!r}\n'
                    + ''.join(f'{key} = {value!r}\n' for key, value in settings.items()))
    return file


def spread_weights(file, features=0.05):
    """Random ones in a student's file, by which answers differ from image to image; by the boxes, as features of a
    detector that has learnt nothing are much alike."""
    with safe_open(file, 'pt') as opened:
        metadata, state = opened.metadata(), {key: opened.get_tensor(key) for key in opened.keys()}
    draws = torch.Generator().manual_seed(SEED)
    for key, value in state.items():
        if value.is_floating_point() and value.dim() == 2:
            state[key] = torch.randn(value.shape, generator=draws)
    state['transformer.regions.weight'][:, :-6] *= features
    state['transformer.words.weight'] *= 0.2
    save_file(state, file, metadata)


def trained(config, folder):
    forget_runs()
    train(str(config), work_dir=str(folder))
    spread_weights(folder / 'student.safetensors')
    return folder


def write_captioner(folder, regions, name='captions', task='VLCaptioning', teacher=None):
    """The config of a training for captions."""
    source = dict(type='COCOCaption', data_root=str(folder), data_prefix=dict(img_path='photos'),
                  ann_file='captions.json')
    about = dict(vocabulary=str(folder / 'vocab.txt'), lengths=(8, 5, 6), regions=str(regions), source=source)
    width = json.loads((regions / 'regions.json').read_text())['width'] + 6
    model = dict(type='lgd_mm.VisionLanguageModel', vocabulary=about['vocabulary'],
                 task=dict(type=f'lgd_mm.{task}', **(dict(longest=6) if task == 'VLCaptioning' else {})),
                 transformer=dict(width=16, depth=2, heads=2, positions=20, region_width=width))
    kind = 'VLCaptionTraining' if task == 'VLCaptioning' else 'VLCaptionPretraining'
    training = dict(type=f'lgd_mm.{kind}', **about)
    if teacher is not None:
        model = dict(type='lgd_mm.DistillVLM', student=model, queue_length=64, teacher=dict(
            model, transformer=dict(model['transformer'], width=24)))
        training['teacher_regions'] = str(teacher)
    return write_config(folder, name, training, model,
                        dict(type='lgd_mm.VLCaptionTest', **about) if task == 'VLCaptioning' else None)


def write_answerer(folder, regions):
    """The config of a training for answers, without tags."""
    source = dict(type='COCOVQA', data_root=str(folder), data_prefix='photos', question_file='questions.json',
                  ann_file='answers.json')
    about = dict(type='lgd_mm.VLQuestions', vocabulary=str(folder / 'vocab.txt'), answers=str(folder / 'answers.txt'),
                 lengths=(10, 0, 6), regions=str(regions), source=source)
    model = dict(type='lgd_mm.VisionLanguageModel', vocabulary=about['vocabulary'],
                 task=dict(type='lgd_mm.VLAnswering', answers=about['answers']),
                 transformer=dict(width=16, depth=2, heads=2, positions=20, region_width=24 + 6))
    return write_config(folder, 'answers', about, model, dict(about, test=True))


def write_texts(folder):
    (folder / 'vocab.txt').write_text('\n'.join(WORDS))
    (folder / 'answers.txt').write_text('\n'.join(ANSWERS))
    (folder / 'captions.json').write_text(json.dumps(
        [dict(image=name, caption='a red nut left of the bolt') for name in NAMES]))
    asked = [dict(image_id=number, question_id=10 * number + index, question=question)
             for number in range(len(NAMES)) for index, question in enumerate(QUESTIONS)]
    (folder / 'questions.json').write_text(json.dumps(dict(questions=asked)))
    (folder / 'answers.json').write_text(json.dumps(dict(annotations=[
        dict(question_id=item['question_id'], answers=[dict(answer='yes')] * 10) for item in asked])))


@pytest.fixture(scope='session')
def world(tmp_path_factory) -> World:
    folder = tmp_path_factory.mktemp('world')
    write_images_of_shapes(folder)
    (folder / 'photos').mkdir()
    for file in (folder / 'images').rglob('*.png'):
        shutil.copy(file, folder / 'photos' / f'{int(file.stem):012d}.png')
    write_texts(folder)
    init_default_scope('mmdet')
    detector = write_detector(folder / 'detector', folder)
    store, theirs = folder / 'regions', folder / 'teacher_regions'
    # one by one, as captions of images are written: neighbours in a batch are padded to the largest
    extract(detector, store, images=str(folder / 'photos'), cfg_options={'test_dataloader.batch_size': 1})
    extract(detector, theirs, images=str(folder / 'photos'), boxes=str(store))
    init_default_scope('mmpretrain')
    write_captioner(folder, store, 'captions_alone')  # to test the student by
    return World(folder, folder / 'photos', detector, write_run(folder / 'run', *detector),
                 trained(write_captioner(folder, store, teacher=theirs), folder / 'student'),
                 trained(write_answerer(folder, store), folder / 'asked'))


def write_run(folder, config, checkpoint):
    """The folder that a training of a detector leaves, with the config in its checkpoint."""
    folder.mkdir()
    content = torch.load(checkpoint)
    content['meta']['cfg'] = Config.fromfile(config).pretty_text
    torch.save(content, folder / 'epoch_1.pth')
    (folder / 'last_checkpoint').write_text(str(folder / 'epoch_1.pth'))
    return folder
