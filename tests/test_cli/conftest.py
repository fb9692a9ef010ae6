"""The images of the front door's tests."""

from tests.test_api.conftest import birds, photos

__all__ = ['birds', 'photos']
