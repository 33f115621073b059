# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=sh

# What there is of FRR on a host: a word for each thing.

configuration=/etc/frr/frr.conf

if [ -x /usr/lib/frr/frrinit.sh ] && [ -x /usr/lib/frr/frr-reload.py ]; then
    echo installed
fi
if [ -e "$configuration.before-bridgenet" ]; then
    echo kept
# What Debian's own file has, and comments, are nobody's.
elif grep -Eqsv '^[[:space:]]*([#!]|$|(frr|log|service|hostname|end)\>)' "$configuration"; then
    echo foreign
fi
if /usr/lib/frr/frrinit.sh status >/dev/null 2>&1; then
    echo running
fi
exit 0
