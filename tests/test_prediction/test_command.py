"""lgd-mm predict as it is typed."""

import shutil

from tests.test_cli.test_commands import told, typed


def test_what_is_said(classifier, class_set, tmp_path, monkeypatch, capsys):
    """Files that cannot be read are named, and the exit status says so; the others are predicted."""
    photos = tmp_path / 'photos'
    shutil.copytree(class_set / 'val', photos)
    out = tmp_path / 'out'
    said = typed('predict', classifier, photos, '--out', out, '--task', 'classification')
    assert said.startswith('loading the libraries ...\n')
    assert said.endswith(f'{out}/predictions.csv: classification of 12 images\n{out}/index.html: shows them\n')
    assert f'{out}: all of it was there already\n' in typed('predict', classifier, photos, '--out', out)
    for name in 'ab':
        (photos / f'{name}.jpg').write_text('no image')
    last = told(monkeypatch, capsys, 'predict', classifier, photos, photos, '--out', tmp_path / 'other', '--no-drawing',
                code=3)
    assert last == ('error: 2 images or videos could not be read whole, the last of them '
                    f'{photos}/b.jpg: cannot identify image file')
    assert len((tmp_path / 'other/predictions.csv').read_text().splitlines()) == 1 + 12 * 3
    assert not (tmp_path / 'other/index.html').exists()
    last = told(monkeypatch, capsys, 'predict', classifier, photos / 'a.jpg', '--out', tmp_path / 'none', code=3)
    assert 'none of 1 images and 0 videos can be read' in last and not (tmp_path / 'none').exists()
    asked = told(monkeypatch, capsys, 'predict', classifier, photos, '--out', tmp_path / 'new', '--task', 'detection')
    assert 'does classification, not detection' in asked
