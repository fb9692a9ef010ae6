"""A trained model of vision and language on new images: captions, and answers to questions."""
