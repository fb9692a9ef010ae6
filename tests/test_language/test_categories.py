"""Files, unions and what is refused."""

import json
import os

import pytest

from lgd_mm.errors import UserError
from lgd_mm.language import category_names


def write(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


def test_text_file(tmp_path):
    file = write(tmp_path / 'names.txt', '# my pets\n\ncat\r\n  guinea_pig  \n\nC# manual\n')
    assert category_names(file) == ['cat', 'guinea pig', 'C# manual']


def test_byte_order_mark_is_no_part_of_a_name(tmp_path):
    assert category_names(write(tmp_path / 'names.txt', b'\xef\xbb\xbfcat\ndog')) == ['cat', 'dog']


def test_coco_file_is_ordered_by_id(tmp_path):
    categories = [dict(id=7, name='dog'), dict(id=2, name='traffic_light'), dict(id=11, name='cat')]
    file = write(tmp_path / 'instances.json', json.dumps(dict(images=[], categories=categories)))
    assert category_names(file) == ['traffic light', 'dog', 'cat']


def test_union_keeps_the_first_of_each_name():
    coco, ade20k = category_names('coco'), category_names('ade20k')
    union = category_names('coco+ade20k')
    assert union[:80] == coco
    assert union[80:] == [name for name in ade20k if name not in coco]
    assert len(union) == 210


def test_union_with_files(tmp_path):
    text = write(tmp_path / 'names.txt', 'Dog\naxolotl\n')
    categories = [dict(id=1, name='axolotl'), dict(id=2, name='emu')]
    coco = write(tmp_path / 'own.json', json.dumps(dict(categories=categories)))
    assert category_names(f'{text} + {coco}+mmseg.CityscapesDataset') == [
        'Dog', 'axolotl', 'emu', *category_names('cityscapes')]


def test_duplicates_within_a_member_of_a_union_are_refused(tmp_path):
    file = write(tmp_path / 'names.txt', 'emu\nemu\n')
    with pytest.raises(UserError, match=r"names\.txt: these names are the same after cleaning: 'emu'"):
        category_names(f'{file}+coco')


def test_plus_in_a_file_name(tmp_path):
    assert category_names(write(tmp_path / 'cats+dogs.txt', 'cat\ndog\n')) == ['cat', 'dog']


@pytest.mark.parametrize('wrong, near', [('imgnet', "'imagenet'"), ('COCO', "'coco'"), ('ade-20k', "'ade20k'")])
def test_unknown_set_names_the_nearest_and_all(wrong, near):
    with pytest.raises(UserError, match=f"no set is called '{wrong}'; did you mean {near}") as error:
        category_names(wrong)
    assert 'there are imagenet, caltech256, coco, lvis, ade20k, cityscapes, files' in str(error.value)


def test_unknown_member_of_a_union():
    with pytest.raises(UserError, match="no set is called 'lviss'; did you mean 'lvis'"):
        category_names('coco+lviss')


@pytest.mark.parametrize('source', [None, 5, {'a': 1}])
def test_source_of_another_kind(source):
    with pytest.raises(UserError, match='give a set, a file, a data set type or a list'):
        category_names(source)


@pytest.mark.parametrize('name', ['names.txt', 'names.json'])
def test_missing_file(tmp_path, name):
    with pytest.raises(UserError, match=f'{name} cannot be read .No such file'):
        category_names(os.fspath(tmp_path / name))


def test_file_without_names(tmp_path):
    with pytest.raises(UserError, match=r'names\.txt: there are no category names'):
        category_names(write(tmp_path / 'names.txt', '\n# nothing\n'))


@pytest.mark.parametrize('content, told', [
    ('cat\nKöttbulle\n'.encode('latin-1'), 'line 2, byte 0xf6'),
    ('cat\ndog\n'.encode('utf-16'), 'line 1, byte 0xff'),
    ('cat\ndog\n'.encode('utf-16-le'), 'line 1, byte 0x00'),
])
def test_wrong_encoding_names_the_line_and_the_byte(tmp_path, content, told):
    file = write(tmp_path / 'names.txt', content)
    with pytest.raises(UserError, match=rf'names\.txt is not UTF-8 \({told}\): save it as UTF-8'):
        category_names(file)


@pytest.mark.parametrize('content, told', [
    ('{"categories": [', 'no valid JSON .line 1'),
    ('[1, 2]', 'not in COCO format'),
    ('{"images": []}', 'not in COCO format'),
    ('{"categories": [{"name": "cat"}]}', 'not in COCO format'),
    ('{"categories": [{"id": 1, "name": null}]}', 'name number 1 is None'),
    ('{"categories": []}', 'there are no category names'),
])
def test_broken_coco_file(tmp_path, content, told):
    with pytest.raises(UserError, match=rf'names\.json.*{told}'):
        category_names(write(tmp_path / 'names.json', content))
