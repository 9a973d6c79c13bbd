"""What chapter 12 says of the frameworks, and its emulated bfloat16, is so."""

from __future__ import annotations

import numpy as np
import pytest

from tests.test_chapter05_facts import CHAPTERS  # noqa: F401
