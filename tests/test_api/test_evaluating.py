"""Which images a fine-tuned classifier is tested with."""

from mmengine.config import Config

from lgd_mm.api.evaluating import _labelled
from lgd_mm.formats.ready_folder import ready_folder
from tests.own_sets import write_image


def test_images_that_were_trained_with_are_not_tested_with(tmp_path):
    """Of a set without parts, those were made for the training; another set is tested with as a whole."""
    for index in range(12):
        for root in ('birds', 'others'):
            write_image(tmp_path / root / ('owl' if index % 2 else 'gull') / f'{index}.jpg', index)
    made = ready_folder(tmp_path / 'birds', 'mmpretrain')
    cfg = Config(dict(test_dataloader=dict(dataset=dict(data_prefix=f'{made}/val'))))
    assert _labelled(cfg, tmp_path / 'birds').val == f'{made}/val'
    assert _labelled(cfg, tmp_path / 'others').val == str(tmp_path / 'others')
    lines = ['image,label'] + [f'{index}.jpg,{"owl" if index % 2 else "gull"}' for index in range(12)]
    (tmp_path / 'others/labels.csv').write_text('\n'.join(lines))
    assert _labelled(cfg, tmp_path / 'others').names == ['gull', 'owl']
