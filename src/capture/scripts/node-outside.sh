# shellcheck shell=sh
# On a node: `sh outside MAX_SECONDS KEEP_SECONDS [PREFIX…]` runs the recorder for MAX_SECONDS at most, with the command PREFIX where it is
# given (the toolbox). The status file is kept KEEP_SECONDS for a runner that connects late; then the run folder is removed in any case.
# CAPTURE_NAME is in the environment from the start, so that every process of the capture can be found by it.
dir=$PWD
max_seconds=$1
keep_seconds=$2
shift 2
echo $$ >pid
timeout --signal=TERM --kill-after=10 "$max_seconds" "$@" sh "$dir/inside"
code=$?
# Kills what the recorder left running: it may have been killed, or have ended without waiting for its hash.
# shellcheck disable=SC2013  # one PID a line, without blanks
for pid in $(grep -ls "CAPTURE_NAME=$CAPTURE_NAME" /proc/[0-9]*/environ | cut -d / -f 3); do
  [ "$pid" = $$ ] || kill -9 "$pid" 2>/dev/null
done
echo $code >ended
n=0
while [ -d "$dir" ] && [ $n -lt "$keep_seconds" ]; do
  sleep 1
  n=$((n + 1))
done
cd / || exit 1
case $dir in */packet-capture-?*.run) rm -rf "$dir" ;; esac
