#!/usr/bin/env bash
# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Runs every linter, also behind one that fails.
set -uo pipefail

export HOME=$PWD/.cache/home # antsibull-docs leaves a log there
mkdir -p "$HOME"

failed=()
check() {
    echo "--- $1"
    "$@" || failed+=("$1")
}

check ruff check .
check ruff format --check --diff .
check mypy
check yamllint --strict .
check ansible-lint --nocolor
check antsibull-changelog lint
check antsibull-docs lint-collection-docs --plugin-docs --skip-rstcheck --validate-collection-refs self .
check antsibull-nox lint-config
check nox --session license-check extra-checks
if [ ${#failed[@]} -gt 0 ]; then
    echo "lint: failed: ${failed[*]}"
    exit 1
fi
