# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/compared.md says what tests/integration/yardsticks compares."""

from __future__ import annotations

from ansible_collections.nslab.bridgenet.tests.integration.yardsticks import page


def test_page_is_of_today() -> None:
    """To write it anew, run the module as a program."""
    text = page.PAGE.read_text(encoding="utf-8")
    assert page.written(text) == text, f"python -m {page.__name__}"


def test_a_change_is_written() -> None:
    """Between the marks, and nowhere else."""
    text = page.PAGE.read_text(encoding="utf-8")
    assert page.written(text.replace("proto static", "proto dynamic")) == text
    assert page.written(text.replace("fresh machine", "old machine")) != text
