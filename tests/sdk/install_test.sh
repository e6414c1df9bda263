#!/bin/sh
# install_test.sh SOURCE BUILD WORK CMAKE PAGE: installs the SDK, builds and tests what the page docs/PAGE.md shows outside
# of the tree, and looks at the plugins that come out of it.
#
# A block of the page that begins with "```language path" is the file of that path.
set -eu
source=$1 build=$2 work=$3 cmake=$4 page=docs/$5.md

fail() { echo "$*" >&2; exit 1; }

rm -rf "$work"
mkdir -p "$work/page"
"$cmake" --install "$build" --component sdk --prefix "$work/prefix" > "$work/install.log"

cd "$work/page"
awk '/^```[a-z+]+ [^ ]+$/ { file = $2; folder = file; sub("[^/]*$", "", folder)
                            if (folder != "") system("mkdir -p \"" folder "\""); next }
     /^```$/              { if (file != "") close(file); file = ""; next }
     file != ""           { print > file }' "$source/$page"

# The page's own commands, for each of its projects.
projects=0
for list in */CMakeLists.txt; do
  project=${list%/CMakeLists.txt}
  projects=$((projects + 1))
  "$cmake" -S "$project" -B "$project/build" -DCMAKE_BUILD_TYPE=Release -DCMAKE_PREFIX_PATH="$work/prefix" \
    -DCMAKE_C_FLAGS="-Wall -Wextra -Wpedantic -Werror" -DCMAKE_CXX_FLAGS="-Wall -Wextra -Wpedantic -Werror"
  "$cmake" --build "$project/build" --parallel 2
  (cd "$project/build" && ctest --output-on-failure --no-tests=error)
done
[ "$projects" -ge 2 ] || fail "$page has lost its projects"
for makefile in */Makefile; do
  [ -f "$makefile" ] && make -C "${makefile%/Makefile}" BOTEL="$work/prefix"
done

# A plugin exports its entry and nothing else, and can be judged by its note, also when it is stripped.
look_at() {
  symbols=$(nm --dynamic --defined-only --extern-only "$1" | awk '{ print $3 }')
  [ "$symbols" = botel_entry_v1 ] || fail "$1 exports: $symbols"
  nm --dynamic "$1" | grep " u " && fail "$1 has a symbol that is one for the whole process"
  readelf --notes "$1" | grep -q "^ *Botel .*NT_VERSION" || fail "$1 has no note"
}
plugins=0
for plugin in */build/*.so */*.so; do
  [ -f "$plugin" ] || continue
  plugins=$((plugins + 1))
  look_at "$plugin"
  strip -o "$work/stripped.so" "$plugin"
  look_at "$work/stripped.so"
done
[ "$plugins" -ge "$projects" ] || fail "a project of $page made no plugin"
echo "$plugins plugins of $projects projects built and looked at"
