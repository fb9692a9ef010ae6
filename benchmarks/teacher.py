"""The frozen teacher of RN50's shape: plain, folded, channels last, half precision."""

import torch
import torch.nn.functional as F
from harness import Case, main
from mmengine.device import get_device
from models import SIZE, RandomTeacher, resnet50

from lgd_mm.models.teachers.folding import fold


@torch.no_grad()
def cases(quick: bool) -> list[Case]:
    """One case: every form on the same images; first, that they agree."""
    images = torch.randn(2 if quick else 32, 3, SIZE, SIZE, device=get_device())
    plain, folded, last = resnet50(), fold(resnet50()), fold(resnet50()).to(memory_format=torch.channels_last)
    half = 'fp16' if torch.cuda.is_available() else 'bf16'
    fast = RandomTeacher(half).to(get_device())
    fast.set_input_statistics(255 * fast.mean, 255 * fast.std)

    forms = {
        'plain float32': lambda: plain(images),
        'folded': lambda: folded(images),
        'folded, channels last': lambda: last(images.contiguous(memory_format=torch.channels_last)),
        f'folded, channels last, {half}': lambda: fast(images),
    }
    for form, run in forms.items():
        distance = 1 - F.cosine_similarity(run().double(), plain(images).double())
        assert distance.max() < (1e-6 if half not in form else 1e-2), (form, distance.max())
    no_grad = {form: torch.no_grad()(run) for form, run in forms.items()}
    return [Case(f'CLIP RN50, {len(images)} images', no_grad, baseline='plain float32')]


if __name__ == '__main__':
    main(cases, __doc__ or '')
