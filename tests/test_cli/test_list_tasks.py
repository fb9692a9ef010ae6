"""``lgd-mm list tasks``: what there is to measure, and the card of one."""

import pytest

from lgd_mm.errors import UserError
from lgd_mm.suite.task_registry import registered_tasks
from tests.test_cli.test_commands import typed

TASKS = registered_tasks()


def listed(*words: str) -> list[str]:
    """Names, without the title and the line that counts them."""
    title, *lines, empty, count = typed('list', 'tasks', *words).splitlines()
    assert title.split()[:2] == ['task', 'version'] and not empty
    assert count.startswith(f'{len(lines)} of {len(TASKS)} tasks; fewer with ')
    return [line.split()[0] for line in lines]


def test_all_and_some():
    assert listed() == list(TASKS)
    assert listed('COCO') == [name for name in TASKS if 'coco' in name]
    assert listed('*/upernet') == ['cityscapes/upernet', 'harder/upernet', 'shapes/upernet']
    assert listed('mask') == [*listed('--metric', 'mask ap', 'mask-rcnn'), 'shapes/mask-rcnn-corrupted']
    assert listed('--metric', 'miou', 'shapes') == [
        'shapes/zero-shot-segmentation', 'shapes/upernet', 'shapes/upernet-colours', 'shapes/upernet-corrupted']


def test_a_line():
    line = typed('list', 'tasks', 'lvis').splitlines()[1]
    assert [part.strip() for part in line.split('  ') if part.strip()] == [
        'lvis/mask-rcnn', '1', 'LVIS Mask R-CNN', 'box AP, mask AP', '19,809']


def test_a_card():
    text = typed('list', 'tasks', 'coco/mask-rcnn')
    assert text.startswith('coco/mask-rcnn, version 1: COCO Mask R-CNN\n\nMask R-CNN (arXiv 1703.06870)')
    for told in ('box AP (coco/bbox_mAP, higher is better); mask AP',
                 'trains configs/coco/mask-rcnn_r18_fpn_1x_coco.py', '5,000',
                 'data/coco/val2017', 'https://cocodataset.org', "tasks = ['coco/mask-rcnn']"):
        assert told in text
    assert 'tests the checkpoint of a pre-training with configs/' in typed('list', 'tasks', 'imagenet/zero-shot')


@pytest.mark.parametrize('words, message', [
    (['coco/maskrcnn'], "none of the tasks is called 'coco/maskrcnn': did you mean 'coco/mask-rcnn'"),
    (['coco', '--metric', 'mIoU'], "none of 7 tasks measures 'mIoU': they measure box AP, mask AP"),
    (['--head', 'fpn'], '--head is for `lgd-mm list students`: leave it out for tasks'),
])
def test_mistakes(words, message):
    with pytest.raises(UserError, match=message):
        typed('list', 'tasks', *words)
    with pytest.raises(UserError, match='--metric is for `lgd-mm list tasks`: leave it out for students'):
        typed('list', 'students', '--metric', 'mIoU')
