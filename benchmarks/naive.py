"""The forms that published code has: what the package's own are compared with, and must equal."""

import random
from pathlib import Path

import torch
import torch.nn.functional as F
from PIL import Image, ImageFilter
from torch import Tensor, nn
from torchvision import transforms


def update_by_loop(bank: Tensor, seen: Tensor, teacher: Tensor, labels: Tensor, momentum: float = 0.999) -> None:
    """Move the visual bank (C, D), in place, category by category."""
    for category in range(len(bank)):
        members = teacher[labels == category]
        if len(members) > 0:
            mean = members.mean(dim=0)
            bank[category] = momentum * bank[category] + (1 - momentum) * mean if seen[category] else mean
            seen[category] = True


class Blur:
    """MoCo v2's, by Pillow."""

    def __call__(self, image: Image.Image) -> Image.Image:
        """Blur by a random sigma."""
        return image.filter(ImageFilter.GaussianBlur(radius=random.uniform(0.1, 2.0)))


PIL_RECIPE = transforms.Compose([
    transforms.RandomResizedCrop(224, scale=(0.2, 1)),
    transforms.RandomApply([transforms.ColorJitter(0.4, 0.4, 0.4, 0.1)], p=0.8),
    transforms.RandomGrayscale(p=0.2),
    transforms.RandomApply([Blur()], p=0.5),
    transforms.RandomHorizontalFlip(),
    transforms.ToTensor(),
    transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
])


def view_by_pillow(path: Path) -> Tensor:
    """A view (3, 224, 224) of MoCo v2's recipe, all of it by Pillow."""
    with Image.open(path) as image:
        return PIL_RECIPE(image.convert('RGB'))


class Step(nn.Module):
    """A published step: float32 throughout, a plain teacher, the loop over categories, a new bank each time.

    Args:
        student (nn.Module): Images (B, 3, H, W) to embeddings (B, D).
        teacher (nn.Module): The same, frozen.
        textual_bank (Tensor): (C, D).
    """

    def __init__(self, student: nn.Module, teacher: nn.Module, textual_bank: Tensor) -> None:
        super().__init__()
        self.student, self.teacher, self.textual_bank = student, teacher, textual_bank
        self.visual_bank = F.normalize(torch.randn_like(textual_bank), dim=1)
        self.seen = torch.zeros(len(textual_bank), dtype=torch.bool)

    def forward(self, images: Tensor) -> Tensor:
        """The loss of a batch."""
        with torch.no_grad():
            teacher = F.normalize(self.teacher(images), dim=1)
        student = F.normalize(self.student(images), dim=1)
        bank = self.visual_bank.clone()
        textual = student @ self.textual_bank.T, teacher @ self.textual_bank.T
        visual = [torch.cat([(one * teacher).sum(1, keepdim=True), one @ bank.T], dim=1) for one in (student, teacher)]
        update_by_loop(self.visual_bank, self.seen, teacher, textual[1].argmax(dim=1))
        losses = [-(F.softmax(theirs / 0.01, dim=1) * F.log_softmax(ours / 0.2, dim=1)).sum(1).mean()
                  for ours, theirs in (textual, visual)]
        return (losses[0] + losses[1]) / 2
