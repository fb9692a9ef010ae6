"""Category names and prompts, and the textual semantics bank made of them."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from lgd_mm.language.categories import category_names
from lgd_mm.language.category_sets import CATEGORY_SETS

if TYPE_CHECKING:
    from lgd_mm.language.bank import textual_bank
    from lgd_mm.language.templates import OPENAI_TEMPLATES, prompt_templates
    from lgd_mm.language.vocabulary import Vocabulary

__all__ = ['CATEGORY_SETS', 'OPENAI_TEMPLATES', 'Vocabulary', 'category_names', 'prompt_templates', 'textual_bank']

#: Imported on first use: they bring torch along, which a misspelt name need not wait for.
LATER = dict(OPENAI_TEMPLATES='templates', Vocabulary='vocabulary', prompt_templates='templates', textual_bank='bank')


def __getattr__(name: str) -> Any:
    if name in LATER:
        return getattr(import_module(f'{__name__}.{LATER[name]}'), name)
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')


def __dir__() -> list[str]:
    return sorted([*globals(), *LATER])
