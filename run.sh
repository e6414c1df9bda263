#!/bin/sh
# Builds Botel, installing what is missing, and runs `botel ARGS`, or `botel run` without any. What is asked of a host
# that runs is asked without building.
set -eu
umask 022  # the host trusts no plugin that others may write to
cd_back=$(pwd)
cd "$(dirname "$(readlink -f "$0")")"
botel=$(pwd)/build/release/bin/botel
[ $# -gt 0 ] || set -- run
if [ "$1" = run ] || [ ! -x "$botel" ]; then
  . .ci/packages.sh
  need $build_packages
  mkdir -p build
  exec 9>build/run.lock  # one build at a time
  flock 9
  [ -f build/release/build.ninja ] || cmake --preset release >&2
  cmake --build --preset release >&2
  exec 9>&-
fi
cd "$cd_back"
exec "$botel" "$@"
