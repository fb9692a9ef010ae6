"""The 80 templates OpenAI published for ImageNet."""

from open_clip import OPENAI_IMAGENET_TEMPLATES

OPENAI_TEMPLATES: tuple[str, ...] = tuple(template('{}') for template in OPENAI_IMAGENET_TEMPLATES)
