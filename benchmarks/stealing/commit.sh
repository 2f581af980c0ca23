#!/bin/sh
# SPDX-License-Identifier: MIT
# Prints the commit of this checkout, with -dirty where files differ from it. The results do not count: a run that was
# stopped has added rows to them.
set -e
cd "$(dirname "$0")/../.."
commit=$(git describe --always --abbrev=10 --exclude '*')
git diff --quiet HEAD -- . ':!benchmarks/results' || commit=$commit-dirty
echo "$commit"
