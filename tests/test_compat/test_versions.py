"""The version guard's sentences, on pretended installations."""

import sys
from importlib import metadata

import pytest

from lgd_mm.compat import versions

INSTALLED = {
    'torch': '2.11.0+cu130',
    'torchvision': '0.26.0',
    'open_clip_torch': '3.3.0',
    'onedl-mmcv': '2.3.6',
    'onedl-mmdetection': '3.5.1',
    'onedl-mmengine': '0.10.12',
    'onedl-mmpretrain': '1.3.6',
    'onedl-mmsegmentation': '1.4.2',
}


def pretend(monkeypatch: pytest.MonkeyPatch, **changes: str | None) -> None:
    """Have the given distributions installed: the good ones, changed; underscores of the names stand for dashes."""
    installed = INSTALLED | {name.replace('onedl_', 'onedl-'): version for name, version in changes.items()}

    def version(name: str) -> str:
        if installed.get(name) is None:
            raise metadata.PackageNotFoundError(name)
        return installed[name]

    monkeypatch.setattr(metadata, 'version', version)


def test_all_guarded_libraries_have_a_range() -> None:
    required = versions.required()
    assert set(required) == set(INSTALLED)
    assert all(str(requirement.specifier) for requirement in required.values())


def test_tested_set_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch)
    versions.check_versions()
    pretend(monkeypatch, onedl_mmcv='2.3.9')
    versions.check_versions()


@pytest.mark.parametrize(
    ('name', 'version'),
    [('torch', '2.12.0'), ('torch', '2.10.1+cpu'), ('onedl_mmcv', '2.4.0'), ('open_clip_torch', '2.30')],
)
def test_other_version_is_named_with_the_needed_one(monkeypatch: pytest.MonkeyPatch, name: str, version: str) -> None:
    pretend(monkeypatch, **{name: version})
    with pytest.raises(ImportError) as error:
        versions.check_versions()
    dashed = name.replace('onedl_', 'onedl-')
    requirement = str(versions.required()[dashed])
    assert str(error.value) == (
        f'{dashed} {version} is installed, but lgd_mm needs {requirement}: run `pip install "{requirement}"`'
    )


def test_missing_library(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, onedl_mmdetection=None)
    with pytest.raises(ImportError, match='onedl-mmdetection is not installed, but lgd_mm needs onedl-mmd'):
        versions.check_versions()


@pytest.mark.parametrize('beside', [True, False])
def test_original_family_is_not_mixed(monkeypatch: pytest.MonkeyPatch, beside: bool) -> None:
    pretend(monkeypatch, mmcv='2.1.0', onedl_mmcv='2.3.6' if beside else None)
    with pytest.raises(ImportError, match=r'mmcv 2\.1\.0 is installed.*cannot be mixed: run `pip uninstall mmcv`'):
        versions.check_versions()


def test_ranges_come_from_the_metadata_without_a_checkout(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.setattr(versions, 'REQUIREMENTS', tmp_path)
    requires = [f'{name}>=1' for name in INSTALLED] + ['numpy', 'torch>=9; extra == "optional"']
    monkeypatch.setattr(metadata, 'requires', lambda name: requires if name == 'lgd_mm' else None)
    assert {name: str(each.specifier) for name, each in versions.required().items()} == dict.fromkeys(INSTALLED, '>=1')


@pytest.mark.parametrize(('words', 'code', 'lines'), [(['doctor'], 1, 2), (['pretrain'], 4, 1), ([], 4, 1)])
@pytest.mark.parametrize('command', ['/usr/bin/lgd-mm', '-m'])
def test_the_command_tells_it_without_a_traceback(
        monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture, command: str, words: list[str], code: int,
        lines: int) -> None:
    """Its doctor tells all there is."""
    pretend(monkeypatch, torch='2.12.0', onedl_mmdetection=None)
    monkeypatch.setattr(sys, 'argv', [command, *words])
    with pytest.raises(SystemExit) as ended:
        versions.check_versions()
    said = ''.join(capsys.readouterr()).splitlines()
    assert ended.value.code == code and len(said) == lines
    assert all(line.startswith('!! ' if words == ['doctor'] else 'error: ') for line in said)
    assert 'run `pip install "' in said[0]
