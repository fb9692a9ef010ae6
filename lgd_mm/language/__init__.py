"""Category names and prompts, and the textual semantics bank made of them."""

from lgd_mm.language.bank import textual_bank
from lgd_mm.language.categories import category_names
from lgd_mm.language.category_sets import CATEGORY_SETS
from lgd_mm.language.templates import OPENAI_TEMPLATES, prompt_templates
from lgd_mm.language.vocabulary import Vocabulary

__all__ = ['CATEGORY_SETS', 'OPENAI_TEMPLATES', 'Vocabulary', 'category_names', 'prompt_templates', 'textual_bank']
