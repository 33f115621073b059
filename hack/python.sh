#!/usr/bin/env bash
# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Prints an interpreter between two versions, both included: hack/python.sh 3.11 3.14
# Every candidate is run, because a shim may exist for a version that is not installed.
set -euo pipefail

oldest=$1 newest=$2
probe="
import ensurepip, sys, venv
numbers = lambda text: tuple(map(int, text.split('.')))
sys.exit(not numbers('$oldest') <= sys.version_info[:2] <= numbers('$newest'))
"
for candidate in python3 /usr/bin/python3 python3.{14,13,12,11,10,9} "${PYENV_ROOT:-$HOME/.pyenv}"/versions/*/bin/python3; do
    if "$candidate" -c "$probe" 2>/dev/null; then
        "$candidate" -c 'import os, sys; print(os.path.realpath(sys.executable))' # behind a venv or a shim
        exit 0
    fi
done
exit 1
