"""Scores against stored values of COCO's own code (pycocoevalcap 1.2), given the same words, and by hand."""

import json
from pathlib import Path

import pytest
from mmengine.registry import init_default_scope

from lgd_mm.errors import UserError
from lgd_mm.language.answers import normalised, vqa_accuracy
from lgd_mm.metrics.captions import bleu, caption_tokens, cider, rouge
from lgd_mm.registry import METRICS

OFFICIAL = json.loads(Path(__file__).with_name('official.json').read_text())
CAPTIONS = [item['caption'].split() for item in OFFICIAL['items']]
REFERENCES = [[reference.split() for reference in item['references']] for item in OFFICIAL['items']]


def test_cider():
    found = cider(CAPTIONS, REFERENCES)
    assert found == pytest.approx(OFFICIAL['ciders'], abs=1e-9)
    assert sum(found) / len(found) == pytest.approx(OFFICIAL['cider'], abs=1e-9)


def test_bleu():
    assert bleu(CAPTIONS, REFERENCES) == pytest.approx(OFFICIAL['bleu'], abs=1e-9)


def test_rouge():
    assert rouge(CAPTIONS, REFERENCES) == pytest.approx(OFFICIAL['rouges'], abs=1e-9)


def test_no_word_and_one_image():
    assert rouge([[]], [[['a']]]) == [0.]
    assert cider([[]], [[['a', 'b']]]) == [0.]
    assert cider([['a']], [[['a']]]) == [0.]  # one image: no word is seldom
    assert bleu([[]], [[['a']]]) == pytest.approx([0] * 4, abs=1e-6)


@pytest.mark.parametrize('sentence, words', [
    ('A man riding a horse.', 'a man riding a horse'),
    ("The man's dog can't swim, isn't it?", "the man 's dog ca n't swim is n't it"),
    ('Two 3-year-old children (girls) at 12:30 p.m. & 1,000 kites!',
     'two 3-year-old children girls at 12:30 p.m. 1,000 kites'),
    ('  ', ''),
    ('“Stop” sign… in the U.S. -- 2nd street', 'stop sign in the u.s. 2nd street'),
])
def test_words(sentence, words):
    assert caption_tokens(sentence) == words.split()


def test_metric_counts_an_image_once():
    init_default_scope('mmpretrain')
    metric = METRICS.build(dict(type='lgd_mm.CaptionScores'))
    samples = [dict(image_id=index, pred_caption=item['caption'], gt_caption=item['references'])
               for index, item in enumerate(OFFICIAL['items'])]
    metric.process(None, [*samples, samples[0]])
    scores = metric.evaluate(len(samples))
    assert scores['caption/CIDEr'] == pytest.approx(100 * OFFICIAL['cider'])
    assert scores['caption/BLEU-4'] == pytest.approx(100 * OFFICIAL['bleu'][3])
    assert scores['caption/ROUGE-L'] == pytest.approx(100 * OFFICIAL['rouge'])
    with pytest.raises(UserError, match='image 7 has no caption'):
        metric.process(None, [dict(image_id=7, pred_caption='a', gt_caption=[])])


@pytest.mark.parametrize('agree, accuracy', [(0, 0), (1, 30), (2, 60), (3, 90), (4, 100), (10, 100)])
def test_each_person_is_left_out_in_turn(agree, accuracy):
    metric = METRICS.build(dict(type='lgd_mm.VQAAccuracy'))
    people = ['2'] * agree + ['other'] * (10 - agree)
    metric.process(None, [dict(question_id=1, pred_answer='Two', gt_answer=people, question_type='count')])
    assert metric.evaluate(1) == {'vqa/accuracy': pytest.approx(accuracy), 'vqa/count': pytest.approx(accuracy)}


@pytest.mark.parametrize('said', ['t-shirt', 'Two', 'the dog', "It's"])
def test_one_person_is_right_in_the_words_of_that_person(said):
    """GQA has one answer for each question; the official code of VQA knows ten people."""
    assert vqa_accuracy(said, [said]) == vqa_accuracy(normalised(said), [said]) == 1
    assert vqa_accuracy('other', [said]) == 0
