"""Category names and prompts, and the textual semantics bank made of them."""

from typing import TYPE_CHECKING

from lgd_mm.language.categories import category_names
from lgd_mm.language.category_sets import CATEGORY_SETS
from lgd_mm.moved import later

if TYPE_CHECKING:
    from lgd_mm.language.bank import textual_bank
    from lgd_mm.language.openai_templates import OPENAI_TEMPLATES
    from lgd_mm.language.templates import prompt_templates
    from lgd_mm.language.vocabulary import Vocabulary

__all__ = ['CATEGORY_SETS', 'OPENAI_TEMPLATES', 'Vocabulary', 'category_names', 'prompt_templates', 'textual_bank']

#: Imported on first use: they bring torch along, which a misspelt name need not wait for.
LATER = dict(OPENAI_TEMPLATES='openai_templates', Vocabulary='vocabulary', prompt_templates='templates',
             textual_bank='bank')
__getattr__, __dir__ = later(__name__, {name: f'{__name__}.{place}' for name, place in LATER.items()})
