# What building and running Botel needs of Debian, for run.sh and test.sh: need PACKAGE... installs what is missing.
# apt is asked only when something is.
build_packages="g++ cmake ninja-build ccache pkg-config libmosquitto-dev rapidjson-dev libboost-dev libfmt-dev
  libspdlog-dev libexpected-dev libcli11-dev libtomlplusplus-dev libsqlitecpp-dev libsqlite3-dev libxxhash-dev libssl-dev
  libvalijson-dev libre2-dev mosquitto"
test_packages="doctest-dev mosquitto-clients clang openssl binutils rsync"

need() {
  missing=
  for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing="$missing $package"
  done
  [ -n "$missing" ] || return 0
  as_root=
  [ "$(id -u)" = 0 ] || as_root=sudo
  echo "Installing:$missing" >&2
  $as_root apt-get update -qq >&2
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >&2
}
