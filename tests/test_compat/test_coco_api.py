"""Annotation files of one's own, as training and evaluation read them."""

import json

from lgd_mm.compat.coco_api import COCO


def test_a_file_is_completed_as_it_is_read(tmp_path):
    """Areas; an id in place of 0, which the evaluation has for objects not found; and a mark at the start."""
    image = dict(id=1, width=9, height=9, file_name='ä.jpg')
    item = dict(image_id=1, category_id=1, bbox=[1, 1, 4, 5], iscrowd=0)
    content = dict(images=[image], categories=[dict(id=1, name='nut')],
                   annotations=[dict(item, id=0), dict(item, id=1, area=7)])
    path = tmp_path / 'train.json'
    path.write_bytes(json.dumps(content, ensure_ascii=False).encode('utf-8-sig'))
    read = COCO(str(path))
    assert {number: each['area'] for number, each in read.anns.items()} == {2: 20, 1: 7}
    assert read.loadImgs([1])[0]['file_name'] == 'ä.jpg'
    found = read.loadRes([dict(image_id=1, category_id=1, bbox=[1, 1, 4, 5], score=0.5)])
    assert [each['area'] for each in found.anns.values()] == [20]
