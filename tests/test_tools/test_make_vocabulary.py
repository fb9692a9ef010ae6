"""A vocabulary from annotations, as a person types it."""

import json

import pytest

from lgd_mm.errors import UserError
from lgd_mm.language.corpus import read_corpus

FORMS = {
    'karpathy': [dict(image='1.jpg', caption=['a dog', 'two dogs']), dict(image='2.jpg', caption='a cat')],
    'whole': dict(images=[dict(sentences=[dict(raw='a dog'), dict(raw='two dogs')]),
                          dict(sentences=[dict(raw='a cat')])]),
    'coco': dict(images=[dict(id=1, file_name='1.jpg')], annotations=[
        dict(image_id=1, caption=caption) for caption in ('a dog', 'two dogs', 'a cat')]),
    'vqa': dict(questions=[dict(question=text, question_id=1) for text in ('a dog', 'two dogs', 'a cat', ' ')]),
    'gqa': [dict(question=text, answer='no') for text in ('a dog', 'two dogs', 'a cat')]}


@pytest.mark.parametrize('form', FORMS)
def test_texts_of_any_annotations(tmp_path, form):
    (tmp_path / 'texts.json').write_text(json.dumps(FORMS[form]))
    assert read_corpus(str(tmp_path / 'texts.json')) == ['a dog', 'two dogs', 'a cat']


@pytest.mark.parametrize('content', ['[]', '{}', '3', '{"questions": 3}', '[{"caption": 3}]', '[{"caption": ""}]'])
def test_no_texts(tmp_path, content):
    (tmp_path / 'texts.json').write_text(content)
    with pytest.raises(UserError, match='texts.json has no captions or questions: give annotations in the form of'):
        read_corpus(str(tmp_path / 'texts.json'))


def test_the_tool(tmp_path, tool):
    texts, out = tmp_path / 'texts.json', tmp_path / 'new/vocab.txt'
    texts.write_text(json.dumps([dict(caption=['a dog', 'two dogs', '🍕'])]))
    printed = tool('tools/make_vocabulary.py', texts, texts, '--size', 100, '--out', out)
    words = out.read_text().splitlines()
    assert f'{out}: {len(words)} word pieces of 6 texts' in printed and 'become' not in printed
    assert words[:5] == ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'] and {'dog', '##s', '🍕'} <= set(words)
    tool('tools/make_vocabulary.py', texts, texts, '--size', 100, '--out', out)  # the same is left as it is


@pytest.mark.parametrize(('options', 'sentence'), [
    (['--size', '5'], '--size 5: give a number from 100 to 1,000,000'), (['--least', '0'], '--least 0: give a number'),
    ([], 'vocab.txt is there with other content: give another --out, nothing is overwritten'),
    (['gone.json'], 'gone.json does not exist: give files of captions or questions')])
def test_mistakes(tmp_path, tool, capfd, options, sentence):
    (tmp_path / 'texts.json').write_text('[{"caption": "a dog"}]')
    (tmp_path / 'vocab.txt').write_text('mine')
    with pytest.raises(SystemExit, match='2'):
        tool('tools/make_vocabulary.py', tmp_path / 'texts.json', *options, '--out', tmp_path / 'vocab.txt')
    assert sentence in capfd.readouterr().err and (tmp_path / 'vocab.txt').read_text() == 'mine'
