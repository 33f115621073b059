# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One subject, one number, in a sandbox. Prints phase -> value as JSON."""

from __future__ import annotations

import importlib
import json
import sys

from . import state

if __name__ == "__main__":
    module, name, number = sys.argv[1:]
    subject = getattr(importlib.import_module(module), name)()
    state.settle()
    print(json.dumps(subject.measure(int(number))))
