# shellcheck shell=sh
# Part of the recorder and of the follower: waits without a new process where the shell's `read` has a time limit (busybox, bash, mksh; not
# dash). A process for each wait would cost more CPU than all other work while nothing is recorded.
# shellcheck disable=SC2034,SC2317,SC3045  # the other scripts read `idle` and call `nap`; whether `read` has -t is tried
uptime() { read -r up _ </proc/uptime; up=$((${up%.*} * 100 + 1${up#*.} - 100)); } # → up, in 1/100 s, without a fork
nap() { sleep "$1"; }
prepare_naps() { # in the spool directory; → idle: seconds between two checks while nothing is recorded
  idle=1
  { mkfifo idle || [ -p idle ]; } 2>/dev/null && exec 5<>idle || return 0 # nothing is ever written to it
  uptime
  nap_began=$up
  read -r -t 0.1 _ <&5
  uptime
  [ $((up - nap_began)) -lt 5 ] && return 0 # this `read` does not wait
  idle=0.5
  nap() { read -r -t "$1" _ <&5; }
} 2>/dev/null
