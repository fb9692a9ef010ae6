"""Ids of an annotation file: one for each image and class, whatever else the file has."""

import json

import pytest

from lgd_mm.errors import UserError
from lgd_mm.prediction.ids import Ids, ids_of_file
from lgd_mm.prediction.sources import Sources

IMAGES = [dict(id=5, file_name='a.png'), dict(id=7, file_name='c.png')]
CATEGORIES = [dict(id=3, name='nut'), dict(id=9, name='bolt')]


def ids(folder, **changed):
    (folder / 'ids.json').write_text(json.dumps(dict(
        images=IMAGES, annotations=[], categories=CATEGORIES) | changed))
    return ids_of_file(folder / 'ids.json', Sources('photos', ['a.png', 'b/c.png'], []), ['bolt', 'nut'])


def test_numbers_are_those_of_the_file(tmp_path):
    expected = Ids({'a.png': 5, 'b/c.png': 7}, [9, 3])
    assert ids(tmp_path) == expected
    assert ids(tmp_path, images=[3, *IMAGES], categories=[None, dict(id=1, name=['x']), *CATEGORIES]) == expected


@pytest.mark.parametrize('changed, said', [
    (dict(categories=5), 'has no category bolt, nut'),
    (dict(categories=[dict(id='3', name='nut'), CATEGORIES[1]]), 'has no category nut'),
    (dict(categories=[*CATEGORIES, dict(id=11, name='nut')]), 'has several categories nut'),
    (dict(images=[dict(file_name='a.png'), IMAGES[1]]), 'names a.png 0 times'),
    (dict(images=[*IMAGES, dict(id=8, file_name='x/a.png'), dict(id=9, file_name='a.png')]), 'names a.png 2 times'),
    (dict(images=[IMAGES[0], dict(id=5, file_name='c.png')]), 'several of the images the same id'),
])
def test_what_is_ambiguous_is_told(changed, said, tmp_path):
    with pytest.raises(UserError, match=said):
        ids(tmp_path, **changed)
