# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One virtual machine for all tests."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from ansible_collections.nslab.bridgenet.tests.vm.image import image
from ansible_collections.nslab.bridgenet.tests.vm.machine import VirtualMachine, missing, virtual_machine


@pytest.fixture(scope="session")
def vm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VirtualMachine]:
    why = "its image can only be built by root" if os.geteuid() else missing()
    if why:
        pytest.skip(f"no virtual machine: {why}")
    with virtual_machine(image(), tmp_path_factory.mktemp("vm")) as machine:
        yield machine
