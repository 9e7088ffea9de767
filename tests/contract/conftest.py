"""Asserts in the suites explain themselves as in any test file."""

import pytest

for suite in ("queue", "queue_capabilities", "store", "blobs", "atomic"):
    pytest.register_assert_rewrite(f"tests.contract.{suite}_contract")
