"""The images of the front door's tests."""

from tests.test_api.conftest import birds, fresh_run, photos

__all__ = ['birds', 'fresh_run', 'photos']
