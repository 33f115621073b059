#!/bin/sh
# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Pings all at once, and says in the order of the questions what came back: a time, or "no answer".
# Every line on standard input is one question: NAMESPACE ADDRESS WHAT-TO-CALL-IT
number=0
while read -r namespace address title; do
    number=$((number + 1))
    {
        if answer=$(ip netns exec "$namespace" ping -n -q -c 1 -W 2 "$address" 2>&1 </dev/null); then
            times=${answer##*= }
            echo "$number $title: ${times%%/*} ms"
        else
            echo "$number $title: no answer to ip netns exec $namespace ping $address ($(echo "$answer" | tail -n 1))"
        fi
    } &
done | sort -n | cut -d ' ' -f 2-
