"""The arguments of tools/test.py."""

import importlib.util

import pytest

from tests.tiny import ROOT


@pytest.mark.parametrize('words', [
    ['c.py', 'e.pth', '--work-dir', 'w'], ['c.py', '--work-dir', 'w', 'e.pth'], ['--work-dir', 'w', 'c.py', 'e.pth'],
    ['c.py', 'e.pth', '--work-dir', 'w', '--cfg-options', 'a=1', 'b=2'], ['c.py', '--work-dir', 'w']])
def test_a_checkpoint_stands_anywhere_or_nowhere(monkeypatch, words):
    spec = importlib.util.spec_from_file_location('tools_test', ROOT / 'tools' / 'test.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    read = {}
    monkeypatch.setattr('sys.argv', ['tools/test.py', *words])
    monkeypatch.setattr(module, 'check_config', lambda path: read.update(config=path))
    monkeypatch.setattr(module, 'check_weights_file', lambda path: read.update(checkpoint=path))
    monkeypatch.setattr('lgd_mm.engine.launch.test', lambda **arguments: read.update(given=arguments))
    module.main()
    expected = 'e.pth' if 'e.pth' in words else None
    assert read['config'] == read['given']['config'] == 'c.py'
    assert read['checkpoint'] == read['given']['checkpoint'] == expected
    assert read['given']['work_dir'] == 'w'
