"""Captions and questions about images: from the published archives to the files that the configs name."""

import json
import re
from collections import Counter

import pytest
from mmengine.registry import init_default_scope

from lgd_mm.datasets.vl.sources import entries_of
from lgd_mm.errors import UserError
from lgd_mm.language.answers import normalised, read_answers
from lgd_mm.preparation import coco_captions, vqa
from lgd_mm.preparation.catalogue import SPECS
from lgd_mm.preparation.prepare import prepare
from tests.configs import read_config
from tests.test_preparation import trees

NAMES = dict(train2014=[f'COCO_train2014_{number:012}.jpg' for number in (9, 25)],
             val2014=[f'COCO_val2014_{number:012}.jpg' for number in (42, 73, 74)])
#: Of each image: its folder, split and captions.
TOLD = {9: ('train2014', 'train', ['A cake. ', 'Köttbullar']), 25: ('train2014', 'train', ['Two giraffes']),
        42: ('val2014', 'restval', ['shoes']), 73: ('val2014', 'val', ['a bike', 'a motorbike']),
        74: ('val2014', 'test', ['a dog'])}


@pytest.fixture
def run(tmp_path):
    def prepared(name, check=False, root=None):
        lines = []
        return prepare(SPECS[name], root or tmp_path / 'coco', check=check, tell=lines.append), lines

    return prepared


@pytest.fixture
def small(tmp_path, monkeypatch):
    """Archives of five images and six questions below ``coco`` and ``vqav2``, and specs that expect as many."""
    monkeypatch.setattr(coco_captions, 'COUNTS', dict(train=4, val=1, test=1))
    monkeypatch.setattr(vqa, 'QUESTIONS', dict(train2014=12, val2014=6, test2015=1))
    for name in NAMES:
        trees.write_zip(tmp_path / f'coco/downloads/{name}.zip',
                        {f'{name}/{file}': trees.picture(seed=index) for index, file in enumerate(NAMES[name])})
    trees.write_zip(tmp_path / 'coco/caption_datasets.zip', {
        'dataset_coco.json': json.dumps(karpathy()).encode(), 'dataset_flickr8k.json': b'{}'})
    spec = SPECS['coco-captions']
    counts = {name: len(files) for name, files in NAMES.items()}
    pictures = trees.spec_for('coco-captions', tmp_path / 'coco/downloads', counts | {
        part.path: None for part in spec.parts[2:]})
    monkeypatch.setitem(SPECS, 'coco-captions', pictures)
    for part, count in (('train', 12), ('val', 6)):
        asked, said = questions_of(part, count)
        trees.write_zip(tmp_path / f'vqav2/v2_Questions_{part.title()}_mscoco.zip', {
            f'v2_OpenEnded_mscoco_{part}2014_questions.json': json.dumps(dict(questions=asked)).encode()})
        trees.write_zip(tmp_path / f'vqav2/v2_Annotations_{part.title()}_mscoco.zip', {
            f'v2_mscoco_{part}2014_annotations.json': json.dumps(dict(annotations=said)).encode()})
    return tmp_path


def karpathy():
    return dict(dataset='coco', images=[dict(
        filepath=folder, filename=f'COCO_{folder}_{number:012}.jpg', cocoid=number, split=split,
        sentences=[dict(raw=caption, tokens=[]) for caption in captions])
        for number, (folder, split, captions) in TOLD.items()])


def questions_of(part, count):
    """Of every three, two are answered by "Yes." and one by "the 3 Dogs"."""
    start = dict(train=0, val=100)[part]
    asked = [dict(image_id=9, question_id=start + number, question='Is it?') for number in range(count)]
    said = [dict(question_id=each['question_id'], image_id=9, question_type='is it', answer_type='other',
                 multiple_choice_answer='the 3 Dogs' if number % 3 == 2 else 'Yes.', answers=[dict(answer='yes')] * 10)
            for number, each in enumerate(asked)]
    return asked, said


def test_captions_from_the_archives(small, run):
    whole, lines = run('coco-captions', check=True)
    assert not whole
    assert lines[0] == f"wrong: {small}/coco holds nothing of COCO's captions (Karpathy's split of COCO 2014)"
    whole, lines = run('coco-captions')
    assert whole and any(line.startswith('repaired: annotations/dataset_coco.json ') for line in lines)
    assert lines[-2].startswith(f'not there yet: {small}/bert-base-uncased/vocab.txt, which the configs read: download '
                                'https://huggingface.co/google-bert/bert-base-uncased/')
    folder = small / 'coco/annotations'
    assert json.loads((folder / 'coco_karpathy_train.json').read_text()) == [
        dict(image='train2014/COCO_train2014_000000000009.jpg', image_id='coco_9', caption='A cake. '),
        dict(image='train2014/COCO_train2014_000000000009.jpg', image_id='coco_9', caption='Köttbullar'),
        dict(image='train2014/COCO_train2014_000000000025.jpg', image_id='coco_25', caption='Two giraffes'),
        dict(image='val2014/COCO_val2014_000000000042.jpg', image_id='coco_42', caption='shoes')]
    assert json.loads((folder / 'coco_karpathy_val.json').read_text()) == [
        dict(image='val2014/COCO_val2014_000000000073.jpg', image_id='coco_73', caption=['a bike', 'a motorbike'])]
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    (small / 'bert-base-uncased').mkdir()
    (small / 'bert-base-uncased/vocab.txt').touch()
    last = [f"whole: COCO's captions (Karpathy's split of COCO 2014) in {small}/coco"]
    assert run('coco-captions') == run('coco-captions', check=True) == (True, last)
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before


def test_the_configs_read_what_is_made(small, run):
    """By their own ``source``, below another root."""
    init_default_scope('mmpretrain')
    run('coco-captions')
    run('vqa', root=small / 'vqav2')
    cfg = read_config('distillvlm/distill-vlm_caption_coco.py')
    found = {split: entries_of(dict(cfg[f'{split}_dataloader'].dataset.source, data_root=f'{small}/coco/'))
             for split in ('train', 'val', 'test')}
    assert {split: len(entries) for split, entries in found.items()} == dict(train=4, val=1, test=1)
    assert found['val'][0]['gt_caption'] == ['a bike', 'a motorbike']
    assert found['test'][0]['img_path'] == f'{small}/coco/val2014/COCO_val2014_000000000074.jpg'
    cfg = read_config('distillvlm/distill-vlm_vqa_vqav2.py')
    source = dict(cfg.train_dataloader.dataset.source, data_root=f'{small}/')
    assert len(entries_of(source)) == 12
    assert cfg.model.student.task.answers == 'data/vqav2/answers.txt'
    assert cfg.model.student.vocabulary == 'data/bert-base-uncased/vocab.txt'


def test_published_splits_in_place_of_the_one_file(small, run):
    """They may lie in the root; what is there is not made anew."""
    (small / 'coco/caption_datasets.zip').unlink()
    entries = coco_captions.entries_of(karpathy()['images'], 'train')
    for split, content in dict(train=entries, val=entries[:1], test=entries[:1]).items():
        (small / f'coco/coco_karpathy_{split}.json').write_text(json.dumps(content))
    assert run('coco-captions')[0]
    assert json.loads((small / 'coco/annotations/coco_karpathy_val.json').read_text()) == entries[:1]


def test_captions_go_on_where_they_stopped(small, run, monkeypatch):
    """One of three files was written; a file of one's own is left as it is, and what it lacks is told."""
    write = coco_captions.write_text

    def once(path, text):
        write(path, text)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(coco_captions, 'write_text', once)
        with pytest.raises(KeyboardInterrupt):
            run('coco-captions')
    assert [path.name for path in (small / 'coco/annotations').glob('coco_*')] == ['coco_karpathy_train.json']
    lines = run('coco-captions', check=True)[1]
    assert lines[0] == ('wrong: annotations/dataset_coco.json is not divided into annotations/coco_karpathy_val.json, '
                        'annotations/coco_karpathy_test.json; without --check this is repaired')
    assert not any('to download' in line for line in lines)
    (small / 'coco/annotations/coco_karpathy_val.json').write_text('[]')
    whole, lines = run('coco-captions')
    assert not whole and lines[2] == 'wrong: annotations/coco_karpathy_val.json has 0 entries instead of 1'
    assert (small / 'coco/annotations/coco_karpathy_val.json').read_text() == '[]'


def test_captions_beside_the_images_of_2017(small, run):
    """One folder holds both, whichever is prepared first."""
    coco = trees.coco_archives(small / 'coco')
    lines = []
    assert run('coco-captions')[0] and prepare(coco, small / 'coco', tell=lines.append), lines
    assert run('coco-captions', check=True)[0]


@pytest.mark.parametrize(('content', 'sentence'), [
    ('{', r'coco_karpathy_train.json is no valid JSON \(line 1'),
    ('{"images": []}', 'coco_karpathy_train.json is no list of captions'),
    ('[{"image": "a.jpg", "caption": [1]}]', 'no valid image or caption in entry 0'),
    ('[{"image": "../a.jpg", "caption": "x"}]', 'coco_karpathy_train.json names .*, which '),
    ('[{"image": "train2014/x.jpg", "caption": "x"}]', r'names 1 images that are not there: .*\(train2014/x.jpg\)')])
def test_odd_captions(small, run, content, sentence):
    run('coco-captions')
    (small / 'coco/annotations/coco_karpathy_train.json').write_text(content)
    whole, lines = run('coco-captions')
    assert not whole
    assert any(re.search(sentence, line) for line in lines), lines


@pytest.mark.parametrize('content', ['[]', '{"images": [{"split": "train"}]}', '{"images": []}', '{"images": 3}'])
def test_another_file_than_karpathys(small, run, content):
    (small / 'coco/caption_datasets.zip').unlink()
    (small / 'coco/dataset_coco.json').write_text(content)
    with pytest.raises(UserError, match='dataset_coco.json'):
        run('coco-captions')
    assert not list((small / 'coco').glob('annotations/coco_*'))


def test_questions_from_the_archives(small, run):
    (small / 'vqav2/v2_Annotations_Val_mscoco.zip').rename(small / 'later.zip')
    whole, lines = run('vqa', root=small / 'vqav2')
    assert not whole and 'wrong: answers.txt is missing; it is made here of annotations_train2014.json, ' \
        'annotations_val2014.json' in lines
    assert [line for line in lines if line.startswith('  ')] == [
        '  v2_Annotations_Val_mscoco.zip (11 MB) from https://s3.amazonaws.com/cvmlp/vqa/mscoco/vqa/'
        'v2_Annotations_Val_mscoco.zip']
    (small / 'later.zip').rename(small / 'vqav2/v2_Annotations_Val_mscoco.zip')
    whole, lines = run('vqa', root=small / 'vqav2')
    assert whole and 'repaired: answers.txt is missing' in lines
    assert f'not there yet: {small}/coco/train2014, which the configs read: ' in '\n'.join(lines)
    # Of 12 + 6 questions, 8 + 4 have "Yes." and 4 + 2 "the 3 Dogs".
    assert read_answers(str(small / 'vqav2/answers.txt')) == ['yes']
    assert vqa.frequent_answers(questions_of('train', 12)[1] + questions_of('val', 6)[1], 6) == ['yes', '3 dogs']
    (small / 'vqav2/answers.txt').write_text('mine\n')
    assert run('vqa', root=small / 'vqav2')[0] and (small / 'vqav2/answers.txt').read_text() == 'mine\n'


def test_questions_of_the_test_are_unpacked_if_they_are_there(small, run):
    trees.write_zip(small / 'vqav2/downloads/v2_Questions_Test_mscoco.zip', {
        f'v2_OpenEnded_mscoco_{part}_questions.json': json.dumps(dict(questions=questions_of('val', 1)[0])).encode()
        for part in ('test2015', 'test-dev2015')})
    assert run('vqa', root=small / 'vqav2')[0]
    assert {path.name for path in (small / 'vqav2').glob('questions_*')} == {
        f'questions_{part}.json' for part in ('train2014', 'val2014', 'test2015', 'test-dev2015')}


def test_files_that_were_unpacked_by_hand(small, run):
    name = 'v2_mscoco_train2014_annotations.json'
    (small / 'vqav2/v2_Annotations_Train_mscoco.zip').unlink()
    (small / 'vqav2' / name).write_text(json.dumps(dict(annotations=questions_of('train', 12)[1])))
    lines = run('vqa', root=small / 'vqav2', check=True)[1]
    assert (f'wrong: {name} is called annotations_train2014.json by the configs; without --check this is repaired'
            ) in lines
    assert not any('Annotations_Train' in line for line in lines)
    assert run('vqa', root=small / 'vqav2')[0] and (small / 'vqav2/annotations_train2014.json').is_file()


@pytest.mark.parametrize(('file', 'content', 'sentence'), [
    ('questions_val2014.json', dict(questions=[dict(question_id=1)]), 'has no valid question, question_id or image_id'),
    ('questions_val2014.json', [], "has no list 'questions': it is not of VQA v2"),
    ('annotations_val2014.json', dict(annotations=[]), 'is not of the questions of questions_val2014.json'),
    ('annotations_val2014.json', dict(annotations=[dict(answers=[])]), 'has no valid answers in entry 0'),
    ('answers.txt', 'yes\nno\nyes\n', "has 'yes' twice")])
def test_odd_questions(small, run, file, content, sentence):
    run('vqa', root=small / 'vqav2')
    (small / 'vqav2' / file).write_text(content if isinstance(content, str) else json.dumps(content))
    whole, lines = run('vqa', root=small / 'vqav2', check=True)
    assert not whole and any(sentence in line for line in lines), lines


def test_answers_are_counted_by_question_after_the_normalisation():
    """An independent count: each question once, its most frequent answer as the official code writes it."""
    said = ['a cat', 'Cat', 'cat.', 'two', '2', 'no', '1,000', '1000'] + ['no'] * 2
    entries = [dict(question_id=number, multiple_choice_answer=answer) for number, answer in enumerate(said)]
    entries += entries[-1:]  # the same question again
    counts = Counter(map(normalised, said))
    assert counts == dict(cat=3, no=3) | {'2': 2, '1000': 2}
    assert vqa.frequent_answers(entries, 3) == ['cat', 'no'] and vqa.frequent_answers(entries, 2) == [
        'cat', 'no', '1000', '2']
