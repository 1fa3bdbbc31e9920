"""The made-up machine of tests/selection."""

from selection.conftest import computer as computer
