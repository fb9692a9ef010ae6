"""Captions and questions of real COCO images: regions, training with and without a teacher, and the figures."""

import copy
import json
import math
import pickle
from collections import Counter

import numpy as np
import pytest
from torchmetrics.functional.text import bleu_score

from lgd_mm.datasets.regions import RegionStore, check_same_boxes
from lgd_mm.engine.launch import test as evaluate
from lgd_mm.engine.launch import train
from lgd_mm.language.answers import normalised
from lgd_mm.metrics.captions import caption_tokens
from tests.isolation import forget_runs
from tests.real_language import IMAGES, extract, write_language
from tests.vl_runs import options_of

pytestmark = [pytest.mark.real_data, pytest.mark.slow]
CONFIGS = dict(caption='configs/distillvlm/distill-vlm_caption_coco.py',
               vqa='configs/distillvlm/distill-vlm_vqa_vqav2.py')
EPOCHS = 12


@pytest.fixture(scope='module')
def world(data_dir, tmp_path_factory):
    root = write_language(tmp_path_factory.mktemp('language') / 'world', data_dir / 'coco')
    extract(root)
    return root


@pytest.fixture(scope='module')
def runs(world, tmp_path_factory):
    """For each task, the teacher's work dir and the student's; options, by task and whether it is distilled."""
    folder, options = tmp_path_factory.mktemp('runs'), {}
    for task, config in CONFIGS.items():
        for distilled in (False, True):
            teacher = str(folder / f'{task}_teacher/student.safetensors') if distilled else None
            options[task, distilled] = options_of(world, task, EPOCHS, distilled, teacher)
            forget_runs()
            train(config, work_dir=str(folder / f'{task}_{"student" if distilled else "teacher"}'),
                  cfg_options=copy.deepcopy(options[task, distilled]))
    return folder, options


def test_regions_of_real_images(world):
    stores = {name: RegionStore(world / f'regions/{name}') for name in (
        'student_train', 'teacher_train', 'student_val', 'teacher_val')}
    for split, count in IMAGES.items():
        ours, theirs = stores[f'student_{split}'], stores[f'teacher_{split}']
        check_same_boxes(ours, theirs)
        assert len(ours) == count and ours.about['tags'][:2] == ['person', 'bicycle'] and len(ours.about['tags']) == 80
        assert (ours.about['width'], theirs.about['width']) == (24, 32)
        assert sum(len(ours.row(name).boxes) for name in ours.names) > 10 * count
    assert stores['student_train'].about['detector'] == stores['student_val'].about['detector']


@pytest.mark.parametrize('task', CONFIGS)
@pytest.mark.parametrize('who', ['teacher', 'student'])
def test_losses_fall(runs, world, task, who):
    file = next((runs[0] / f'{task}_{who}').glob('*/vis_data/scalars.json'))
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    rows = [row for row in rows if 'loss' in row]
    keys = {'loss', 'loss_words' if task == 'caption' else 'loss_answers'}
    keys |= {'loss_attention', 'loss_hidden', 'loss_labels'} if who == 'student' else set()
    assert {key for key in rows[0] if 'loss' in key} == keys
    texts = 2 * IMAGES['train'] if task == 'caption' else answered(world)
    assert [row['step'] for row in rows] == list(range(1, EPOCHS * (texts // 16) + 1))
    for key in keys - {'loss_hidden'}:  # whose queue is noise at first
        first, last = (np.mean([row[key] for row in part]) for part in (rows[:5], rows[-5:]))
        assert last < 0.8 * first, (key, first, last)


def answered(world):
    """Questions to which some person gave an answer of the list; the others teach nothing."""
    listed = (world / 'vqav2/answers.txt').read_text().splitlines()
    said = json.loads((world / 'vqav2/annotations_train2014.json').read_text())['annotations']
    return sum(any(normalised(one['answer']) in listed for one in entry['answers']) for entry in said)


def measured(runs, task, who, folder):
    """What a test logs, and the predictions."""
    forget_runs()
    metrics = evaluate(CONFIGS[task], str(runs[0] / f'{task}_{who}/epoch_{EPOCHS}.pth'), work_dir=str(folder),
                       out=str(folder / 'predictions.pkl'), cfg_options=copy.deepcopy(runs[1][task, who == 'student']))
    return metrics, pickle.loads((folder / 'predictions.pkl').read_bytes())


@pytest.mark.parametrize('who', ['teacher', 'student'])
def test_captions_and_their_scores(runs, world, tmp_path, who):
    """BLEU by torchmetrics, CIDEr-D by arrays of counts, of the captions that were predicted."""
    metrics, samples = measured(runs, 'caption', who, tmp_path)
    truth = json.loads((world / 'coco/annotations/coco_karpathy_val.json').read_text())
    assert {sample['image_id'] for sample in samples} == {f'{entry["image_id"][5:]:0>12}' for entry in truth}
    assert all(sample['pred_caption'] for sample in samples)
    captions = [caption_tokens(sample['pred_caption']) for sample in samples]
    references = [[caption_tokens(one) for one in sample['gt_caption']] for sample in samples]
    for n in (1, 2, 3, 4):
        expected = bleu_score([' '.join(words) for words in captions],
                              [[' '.join(words) for words in some] for some in references], n_gram=n)
        assert metrics[f'caption/BLEU-{n}'] == pytest.approx(100 * float(expected), abs=0.01)
    assert metrics['caption/CIDEr'] == pytest.approx(100 * by_arrays(captions, references))
    assert metrics['caption/BLEU-1'] > 40 and metrics['caption/CIDEr'] > 0


def by_arrays(captions, references):
    """Mean CIDEr-D of images with two references each."""
    total = 0.
    for n in range(1, 5):
        grams = [[Counter(zip(*(words[start:] for start in range(n)))) for words in (caption, *some)]
                 for caption, some in zip(captions, references)]
        names = sorted({gram for image in grams for one in image for gram in one})
        counts = np.array([[[one[gram] for gram in names] for one in image] for image in grams], float)  # (I, 3, G)
        seen = (counts[:, 1:] > 0).any(axis=1).sum(axis=0)
        weighted = counts * (math.log(len(captions)) - np.log(np.maximum(seen, 1)))
        ours, theirs = weighted[:, :1], weighted[:, 1:]
        norms = np.linalg.norm(weighted, axis=2)
        lengths = np.array([[max(0, len(words) - 1) for words in (caption, *some)]
                            for caption, some in zip(captions, references)])
        product = norms[:, :1] * norms[:, 1:]
        cosine = (np.minimum(ours, theirs) * theirs).sum(axis=2) / np.where(product == 0, np.inf, product)
        total += (cosine * np.exp(-(lengths[:, :1] - lengths[:, 1:])**2 / 72)).mean()
    return 10 * total / 4


@pytest.mark.parametrize('who', ['teacher', 'student'])
def test_answers_and_their_accuracy(runs, world, tmp_path, who):
    """Of ten people each is left out once: min(1, agreeing / 3) of the other nine."""
    metrics, samples = measured(runs, 'vqa', who, tmp_path)
    said = {entry['question_id']: [one['answer'] for one in entry['answers']] for entry in json.loads(
        (world / 'vqav2/annotations_val2014.json').read_text())['annotations']}
    listed = (world / 'vqav2/answers.txt').read_text().splitlines()
    assert len(samples) == len(said) == 3 * IMAGES['val']
    scores = []
    for sample in samples:
        people = said[sample['question_id']]
        assert sample['pred_answer'] in listed
        scores.append(np.mean([min(1, sum(normalised(one) == sample['pred_answer'] for place, one in enumerate(people)
                                          if place != left) / 3) for left in range(10)]))
    assert metrics['vqa/accuracy'] == pytest.approx(100 * np.mean(scores))
    assert metrics['vqa/Is'] == pytest.approx(100 * np.mean([
        score for score, sample in zip(scores, samples) if sample['question_type'] == 'Is']))
    assert metrics['vqa/accuracy'] > 30  # "yes" or "no" to two of three questions
