"""What a person may give by mistake: one sentence for each, and nothing that becomes NaN unseen."""

import json
import shutil

import numpy as np
import pytest
import torch
from mmengine.dataset import default_collate
from mmengine.registry import MODELS

from lgd_mm.datasets.regions import RegionStore
from lgd_mm.datasets.vl.masking import IGNORED
from lgd_mm.datasets.vl.sources import entries_of
from lgd_mm.errors import UserError
from lgd_mm.registry import DATASETS
from tests.test_datasets.test_region_texts.conftest import SEEN, store

KINDS = ['VLCaptionPretraining', 'VLCaptionTraining', 'VLCaptionTest']


def build(kind, arguments, **changes):
    return DATASETS.build({**arguments, **changes, 'type': f'lgd_mm.{kind}'})


def captions(folder, entries):
    (folder / 'captions.json').write_text(json.dumps(entries))


@pytest.fixture
def asked(parts):
    """Arguments of three questions, and what their files hold."""
    folder, _, common = parts
    for index in (1, 2, 3):
        (folder / f'{index:012d}.jpg').touch()
    store(folder / 'numbered', seen={f'{index:012d}.jpg': seen for index, seen in enumerate(SEEN.values(), start=1)})
    questions = [dict(image_id=index, question_id=index, question='what colour is it') for index in (1, 2, 3)]
    annotations = [dict(question_id=index, question_type='t', answers=[dict(answer='red')] * 10) for index in (1, 2, 3)]

    def arguments(questions=questions, annotations=annotations, **changes):
        (folder / 'questions.json').write_text(json.dumps(questions if isinstance(questions, dict) else dict(
            questions=questions)))
        (folder / 'answers.json').write_text(json.dumps(dict(annotations=annotations)))
        source = dict(type='COCOVQA', data_root=str(folder), data_prefix='', question_file='questions.json',
                      ann_file='answers.json')
        return dict(common, regions=str(folder / 'numbered'), teacher_regions=None, lengths=(8, 0, 3),
                    answers=str(folder / 'answers.txt'), source=dict(source, **changes))

    return folder, arguments, questions, annotations


@pytest.mark.parametrize(('content', 'sentence'), [
    (b'[{"image": "1.jpg", ', r'captions\.json is no valid JSON \(line 1'),
    (b'\xff\xfe', 'captions.json is no valid JSON'),
    (b'{"questions": [{"question": "a"}]}', r'captions.json cannot be read as COCOCaption .*: give a list of entries'),
    (b'{"images": [], "annotations": [{"image_id": 1, "caption": "a"}]}', 'cannot be read as COCOCaption'),
    (b'[{"caption": "a"}]', "cannot be read as COCOCaption .KeyError: 'image'."),
    (b'[{"image": null, "caption": "a"}]', 'cannot be read as COCOCaption'),
    (b'[{"image": "1.jpg"}]', "cannot be read as COCOCaption .KeyError: 'caption'."),
    (b'[{"image": "1.jpg", "caption": 3}]', r'the caption of .*/1.jpg is 3, and no text'),
    (b'[{"image": "1.jpg", "caption": null}]', 'is None, and no text'),
    (b'[{"image": "1.jpg", "caption": ["a", 3]}]', 'and no text: correct the entry'),
    (b'[{"image": "1.jpg", "caption": []}, {"image": "2.jpg", "caption": " "}]', 'all captions are empty'),
    (b'[]', r'captions\.json has no entries'),
    (b'[{"image": "9.jpg", "caption": "a"}]', r'no regions of 9\.jpg and 0 other images')])
@pytest.mark.parametrize('kind', KINDS)
def test_captions_that_are_none(parts, kind, content, sentence):
    folder, arguments, _ = parts
    (folder / 'captions.json').write_bytes(content)
    with pytest.raises(UserError, match=sentence):
        build(kind, arguments)


def test_files_that_are_not_there(parts, asked):
    _, arguments, _ = parts
    with pytest.raises(UserError, match=r'gone\.json cannot be read \(No such file'):
        build(KINDS[0], dict(arguments, source=dict(arguments['source'], ann_file='gone.json')))
    for key in ('regions', 'teacher_regions', 'vocabulary'):
        with pytest.raises(UserError, match='/gone'):
            build(KINDS[0], arguments, **{key: '/gone'})
    folder, questions, *_ = asked
    with pytest.raises(UserError, match=r'gone does not exist: put or link the images there'):
        build('VLQuestions', questions(data_prefix='gone'))
    with pytest.raises(UserError, match=r'gone\.json cannot be read'):
        build('VLQuestions', questions(question_file='gone.json'))
    with pytest.raises(UserError, match=r'gone\.txt does not exist: `python tools/prepare_dataset\.py vqa'):
        build('VLQuestions', dict(questions(), answers=str(folder / 'gone.txt')))


def test_empty_captions_are_left_out_and_counted(parts, capsys):
    folder, arguments, _ = parts
    captions(folder, [dict(image='1.jpg', caption=['a star', ' ']), dict(image='2.jpg', caption='')])
    assert len(build('VLCaptionTraining', arguments)) == 1 and len(build('VLCaptionTest', arguments)) == 1
    assert capsys.readouterr().out.count('2 captions are empty and left out') == 2


def test_words_that_a_vocabulary_lacks_are_counted(parts, capsys):
    folder, arguments, _ = parts
    captions(folder, [dict(image='1.jpg', caption=['A green star', 'eine grüne 🍕 日']),
                      dict(image='2.jpg', caption='a')])
    dataset = build('VLCaptionTraining', arguments)
    told = capsys.readouterr().out
    assert f'5 of 8 words of the texts become [UNK], as {folder}/vocab.txt lacks them; the most frequent: ' in told
    assert "'green' (1)" in told and "'grune' (1)" in told and told.count(' (1)') == 5
    item = dataset[1]
    assert item['inputs']['valid'][:8].sum() == 6  # [CLS], four words, [SEP]
    build('VLCaptionTest', arguments)  # reads no text
    assert 'UNK' not in capsys.readouterr().out


@pytest.mark.parametrize('kind', KINDS[:2])
def test_a_caption_of_500_words_is_cut(parts, kind):
    folder, arguments, _ = parts
    captions(folder, [dict(image='1.jpg', caption='star ' * 500), dict(image='3.jpg', caption='a' * 5000)])
    dataset = build(kind, arguments)
    for seed in range(5):
        item = dataset[(0, seed)]
        assert item['inputs']['text'].shape == (8, ) and item['inputs']['valid'][:8].all()
        assert item['targets']['masked'].max() < 12
    assert dataset.sequences.text('star ' * 500).tolist() == [2, *[8] * 6, 3]


def test_special_pieces_in_captions_are_words(parts):
    """Else a [SEP] would end the text, and a [PAD] would be seen."""
    folder, arguments, _ = parts
    captions(folder, [dict(image='1.jpg', caption='[SEP] [PAD] [MASK] star')])
    pieces = build('VLCaptionTraining', arguments).sequences.text('[SEP] [PAD] star').tolist()
    assert pieces[0] == 2 and pieces[-1] == 3 and set(pieces[1:-1]) <= {1, 8}


@pytest.mark.parametrize('lengths', [(2, 0, 1), (8, -1, 1), (8, 4, 0), (8, 4), (8., 4, 3), (True, 4, 3)])
def test_lengths_without_place(parts, lengths):
    with pytest.raises(UserError, match='lengths is .*: give the tokens of the text'):
        build('VLCaptionTraining', parts[1], lengths=lengths)


@pytest.mark.parametrize(('change', 'sentence'), [
    (dict(question=' '), 'question 2 is empty: leave it out'), (dict(question=7), 'question 2 is 7, and no text'),
    (dict(image_id=4), 'has no image with the number 4, which .*questions.json asks about'),
    (dict(question_id=9), 'answers.json is not of the questions of .*questions.json, in their order')])
def test_questions_that_are_none(asked, change, sentence):
    _, arguments, questions, _ = asked
    questions = [questions[0], dict(questions[1], **change), questions[2]]
    for test in (False, True):
        with pytest.raises(UserError, match=sentence):
            build('VLQuestions', arguments(questions), test=test)


def test_questions_without_answers(asked, capsys):
    folder, arguments, questions, annotations = asked
    with pytest.raises(UserError, match='question 1 has no answers: name the file of the answers'):
        build('VLQuestions', arguments(ann_file=''))
    with pytest.raises(UserError, match='answers.json is not of the questions'):
        build('VLQuestions', arguments(annotations=annotations[:2]))
    with pytest.raises(UserError, match='answers.json cannot be read as COCOVQA'):
        build('VLQuestions', arguments(annotations=[dict(question_id=1)] + annotations[1:]))
    with pytest.raises(UserError, match='an answer to question 1 is no text'):
        build('VLQuestions', arguments(annotations=[dict(annotations[0], answers=[dict(answer=2)])] + annotations[1:]))
    with pytest.raises(UserError, match='cannot be read as COCOVQA .*: give questions and annotations of VQA v2'):
        build('VLQuestions', arguments(dict(captions=[])))
    (folder / 'captions.json').write_text('[{"image": "1.jpg", "caption": "a"}]')
    with pytest.raises(UserError, match='captions.json or .* cannot be read as COCOVQA'):
        build('VLQuestions', arguments(question_file='captions.json'))
    (folder / 'answers.txt').write_text('red\nThe Blue\n2\nred.\n')
    assert len(build('VLQuestions', arguments())) == 3
    assert ("2 of 4 answers of " in (told := capsys.readouterr().out)) and "'The Blue' is 'blue'" in told
    (folder / 'answers.txt').write_text('red\nblue\nred\n')
    with pytest.raises(UserError, match="has 'red' twice"):
        build('VLQuestions', arguments())
    (folder / 'answers.txt').write_text('maybe\n')
    with pytest.raises(UserError, match='no question has an answer of'):
        build('VLQuestions', arguments())


def test_answers_given_as_a_source_of_captions(asked):
    _, arguments, *_ = asked
    source = arguments()['source']
    with pytest.raises(UserError, match='cannot be read as GQA'):
        entries_of(dict(type='GQA', data_root=source['data_root'], data_prefix='', ann_file='captions.json'))


@pytest.mark.parametrize('damage', ['cut', 'gone', 'flipped', 'other'])
def test_a_damaged_store(parts, damage):
    """Cut off or half-written: told at the start; a flipped bit or a part of another store: at its image."""
    folder, arguments, _ = parts
    file = folder / 'teacher/regions/00000.npy'
    content = bytearray(file.read_bytes())
    if damage == 'gone':
        file.unlink()
    elif damage == 'cut':
        file.write_bytes(content[:-10])
    elif damage == 'flipped':
        content[-9] ^= 1  # of the last image's last feature
        file.write_bytes(content)
    else:
        store(folder / 'else', width=6, seed=5)
        shutil.copy(folder / 'else/regions/00000.npy', file)
    sentence = dict(cut='00000.npy is no file of this store of regions', gone='00000.npy .*cannot be read').get(
        damage, '00000.npy is damaged at image')
    with pytest.raises(UserError, match=sentence):
        dataset = build('VLCaptionTraining', arguments)
        for index in range(len(dataset)):
            dataset[index]


def test_stores_of_other_images_or_order(parts):
    folder, arguments, _ = parts
    boxes = RegionStore(folder / 'student').about['fingerprint']
    for name, seen, sentence in (('fewer', dict(list(SEEN.items())[:2]), "lack image '3.jpg'"),
                                 ('order', dict(reversed(SEEN.items())), 'in another order')):
        store(folder / name, width=6, boxes=boxes, seen=seen)
        with pytest.raises(UserError, match=sentence):
            build('VLCaptionTest', arguments, teacher_regions=str(folder / name))


def test_features_that_are_not_finite(parts, monkeypatch):
    folder, arguments, _ = parts
    regions = RegionStore(folder / 'student').row('1.jpg')
    wrong = regions._replace(features=np.full_like(regions.features, np.nan))
    made = RegionStore(folder / 'student')
    with pytest.raises(UserError, match=r"features of image '1.jpg' are NaN, infinite or beyond 65,504"):
        made.write(0, [wrong] * 3)
    monkeypatch.setattr('lgd_mm.datasets.regions.store.are_finite', lambda features: True)  # written by another version
    made.write(0, [wrong] + [RegionStore(folder / 'student').row(name) for name in ('2.jpg', '3.jpg')])
    with pytest.raises(UserError, match=r"is damaged at image '1.jpg' \(a feature is NaN or infinite\)"):
        build('VLCaptionTest', dict(arguments, teacher_regions=None))[0]


def test_boxes_without_area(parts):
    folder, arguments, _ = parts
    store(folder / 'flat', seen={**SEEN, '1.jpg': [(5, 5, 5, 5, 0), (0, 0, 40, 0, 1)]})
    item = build('VLCaptionTest', dict(arguments, regions=str(folder / 'flat'), teacher_regions=None))[0]
    assert item['inputs']['regions'].isfinite().all()
    assert item['inputs']['regions'][:2, -2:].tolist() == [[0, 0], [1, 0]]


def test_more_regions_than_are_read(parts):
    """The first ones by score, and their tags alone; the teacher's are the same."""
    folder, arguments, _ = parts
    item = build('VLCaptionTest', arguments, lengths=(8, 4, 1))[0]
    assert item['inputs']['regions'].shape == (1, 10) and item['inputs']['teacher_regions'].shape == (1, 12)
    assert item['inputs']['tags'].tolist() == [8, 3, 0, 0]  # star alone


@pytest.mark.parametrize('task', [
    dict(type='lgd_mm.VLPretraining'), dict(type='lgd_mm.VLPretraining', seq2seq=True),
    dict(type='lgd_mm.VLCaptioning'), dict(type='lgd_mm.VLCaptioning', beams=3),
    dict(type='lgd_mm.VLAnswering')], ids=str)
@pytest.mark.parametrize('tags', [0, 4])
def test_images_without_a_region_alone_in_a_batch(parts, task, tags):
    """No token but the text's may be seen, and of captions that are to be written none at all."""
    folder, arguments, _ = parts
    captions(folder, [dict(image='2.jpg', caption='a ring')] * 2)
    network = dict(type='lgd_mm.VisionLanguageModel', vocabulary=arguments['vocabulary'], task=dict(task))
    if 'Answering' in task['type']:
        network['task']['answers'] = str(folder / 'answers.txt')
    torch.manual_seed(0)
    model = MODELS.build(dict(
        type='lgd_mm.DistillVLM', queue_length=16, student=dict(network, transformer=dict(
            region_width=10, width=8, depth=2, heads=2)),
        teacher=dict(network, transformer=dict(region_width=12, width=8, depth=2, heads=2))))
    model.init_weights()
    kind = 'VLCaptionTraining' if task['type'] == 'lgd_mm.VLCaptioning' else 'VLCaptionPretraining'
    dataset = build(kind, arguments, lengths=(8, tags, 3))
    batch = default_collate([dataset[(index, 3)] for index in range(2)])
    batch['targets']['answers'] = torch.rand(2, 3)
    losses = model.train()(batch['inputs'], batch['targets'], mode='loss')
    sum(losses.values()).backward()
    assert all(loss.isfinite() for loss in losses.values()), losses
    assert all(value.grad.isfinite().all() for value in model.parameters() if value.grad is not None)
    assert model.queue.embeddings.isfinite().all()
    if task['type'] != 'lgd_mm.VLPretraining':
        test = build('VLCaptionTest', arguments, lengths=(8, tags, 3))
        batch = default_collate([test[0]])
        if 'Answering' in task['type']:
            batch['inputs']['valid'][:, :2] = True
        [sample] = model.eval()(batch['inputs'], mode='predict')
        assert isinstance(sample.get('pred_caption') or sample.get('pred_answer') or '', str)


def test_a_single_image_has_the_right_tags(parts):
    """There are no others, so all of its captions have their own, and teach their words."""
    folder, arguments, _ = parts
    captions(folder, [dict(image='1.jpg', caption=['a star', 'a ring'])])
    dataset = build('VLCaptionPretraining', arguments)
    found = [dataset[(0, seed)]['targets'] for seed in range(20)]
    assert all(each['matching'] == 1 and (each['words'] != IGNORED).any() for each in found)
