#!/bin/sh
# Builds Botel with its tests, installing what is missing, and runs them: test.sh [ctest ARGS].
# BOTEL_PRESET chooses another build: dev (the default), asan or tsan.
set -eu
umask 022  # the host trusts no plugin that others may write to
cd "$(dirname "$(readlink -f "$0")")"
. .ci/packages.sh
need $build_packages $test_packages
preset=${BOTEL_PRESET:-dev}
[ -f "build/$preset/build.ninja" ] || cmake --preset "$preset"
cmake --build --preset "$preset"
exec ctest --preset "$preset" -j2 "$@"
