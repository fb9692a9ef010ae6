"""A config is formatted once, and a library's metafiles are read once: with the same result, and again when changed."""

import os
from types import SimpleNamespace

import yapf.yapflib.yapf_api

from lgd_mm.compat.repeated_work import format_once, read_metafiles_once

#: Before the tests make their own changes to it.
FORMAT_CODE = yapf.yapflib.yapf_api.FormatCode
STYLE = dict(based_on_style='pep8', split_before_expression_after_opening_paren=True)


def counted(calls, result):
    def call(*args, **options):
        calls.append((args, options))
        return result(*args, **options)

    return call


def test_a_text_is_formatted_once_for_each_style():
    calls = []
    api = SimpleNamespace(FormatCode=counted(calls, lambda text, **options: (f'{text} in {options}', True)))
    format_once(api)
    first = api.FormatCode('a=1', style_config=STYLE)
    assert first == (f"a=1 in {dict(style_config=STYLE)}", True)
    assert api.FormatCode('a=1', style_config=dict(STYLE)) == first and len(calls) == 1
    assert api.FormatCode('a=1', style_config=dict(based_on_style='google')) != first
    assert api.FormatCode('a=2', style_config=STYLE) != first
    assert len(calls) == 3


def test_another_call_of_yapf_is_its_own():
    """What somebody else asks of it is not remembered."""
    calls = []
    api = SimpleNamespace(FormatCode=counted(calls, lambda *args, **options: (args, options)))
    format_once(api)
    for _ in range(2):
        assert api.FormatCode('a=1', 'name', style_config=STYLE) == (('a=1', 'name'), dict(style_config=STYLE))
        assert api.FormatCode('a=1', style_config='pep8') == (('a=1', ), dict(style_config='pep8'))
        assert api.FormatCode('a=1') == (('a=1', ), {})
        assert api.FormatCode('a=1', style_config=STYLE, verify=True)[1]['verify'] is True
    assert len(calls) == 8


def test_an_unchanged_metafile_is_read_once(tmp_path):
    calls, file = [], tmp_path / 'metafile.yml'
    utils = SimpleNamespace(load=counted(calls, lambda path: open(path).read()))
    read_metafiles_once(utils)
    file.write_text('one')
    assert [utils.load(str(file)) for _ in range(3)] == ['one'] * 3 and len(calls) == 1
    file.write_text('two')
    os.utime(file, ns=(1, 1))
    assert utils.load(str(file)) == 'two' and len(calls) == 2


def test_mmengine_asks_them():
    """Both before and after its modules are imported."""
    import mmengine.config.utils
    assert mmengine.config.utils.load.__module__ == 'lgd_mm.compat.repeated_work'
    assert FORMAT_CODE.__wrapped__.__module__ == 'yapf.yapflib.yapf_api'
