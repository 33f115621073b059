# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sessions of antsibull-nox, for those who know them; `make test` is the authority."""

# /// script
# dependencies = ["nox>=2025.02.09", "antsibull-nox"]
# ///

from __future__ import annotations

import antsibull_nox
import nox

nox.options.envdir = ".cache/nox"
antsibull_nox.load_antsibull_nox_toml()


@nox.session(python=False)
@nox.parametrize("target", ["lint", "sanity", "unit", "integration", "molecule"])
def make(session: nox.Session, target: str) -> None:
    """The same checks as make runs them."""
    session.run("make", target, external=True)


if __name__ == "__main__":
    nox.main()
