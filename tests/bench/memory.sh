#!/usr/bin/env bash
# Starts and ends many rooms, and prints what the host has of memory and disk before, at the most, and after a while.
#
# Usage: memory.sh [ROOMS] [SECONDS] [BUILD_DIR]     100000 rooms, looked at once more after 150 s, in build/release
#   BOTEL_BENCH_HOST=PATH   another host binary
#
# Exits with 1 when a run failed, or when the host keeps more than 64 MiB, or a file of more than 16 MiB.
set -eu

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
rooms=${1:-100000} seconds=${2:-150} build=$(cd "${3:-$here/../../build/release}" && pwd)
host=${BOTEL_BENCH_HOST:-$build/bin/botel}
export PATH=$PATH:/usr/sbin
work=$(mktemp -d "${TMPDIR:-/tmp}/botel-memory.XXXXXX")
host_pid='' broker_pid=''

end_all() {
  for pid in $host_pid $broker_pid; do kill "$pid" 2>/dev/null || true; done
  wait
  rm -rf "$work"
}
trap end_all EXIT

port=$((20000 + RANDOM % 12000))
printf 'listener %s 127.0.0.1\nallow_anonymous true\nmax_inflight_messages 0\nmax_queued_messages 0\nlog_type error\nuser %s\n' \
  "$port" "$(id -un 2>/dev/null || id -u)" >"$work/mosquitto.conf"
mosquitto -c "$work/mosquitto.conf" 2>"$work/broker.log" &
broker_pid=$!
mkdir -m 755 "$work/plugins"
cp "$build/plugins/echo.so" "$work/plugins/"
"$host" run --broker "mqtt://127.0.0.1:$port" --plugins "$work/plugins" --data "$work/data" --log-level warning \
  >"$work/out" 2>"$work/err" &
host_pid=$!
for _ in $(seq 300); do
  grep -q '^botel ready:' "$work/out" && break
  sleep 0.1
done

memory() { awk -v key="$1:" '$1 == key { print int($2 / 1024) }' "/proc/$host_pid/status"; }
file() { echo $(($(stat -c %s "$work/data/botel.db") >> 20)); }

before=$(memory VmRSS)
"$build/bin/bench_load" --port "$port" --pid "$host_pid" --mode starts --rooms "$rooms" --window 500 --seconds 1800 >/dev/null
peak=$(memory VmHWM) file_at_end=$(file)
sleep "$seconds"
after=$(memory VmRSS) file_after=$(file)
echo "rooms=$rooms rss_before_mib=$before rss_peak_mib=$peak rss_after_mib=$after file_at_end_mib=$file_at_end file_after_mib=$file_after"
[ "$after" -le 64 ] && [ "$file_after" -le 16 ]
