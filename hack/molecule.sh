#!/usr/bin/env bash
# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# molecule.sh WORKERS [SCENARIO...]: test scenarios, WORKERS of them side by side; unless told, all but those that have a
# target of their own.
#
# Molecule's own --workers makes hosts once for all scenarios; here every scenario has hosts of its own. What a scenario
# says goes into a log, which is shown where it fails.

set -euo pipefail

logs=.cache/molecule/logs
workers=$1
shift
if [ $# -eq 0 ]; then
    for path in molecule/*/molecule.yml; do
        case $path in
            molecule/distributions/* | molecule/evpn/* | molecule/reboot/*) ;;
            *) set -- "$@" "$(basename "${path%/*}")" ;;
        esac
    done
fi

run() {
    local began=$SECONDS status=0
    molecule --base-config molecule/config.yml test --scenario-name "$1" >"$logs/$1.log" 2>&1 </dev/null || status=$?
    if [ "$status" -eq 0 ]; then
        echo "molecule, $1: passed ($((SECONDS - began)) s)"
    else
        cat "$logs/$1.log"
        echo "FAILED molecule, $1 ($((SECONDS - began)) s, $logs/$1.log)"
    fi
    return "$status"
}

mkdir -p "$logs"
echo "molecule: $# scenarios, $workers side by side"
failed=0
running=0
for scenario; do
    if [ "$running" -ge "$workers" ]; then
        wait -n || failed=1
        running=$((running - 1))
    fi
    run "$scenario" &
    running=$((running + 1))
done
while [ "$running" -gt 0 ]; do
    wait -n || failed=1
    running=$((running - 1))
done
exit $failed
