"""The visual bank's update: against a loop over categories, and with ever more categories."""

import os
import tempfile

import torch
import torch.nn.functional as F
from harness import Case, main
from mmengine.device import get_device
from models import WIDTH, RandomTeacher, set_categories
from naive import update_by_loop

from lgd_mm.models import LGKA


def lgka(categories: int) -> LGKA:
    """An LGKA with that many categories."""
    teacher = RandomTeacher.__new__(RandomTeacher)  # its text side alone
    module = LGKA(['one', 'two'], teacher, templates=['{}'])
    set_categories(module, categories)
    return module.to(get_device())


def against_loop(batch: int, categories: int) -> Case:
    """Both forms on the same batch; first, that they agree."""
    module = lgka(categories)
    features = F.normalize(torch.randn(batch, WIDTH, device=get_device()), dim=1)
    labels = torch.randint(categories, (batch, ), device=get_device())
    bank, seen = module.visual_bank.clone(), module.seen.clone()
    for _ in range(2):
        update_by_loop(bank, seen, features, labels)
        module.begin_update(features, labels)()
    torch.testing.assert_close(module.visual_bank, bank, atol=1e-5, rtol=0)
    return Case(f'B = {batch}, C = {categories}', {
        'loop over categories': lambda: update_by_loop(bank, seen, features, labels),
        'sums by category': lambda: module.begin_update(features, labels)(),
    }, baseline='loop over categories')


def more_categories(batch: int, counts: tuple[int, ...]) -> Case:
    """The same batch size among ever more categories."""
    features = F.normalize(torch.randn(batch, WIDTH, device=get_device()), dim=1)
    forms = {}
    for count in counts:
        module, labels = lgka(count), torch.randint(count, (batch, ), device=get_device())
        forms[f'C = {count:,}'] = lambda module=module, labels=labels: module.begin_update(features, labels)()
    return Case(f'B = {batch}, more categories', forms, baseline=f'C = {counts[0]:,}')


def cases(quick: bool) -> list[Case]:
    """All comparisons."""
    os.environ['LGD_CACHE_DIR'] = tempfile.mkdtemp()
    counts = (1_000, 10_000) if quick else (1_000, 3_000, 10_000, 30_000, 100_000, 300_000)
    return [against_loop(2048, 1_000), more_categories(2048, counts)]


if __name__ == '__main__':
    main(cases, __doc__ or '')
