"""Texts and regions as numbers: each number is where it belongs, and what is drawn follows from the seed alone."""

import json
from collections import Counter

import numpy as np
import pytest
import torch
from mmengine.dataset import default_collate

from lgd_mm.datasets.regions import with_boxes
from lgd_mm.datasets.vl.masking import IGNORED, mask_words
from lgd_mm.errors import UserError
from lgd_mm.language.wordpiece import WordPieces
from lgd_mm.registry import DATASETS, METRICS
from tests.test_datasets.test_region_texts.conftest import SEEN, WORDS, store


def test_captions_to_be_told(parts):
    _, arguments, _ = parts
    dataset = DATASETS.build(dict(type='lgd_mm.VLCaptionTraining', **arguments))
    assert len(dataset) == 4
    item = dataset[(0, 5)]
    inputs, targets = item['inputs'], item['targets']
    whole = torch.tensor([2, 5, 6, 8, 3, 0, 0, 0])  # [CLS] a red star [SEP]
    told = targets['words'] != IGNORED
    assert 1 <= told.sum() <= 3 and (targets['masked'][told] > 0).all()
    assert torch.equal(whole[targets['masked'][told]], targets['words'][told])
    untouched = torch.ones(8, dtype=torch.bool)
    untouched[targets['masked'][told]] = False
    assert torch.equal(inputs['text'][untouched], whole[untouched])
    assert inputs['tags'].tolist() == [8, 14, 15, 3]  # star, traffic light [SEP]
    assert inputs['valid'].int().tolist() == [1] * 5 + [0] * 3 + [1] * 4 + [1, 1, 0]
    regions = dataset.stores['regions'].row('1.jpg')
    assert torch.equal(inputs['regions'][:2], torch.from_numpy(with_boxes(regions)))
    assert inputs['regions'][0, 4:].tolist() == [0, 0, 0.5, 0.5, 0.5, 0.5]  # the box, in parts of 40 x 20
    theirs = dataset.stores['teacher_regions'].row('1.jpg')
    assert torch.equal(inputs['teacher_regions'][:2, :6], torch.from_numpy(theirs.features.astype(np.float32)))
    assert not inputs['regions'][2].any() and not inputs['teacher_regions'][2].any()


def test_a_data_set_says_what_is_trained_on(parts):
    """Which mmengine puts into checkpoints, for those who use them on other images."""
    dataset = DATASETS.build(dict(type='lgd_mm.VLCaptionTraining', **parts[1]))
    assert dataset.metainfo == dict(lengths=[8, 4, 3], regions=dict(
        detector=dict(config='4', weights='w'), tags=['star', 'ring', 'traffic light'], width=4, most=5, grid=None,
        boxes=None))


def test_a_seed_decides_all(parts):
    dataset = DATASETS.build(dict(type='lgd_mm.VLCaptionPretraining', **parts[1]))

    def same(one, other):
        return all(torch.equal(one[part][key], other[part][key]) for part in one for key in one[part])

    assert same(dataset[(1, 5)], dataset[(1, 5)])
    assert not all(same(dataset[(1, seed)], dataset[(1, 5)]) for seed in range(9))


def test_tags_of_another_image_teach_no_word(parts):
    dataset = DATASETS.build(dict(type='lgd_mm.VLCaptionPretraining', **parts[1]))
    matched = Counter()
    for seed in range(60):
        item = dataset[(0, seed)]
        right = bool(item['targets']['matching'])
        matched[right] += 1
        assert (item['targets']['words'] != IGNORED).any() == right
        places = item['targets']['masked'][item['targets']['words'] != IGNORED]
        assert item['inputs']['valid'][places].all()
        tags = item['inputs']['tags'].tolist()
        if not right:
            assert tags in ([3, 0, 0, 0], [9, 9, 9, 3]) or 4 in tags or tags != [8, 14, 15, 3]
    assert 18 < matched[True] < 42


def test_tags_of_one_image_alone_are_never_another_ones(parts):
    folder, arguments, _ = parts
    (folder / 'captions.json').write_text(json.dumps([dict(image='1.jpg', caption=['a red star', 'a ring'])]))
    dataset = DATASETS.build(dict(type='lgd_mm.VLCaptionPretraining', **arguments))
    assert all(dataset[(0, seed)]['targets']['matching'] == 1 for seed in range(9))


def test_images_to_be_captioned(parts):
    dataset = DATASETS.build(dict(type='lgd_mm.VLCaptionTest', **parts[1]))
    assert len(dataset) == 3
    batch = default_collate([dataset[index] for index in range(3)])
    assert batch['data_samples'][0].gt_caption == ['A red star', 'a blue ring left of a red star']
    assert not batch['inputs']['text'].any() and not batch['inputs']['valid'][:, :8].any()
    assert batch['inputs']['valid'][1].int().tolist() == [0] * 8 + [1, 0, 0, 0] + [0, 0, 0]  # no region: [SEP] alone
    assert batch['inputs']['valid'][2, 12:].all()  # five regions, of which three are read


def test_questions(parts):
    folder, _, common = parts
    asked = [dict(image_id=index, question_id=10 + index, question=text) for index, text in enumerate((
        'What colour is the star', 'how many', 'is it'), start=1)]
    people = [['red'] * 2 + ['The Red'] + ['blue'] * 7, ['2'] * 10, ['maybe'] * 10]
    (folder / 'questions.json').write_text(json.dumps(dict(questions=asked)))
    (folder / 'answers.json').write_text(json.dumps(dict(annotations=[dict(
        question_id=question['question_id'], question_type='t', answers=[dict(answer=one) for one in said])
        for question, said in zip(asked, people)])))
    for index in (1, 2, 3):
        (folder / f'{index:012d}.jpg').touch()
    seen = {f'{index:012d}.jpg': regions for index, regions in enumerate(SEEN.values(), start=1)}
    store(folder / 'numbered', seen=seen)
    source = dict(type='COCOVQA', data_root=str(folder), data_prefix='', question_file='questions.json',
                  ann_file='answers.json')
    arguments = dict(common, type='lgd_mm.VLQuestions', source=source, answers=str(folder / 'answers.txt'),
                     regions=str(folder / 'numbered'), teacher_regions=None, lengths=(8, 0, 3))
    dataset = DATASETS.build(arguments)
    assert len(dataset) == 2 and dataset.left_out == 1
    item = dataset[(0, 1)]
    assert item['inputs']['text'].tolist() == [2, 10, 11, 12, 13, 8, 3, 0] and item['inputs']['tags'].shape == (0, )
    # "The Red" is "red" as an answer, but people's answers keep their case and articles, as in the official code.
    assert item['targets']['answers'].tolist() == pytest.approx([0.6, 0, 0])
    assert dataset[(1, 1)]['targets']['answers'].tolist() == pytest.approx([0, 1, 0])
    tested = DATASETS.build(dict(arguments, test=True))
    assert len(tested) == 3 and tested[2]['data_samples'].question_type == 't'
    secret = DATASETS.build(dict(arguments, test=True, source=dict(source, ann_file='')))
    assert len(secret) == 3 and not secret[0]['targets']['answers'].any()


def test_an_empty_question_and_an_image_without_regions(parts):
    folder, arguments, _ = parts
    captions = [dict(image=f'{number}.jpg', caption='a') for number in (4, 5)]
    (folder / 'captions.json').write_text(json.dumps(captions))
    with pytest.raises(UserError, match=r'no regions of 4\.jpg and 1 other images'):
        DATASETS.build(dict(type='lgd_mm.VLCaptionTest', **arguments))
    (folder / 'captions.json').write_text('[]')
    with pytest.raises(UserError, match=r'captions\.json has no entries'):
        DATASETS.build(dict(type='lgd_mm.VLCaptionTest', **arguments))


def test_images_of_the_same_name_in_two_folders(parts):
    folder, arguments, _ = parts
    seen = {'1.jpg': SEEN['1.jpg'], 'b/1.jpg': SEEN['3.jpg'], '/elsewhere/1.jpg': SEEN['2.jpg']}
    store(folder / 'three', seen=seen)
    captions = [dict(image=name, caption='a star') for name in seen]
    (folder / 'captions.json').write_text(json.dumps(captions))
    dataset = DATASETS.build(dict(arguments, type='lgd_mm.VLCaptionTest', regions=str(folder / 'three'),
                                  teacher_regions=None))
    assert [entry['regions'] for entry in dataset.entries] == list(seen)
    metric = METRICS.build(dict(type='lgd_mm.CaptionScores'))
    for item, caption in zip(dataset, ('a star', 'a ring', 'a ring')):
        metric.process(None, [dict(item['data_samples'].to_dict(), pred_caption=caption)])
    assert metric.evaluate(3)['caption/BLEU-1'] == pytest.approx(100 * 4 / 6)


def test_features_of_other_boxes_are_refused(parts):
    folder, arguments, _ = parts
    store(folder / 'own', width=6)
    with pytest.raises(UserError, match='at other boxes'):
        DATASETS.build(dict(type='lgd_mm.VLCaptionTest', **dict(arguments, teacher_regions=str(folder / 'own'))))


def test_a_teacher_with_boxes_of_its_own_has_as_many_as_it_has(parts):
    folder, arguments, _ = parts
    store(folder / 'own', width=6, seen={'1.jpg': SEEN['1.jpg'][:1], '2.jpg': SEEN['3.jpg'], '3.jpg': []})
    dataset = DATASETS.build(dict(arguments, type='lgd_mm.VLCaptionTraining', teacher_regions=str(folder / 'own'),
                                  aligned=False))
    for index, ours, theirs in ((0, [1, 1, 0], [1, 0, 0]), (2, [0] * 3, [1] * 3), (3, [1] * 3, [0] * 3)):
        inputs = dataset[(index, 1)]['inputs']
        assert torch.equal(inputs['valid'][:12], inputs['teacher_valid'][:12])
        assert inputs['valid'][12:].int().tolist() == ours and inputs['teacher_valid'][12:].int().tolist() == theirs


def test_masking_is_berts():
    vocabulary = WordPieces(WORDS, 'here')
    rng, fates, number = np.random.default_rng(0), Counter(), Counter()
    words = np.array([2, *[8] * 20, 3])
    for _ in range(2000):
        masked = mask_words(words, np.arange(1, 21), 5, vocabulary, rng)
        told = masked.targets != IGNORED
        number[int(told.sum())] += 1
        for place in masked.places[told]:
            fates['hidden' if masked.words[place] == 4 else 'kept' if masked.words[place] == 8 else 'other'] += 1
    assert number == {3: 2000}  # 15 % of 20
    assert fates['hidden'] / 6000 == pytest.approx(0.8 + 0.1 / 18, abs=0.02)
    assert fates['kept'] / 6000 == pytest.approx(0.1 + 0.1 / 18, abs=0.02)
