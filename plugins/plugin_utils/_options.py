# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The forms in which the options of an object are documented, each of them described once.

An object's options stand directly in its module, as suboptions of the module's `config`,
and as suboptions of a list of the module `transaction`. A doc fragment describes them as
YAML and derives the forms from that.
"""

from __future__ import annotations

import json
import re
from typing import Any

import yaml

Options = dict[str, Any]


def parse(*texts: str) -> Options:
    """Options from one or more YAML texts."""
    found: Options = {}
    for text in texts:
        found.update(yaml.safe_load(text))
    return found


def below(path: str, options: Options) -> Options:
    """Options as suboptions of `path`; references among them name their whole path."""
    names = "|".join(re.escape(name) for name in options if name != "state")
    text = re.sub(rf"\bO\(({names})\b", rf"O({path}.\1", json.dumps(options))
    found: Options = json.loads(text)
    return found


def module(options: Options) -> str:
    """The documentation of a module: one object's options, or a list of objects."""
    documented: Options = {
        "config": {
            "type": "list",
            "elements": "dict",
            "description": [
                "The objects as a list, each with the options that a single object has. One task with a list takes "
                "little longer than a task with one object.",
                "Excludes the options of a single object.",
            ],
            "suboptions": below("config[]", options),
        }
    }
    for name, option in options.items():
        if name != "state":
            documented[name] = _single(option)
    return json.dumps({"options": documented})


def _single(option: Options) -> Options:
    """An option without `required` and `default`, which `config` could not exclude; it says so in words."""
    found = {key: value for key, value in option.items() if key not in ("required", "default")}
    if option.get("required"):
        found["description"] = [*option["description"], "Required without O(config)."]
    if "default" in option:
        default = json.dumps(option["default"]).strip('"')
        found["description"] = [*option["description"], f"The default is V({default})."]
    return found


def listed(name: str, what: str, options: Options) -> str:
    """The documentation of a list of objects in the module `transaction`."""
    description = [f"{what}, each with the options of M(nslab.bridgenet.{name})."]
    documented = {
        "type": "list",
        "elements": "dict",
        "description": description,
        "suboptions": below(f"{name}[]", options),
    }
    return json.dumps({"options": {name: documented}})
