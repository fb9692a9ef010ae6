"""Prompt templates."""

import pytest
from open_clip import OPENAI_IMAGENET_TEMPLATES

from lgd_mm.errors import UserError
from lgd_mm.language import OPENAI_TEMPLATES, prompt_templates


def test_openai_templates_give_the_prompts_of_open_clip():
    assert len(OPENAI_TEMPLATES) == len(set(OPENAI_TEMPLATES)) == 80
    assert prompt_templates() == list(OPENAI_TEMPLATES)
    assert [template.format('axolotl') for template in OPENAI_TEMPLATES] == [
        template('axolotl') for template in OPENAI_IMAGENET_TEMPLATES]


def test_own_templates():
    assert prompt_templates(['a {}.', 'the {}']) == ['a {}.', 'the {}']


def test_text_file(tmp_path):
    (tmp_path / 'prompts.txt').write_text('# for satellites\na satellite image of a {}.\n\n  aerial {} \n')
    assert prompt_templates(str(tmp_path / 'prompts.txt')) == ['a satellite image of a {}.', 'aerial {}']


@pytest.mark.parametrize('template', ['a photo', '{} and {}', 'a {0}', 'a {name}', 'a {} in {braces}', 'a {'])
def test_template_without_exactly_one_place(template):
    with pytest.raises(UserError, match='needs exactly one {}'):
        prompt_templates(['a {}.', template])


def test_no_templates(tmp_path):
    with pytest.raises(UserError, match='templates: there is no template'):
        prompt_templates([])
    (tmp_path / 'prompts.txt').write_text('# nothing\n')
    with pytest.raises(UserError, match=r'prompts\.txt: there is no template'):
        prompt_templates(str(tmp_path / 'prompts.txt'))


def test_template_in_place_of_a_file():
    with pytest.raises(UserError, match=r"write it as a list, \['a {}.'\]"):
        prompt_templates('a {}.')


def test_missing_file():
    with pytest.raises(UserError, match=r'nowhere\.txt cannot be read'):
        prompt_templates('nowhere.txt')


def test_a_list_as_a_shell_hands_it_over():
    """The cure that is told for a template in place of a file can be followed on a command line."""
    assert prompt_templates("['a satellite image of a {}.', 'a {}, small']") == ['a satellite image of a {}.',
                                                                                'a {}, small']
    with pytest.raises(UserError, match=r"\['a \{\}\. is no list of templates \(the quote before 'a \{\}"):
        prompt_templates("['a {}.")


@pytest.mark.parametrize(('source', 'sentence'), [(7, 'templates is 7: give a text file'),
                                                  ([7], '7 needs exactly one {}'), ([None], 'None needs exactly one')])
def test_what_is_no_template(source, sentence):
    with pytest.raises(UserError, match=sentence):
        prompt_templates(source)
