#!/usr/bin/env bash
# Measures the host with the echo bot against the raw floor (raw_echo.cpp), and the durabilities of the host against each
# other, in turn, and prints the medians beside the targets. Wants an otherwise idle machine, and a release build that has the tests:
#
#   cmake --preset release -DBOTEL_TESTS=ON && cmake --build build/release && tests/bench/run.sh
#
# Usage: run.sh [--quick] [BUILD_DIR]      BUILD_DIR is build/release; --quick: 2 pairs of shorter runs instead of 5
#   BOTEL_BENCH_PAIRS=N     that many pairs
#   BOTEL_BENCH_ONLY=TEXT   only the measurements with TEXT in their name, as echo-qos1 or starts-1000
#   BOTEL_BENCH_SKIP_50000=1  without the 50,000 rooms
#   BOTEL_BENCH_HOST=PATH   another host binary;  =raw: the floor against itself, which shows the noise
#   BOTEL_BENCH_BOT=ID      the bot id in requests (1)
#   BOTEL_BENCH_PLAIN=1     a floor with libmosquitto's own system calls: see host/mqtt/few_calls.hpp
#
# Exits with 1 when a run failed; a missed target is only named.
set -u

quick=0
if [ "${1:-}" = --quick ]; then quick=1 && shift; fi
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=$(cd "${1:-$here/../../build/release}" 2>/dev/null && pwd) || { echo "run.sh: no folder ${1:-build/release}" >&2; exit 2; }
host=${BOTEL_BENCH_HOST:-$build/bin/botel}
raw=$build/bin/bench_raw_echo
load=$build/bin/bench_load
bot=${BOTEL_BENCH_BOT:-1}
export PATH=$PATH:/usr/sbin

if [ $quick = 1 ]; then pairs=2 many=40000 few=4000 cycles=5; else pairs=5 many=200000 few=20000 cycles=20; fi
pairs=${BOTEL_BENCH_PAIRS:-$pairs}

fail() { echo "run.sh: $*" >&2; exit 2; }
for program in "$raw" "$load"; do [ -x "$program" ] || fail "no $program: configure with -DBOTEL_TESTS=ON and build"; done
command -v mosquitto >/dev/null || fail "mosquitto is not installed"
if [ "$host" != raw ]; then
  [ -x "$host" ] || fail "no host at $host"
  [ -f "$build/plugins/echo.so" ] || fail "no echo bot at $build/plugins/echo.so"
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/botel-bench.XXXXXX")
broker_pid='' subject_pid='' load_pid=''
failures=0

# Asks all to end, waits up to 5 s for each, then kills. No `wait`: in a trap it can wait for the wrong child.
end_all() {
  local pid
  for pid in $load_pid $subject_pid $broker_pid; do kill "$pid" 2>/dev/null; done
  for pid in $load_pid $subject_pid $broker_pid; do
    for _ in $(seq 50); do kill -0 "$pid" 2>/dev/null || continue 2; sleep 0.1; done
    kill -9 "$pid" 2>/dev/null
  done
  load_pid='' subject_pid='' broker_pid=''
}

trap 'end_all; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

port_answers() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# A new broker a run: the session that a host leaves behind would queue the next run's requests.
start_broker() {
  for _ in $(seq 10); do
    port=$((20000 + RANDOM % 12000))
    port_answers $port && continue
    cat >"$work/mosquitto.conf" <<CONF
listener $port 127.0.0.1
allow_anonymous true
persistence false
max_inflight_messages 0
max_queued_messages 0
log_type error
user $(id -un 2>/dev/null || id -u)
CONF
    mosquitto -c "$work/mosquitto.conf" >"$work/broker.log" 2>&1 &
    broker_pid=$!
    for _ in $(seq 50); do
      kill -0 $broker_pid 2>/dev/null || break
      port_answers $port && return 0
      sleep 0.1
    done
    end_all
  done
  cat "$work/broker.log" >&2
  fail "the broker does not start"
}

start_raw() {  # MODE QOS
  local options=(--port $port --mode "$1" --qos "$2")
  [ -f "$work/answer-bytes" ] && options+=(--answer-bytes "$(cat "$work/answer-bytes")")
  [ -n "${BOTEL_BENCH_PLAIN:-}" ] && options+=(--plain)
  "$raw" "${options[@]}" >"$work/out" 2>"$work/err" &
  subject_pid=$!
}

start_host() {  # QOS DURABILITY
  rm -rf "$work/data" "$work/plugins"
  mkdir "$work/data" "$work/plugins"
  cp "$build/plugins/echo.so" "$work/plugins/"
  printf '[mqtt]\nqos = %s\n[store]\ndurability = "%s"\n' "$1" "$2" >"$work/bench.toml"
  "$host" run --config "$work/bench.toml" --broker "mqtt://127.0.0.1:$port" --plugins "$work/plugins" \
    --data "$work/data" --log-level warning >"$work/out" 2>"$work/err" &
  subject_pid=$!
}

wait_ready() {
  for _ in $(seq 200); do
    grep -q '^botel ready:' "$work/out" && return 0
    kill -0 "$subject_pid" 2>/dev/null || return 1
    sleep 0.1
  done
  return 1
}

# measure SUBJECT NAME MODE QOS SECONDS LOAD_OPTIONS...: adds the driver's line to the results of NAME. SUBJECT is raw, or
# the durability of the host.
measure() {
  local subject=$1 name=$2 mode=$3 qos=$4 seconds=$5
  shift 5
  start_broker
  if [ "$subject" = raw ] || [ "$host" = raw ]; then start_raw "$mode" "$qos"; else start_host "$qos" "$subject"; fi
  if wait_ready; then
    timeout -k 5 $((seconds + 10)) "$load" --port $port --pid $subject_pid --mode "$mode" --qos "$qos" --bot "$bot" \
      --seconds "$seconds" "$@" >"$work/line" 2>>"$work/err" &
    load_pid=$!
    wait $load_pid
    local status=$?
    load_pid=''
  else
    echo "not ready" >>"$work/err"
    local status=1
  fi
  if [ $status = 0 ]; then
    cat "$work/line" >>"$work/$name.$subject"
    echo "$subject $(cat "$work/line")"
    # The floor answers with as many bytes as the host.
    if [ "$subject" != raw ] && [ "$mode" = echo ]; then sed 's/.* bytes=\([0-9]*\).*/\1/' "$work/line" >"$work/answer-bytes"; fi
  else
    failures=$((failures + 1))
    echo "run.sh: $subject, $name failed: $(tail -n 5 "$work/err")" >&2
  fi
  end_all
}

names=()
measure_all() {  # SUBJECTS NAME MODE QOS SECONDS LOAD_OPTIONS...
  local subject subjects=$1
  shift
  case $1 in *"${BOTEL_BENCH_ONLY:-}"*) ;; *) return ;; esac
  [[ " ${names[*]:-} " == *" $1 "* ]] || names+=("$1")
  for subject in $subjects; do measure "$subject" "$@"; done
}

# median NAME SUBJECT KEY
median() {
  sed -n "s/.* $3=\([0-9.]*\).*/\1/p" "$work/$1.$2" 2>/dev/null | sort -n |
    awk '{ v[NR] = $1 } END { if (NR) print (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2; else print "none" }'
}

# ratio THIS THAT NAME KEY LABEL [OPERATOR TARGET]: of two subjects; OPERATOR is "at-least" or "at-most".
ratio() {
  awk -v subjects="$1/$2" -v name="$3" -v label="$5" -v this="$(median "$3" "$1" "$4")" -v that="$(median "$3" "$2" "$4")" \
    -v operator="${6:-}" -v target="${7:-}" 'BEGIN {
      if (this == "none" || that == "none" || that == 0) { printf "%-18s %-14s %-18s no measurement\n", name, subjects, label; exit }
      ratio = this / that
      if (operator == "at-least") verdict = sprintf("at least %-4s %s", target, ratio >= target ? "met" : "MISSED")
      if (operator == "at-most") verdict = sprintf("at most  %-4s %s", target, ratio <= target ? "met" : "MISSED")
      printf "%-18s %-14s %-18s %10.1f %10.1f %8.2f  %s\n", name, subjects, label, this, that, ratio, verdict
    }'
}
compare() { ratio off raw "$@"; }

for _ in $(seq "$pairs"); do
  for qos in 0 1; do
    measure_all "off raw" echo-qos$qos-100 echo $qos 60 --rooms 100 --in-flight 100 --messages $many
    measure_all "off raw" echo-qos$qos-1 echo $qos 60 --rooms 100 --in-flight 1 --messages $few
  done
  measure_all "off relaxed strict" kept-1000 echo 1 60 --rooms 100 --in-flight 1000 --messages $many
  measure_all "off relaxed strict" kept-1 echo 1 60 --rooms 100 --in-flight 1 --messages $((few / 4))
  measure_all "off raw" starts-1000 starts 1 60 --rooms 1000 --cycles $cycles
  [ -n "${BOTEL_BENCH_SKIP_50000:-}" ] || measure_all "off raw" starts-50000 starts 1 240 --rooms 50000
done

printf '\n%-18s %-14s %-18s %10s %10s %8s  %s\n' "medians of $pairs" '' '' this that ratio target
for name in "${names[@]:-}"; do
  case $name in
    echo-*-100)
      compare "$name" rate messages/s at-least 0.9
      compare "$name" cpu_us 'CPU us/message' at-most 2
      compare "$name" p50_us 'median us'
      compare "$name" p99_us '99th percentile us' ;;
    echo-*-1)
      compare "$name" rate messages/s
      compare "$name" cpu_us 'CPU us/message'
      compare "$name" p50_us 'median us' at-most 1.5
      compare "$name" p99_us '99th percentile us' ;;
    kept-*)
      for subject in relaxed strict; do
        target=
        [ "$name $subject" = "kept-1000 relaxed" ] && target='at-least 0.8'
        ratio $subject off "$name" rate messages/s $target
        ratio $subject off "$name" cpu_us 'CPU us/message'
        ratio $subject off "$name" p50_us 'median us'
      done
      [ "$name" = kept-1000 ] && echo "strict: $(median $name strict rate) messages/s, to be at least 10000" ;;
    starts-*)
      compare "$name" starts starts/s at-least 0.8
      compare "$name" ends ends/s at-least 0.8
      compare "$name" start_cpu_us 'CPU us/start'
      compare "$name" end_cpu_us 'CPU us/end' ;;
  esac
done
[ $failures = 0 ] || { echo "$failures runs failed" >&2; exit 1; }
