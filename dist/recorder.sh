# shellcheck shell=sh
# The recorder: the main process of the capture's container, or a process on a node. It needs a POSIX sh, busybox or coreutils, and tcpdump.
# It records into a spool of segments (s, s1, s2, … by `tcpdump -C`), hashes them in order as one logical stream (without the file
# headers after the first), deletes what the runner has acknowledged, stops at the limits, writes the trailer, and waits until the
# runner has fetched everything. It ends by itself: at its deadline, and when the runner's heartbeat is missing for too long.
# Its parameters are environment variables (CAPTURE_…); their text is never parsed as shell.
# shellcheck disable=SC2086  # $link is two words or none
# shellcheck disable=SC2034,SC2094,SC2154  # `sum` is a variable and a file; nap.sh, spool.sh and interfaces.sh, which come before, set the rest
umask 077
# The directory of this name is removed at the end, so a name that is not a capture's must be rejected.
case ${CAPTURE_NAME:-} in */*) CAPTURE_NAME='' ;; esac
case ${CAPTURE_NAME:-} in packet-capture-?*) ;; *) echo "error name CAPTURE_NAME is not the name of a capture"; exit 2 ;; esac
say() { printf '%s\n' "$*"; }
number() { case $1 in '' | *[!0-9]*) return 1 ;; esac; }
# The status file outlives the spool, for a runner that connects late.
status_file=${CAPTURE_STATUS_FILE:-/dev/termination-log}
write_status() { printf '%s\n' "$*" >"$status_file"; } 2>/dev/null
dir=
brought=$PWD # where the follower is: the loader's directory, or a node's run folder
remove_files() {
  cd /
  case $brought in /tmp/"$CAPTURE_NAME" | /dev/shm/"$CAPTURE_NAME") rm -rf "$brought" ;; esac
  [ -z "$dir" ] || rm -rf "$dir"
}
fail() { # code, text: the runner reads them from the pod's status
  line="error $1 $(printf '%s' "$2" | tr '\n' ' ' | cut -c 1-1000)"
  say "$line"
  write_status "$line"
  remove_files
  exit 1
}

now=$(date +%s)
[ "$now" -lt "$CAPTURE_DEADLINE" ] || { say "late: the capture's deadline has passed"; remove_files; exit 0; }
uptime
deadline=$((up + (CAPTURE_DEADLINE - now) * 100))
reason='' term=''
trap 'reason=${reason:-terminated}; term=1' TERM INT

for tool in tcpdump sha256sum dd cat stat sleep; do
  command -v $tool >/dev/null 2>&1 || fail tools "the image has no $tool"
done
# The spool is on the container's disk, or a small one in memory where the disk has no room (a read-only root, a low limit). On a node
# it is only in the directory that the runner has chosen: the node's memory is not used.
dir=${CAPTURE_ROOT:-/tmp}/$CAPTURE_NAME
spool=disk
create_spool() { { [ -d "$dir" ] || mkdir -p "$dir"; } && true >"$dir/ack"; } 2>/dev/null
if [ "$CAPTURE_SPOOL" -lt 4000000 ] || ! create_spool; then
  [ -z "${CAPTURE_ROOT:-}" ] || fail space "$CAPTURE_ROOT cannot be written"
  dir=/dev/shm/$CAPTURE_NAME
  spool=memory CAPTURE_SPOOL=4000000 CAPTURE_SEGMENT=1
  create_spool || fail space "neither /tmp nor /dev/shm can be written"
fi
cd "$dir" || fail space "cannot enter $dir"
[ -n "${CAPTURE_ROOT:-}" ] || [ $spool = memory ] || limit_to_disk
set_limits
echo $((up / 100)) >heartbeat
echo 0 >size
echo "0 0" >base

while read -r field value; do
  [ "$field" != CapEff: ] || capabilities=$value
done </proc/self/status
has_capability() { [ $((0x${capabilities:-0} >> $1 & 1)) -eq 1 ]; } # by its number in capability.h
classify() { # the text of tcpdump → the code of the error, and for an interface the names of those that are there, as the last words of `text`
  case $1 in
    *"change to '"* | *initgroups*) code=user ;;
    *ermission* | *'not permitted'*) if has_capability 13; then code=seccomp; else code=net-raw; fi ;; # NET_RAW
    *'No such device'* | *"doesn't exist"* | *'is not up'*)
      code=interface text="$text; the interfaces are:"
      for path in /sys/class/net/*; do text="$text ${path##*/}"; done
      ;;
    *'No space left'*) code=space ;;
    *) code=$2 ;;
  esac
}
check_filter() { # compiles it for the link type of the capture; does not return where that fails. In the background, so that TERM is noticed.
  tcpdump -i "$CAPTURE_INTERFACE" -p $link -s "$CAPTURE_SNAPLEN" -d -- "$CAPTURE_FILTER" >/dev/null 2>compiled &
  wait $! || { text=$(cat compiled); classify "$text" filter; [ -n "$term" ] || fail "$code" "$text"; }
}
start_tcpdump() {
  : >err
  tcpdump "$@" $link -- "$CAPTURE_FILTER" 2>err &
  tcpdump=$!
}

# Recording starts before everything else that can wait. What prevents it is found out only where it fails: each process takes its time.
set -- -i "$CAPTURE_INTERFACE" -p -n -U -B "$ring" -s "$CAPTURE_SNAPLEN" -C "$CAPTURE_SEGMENT" -w "$dir/s"
# Some builds of tcpdump change to a user of their own, who may not write here. `-Z root` prevents it; it needs SETGID.
if has_capability 6; then set -- "$@" -Z root; fi
[ -z "$CAPTURE_PACKETS" ] || set -- "$@" -c "$CAPTURE_PACKETS"
link=
[ "$CAPTURE_INTERFACE" != any ] || link='-y LINUX_SLL2'
start_tcpdump "$@"
{ cp "$brought/follower" follow.new && mv follow.new follow; } || { kill -9 "$tcpdump"; fail space "cannot write to $dir"; }

listening='' tries=0
while [ -z "$listening" ]; do
  running=1
  kill -0 "$tcpdump" 2>/dev/null || running=
  while read -r line; do case $line in *'listening on '*) listening=$line ;; esac; done <err
  [ -n "$listening" ] && break
  tries=$((tries + 1))
  if [ -z "$running" ] && [ -z "$term" ]; then
    if [ -n "$link" ] && ! tcpdump -y LINUX_SLL2 -d >/dev/null 2>&1; then # a tcpdump from before 4.99
      link=
      start_tcpdump "$@"
      continue
    fi
    check_filter
  fi
  if [ -z "$running" ] || [ $tries -gt 100 ] || [ -n "$term" ]; then
    kill -9 "$tcpdump" 2>/dev/null
    text=$(cat err)
    classify "$text" tcpdump
    [ -n "$term" ] && { remove_files; exit 0; }
    fail "$code" "$text"
  fi
  if [ $tries -lt 10 ]; then sleep 0.03; else sleep 0.1; fi
done
uptime
begin=$up begin_epoch=$(date +%s)
echo "$begin_epoch" >listening.new && mv listening.new listening
say "listening: ${listening#*listening on }"

prepare_naps
echo 0 >hashed
choose_hash
read_segments | hash_stream >sum &
hasher=$!
note_interfaces

heartbeat_missing() { # for longer than $1 seconds
  read -r value <heartbeat && number "$value" && heartbeat=$value
  [ $((up / 100 - heartbeat)) -gt "$1" ]
}
heartbeat=$((up / 100))

duration_end=$((begin + CAPTURE_DURATION * 100)) stop_at=''
while :; do
  uptime
  measure
  delete_acknowledged
  pause_or_resume ''
  note_interfaces
  if [ -z "$stop_at" ]; then
    if [ -s stop ]; then read -r reason <stop; fi
    if ! kill -0 "$tcpdump" 2>/dev/null; then reason=${reason:-died}; break; fi
    if [ -z "$reason" ]; then
      if [ "$up" -ge $duration_end ]; then reason='duration'
      elif [ $bytes -ge "$CAPTURE_SIZE" ]; then reason='size'
      elif heartbeat_missing "$CAPTURE_HEARTBEAT_TIMEOUT"; then reason='heartbeat-timeout'
      elif [ "$up" -ge $deadline ]; then reason='deadline'
      elif ! kill -0 "$hasher" 2>/dev/null; then reason='hash'
      fi
    fi
    # The kernel hands its ring buffer over at least once a second; without a wait its packets are lost at the stop (libpcap #1011).
    if [ "$reason" = size ]; then stop_at=$up; elif [ -n "$reason" ]; then stop_at=$((up + 120)); fi
  elif ! kill -0 "$tcpdump" 2>/dev/null; then
    break
  fi
  [ -z "$stop_at" ] || [ "$up" -lt "$stop_at" ] || break
  nap $interval
done

pause_or_resume now
kill -INT "$tcpdump" 2>/dev/null
tries=0
while kill -0 "$tcpdump" 2>/dev/null; do
  tries=$((tries + 1))
  [ $tries -lt 50 ] || kill -9 "$tcpdump" 2>/dev/null
  sleep 0.1
done
while :; do # a trapped signal ends `wait` before the child has ended
  was=$term
  wait "$tcpdump" 2>/dev/null
  code=$?
  [ "$was" = "$term" ] && break
done
uptime
ended=$up
measure
: >ended

captured='' received='' dropped='' interface_dropped=''
while read -r count what; do
  case $what in
    packet*' captured') captured=$count ;;
    packet*' received by filter') received=$count ;;
    packet*' dropped by kernel') dropped=$count ;;
    packet*' dropped by interface') interface_dropped=$count ;;
  esac
done <err
# tcpdump that ends by itself has reached its packet count, or another process ended it: only its own count tells which.
[ "$reason" = died ] && [ -n "$CAPTURE_PACKETS" ] && [ "$captured" = "$CAPTURE_PACKETS" ] && reason=packets

must_end() { # after the deadline, without a heartbeat, or while the pod is being deleted
  uptime
  limit=$CAPTURE_HEARTBEAT_TIMEOUT
  [ "$up" -lt $deadline ] || limit=5
  heartbeat_missing "$limit" && return 0
  [ "$up" -lt $((deadline + 60000)) ] || return 0
  [ -n "$term" ] || return 1
  [ "$term" != 1 ] || term=$up # the deletion of a pod is delayed by three seconds at most, for the rest
  [ $((up - term)) -ge 300 ]
}

sum=
while :; do
  read -r sum _ <sum && [ -n "$sum" ] && break
  if ! kill -0 "$hasher" 2>/dev/null && ! read -r sum _ <sum || must_end; then
    sum=0000000000000000000000000000000000000000000000000000000000000000 # there is no proof; the runner reports that
    break
  fi
  [ -z "$sum" ] || break
  delete_acknowledged
  sleep 0.1
done
{
  echo "size $bytes"
  echo "sha256 $sum"
  echo "reason $reason"
  echo "spool $spool"
  echo "exit $code"
  [ -z "$captured" ] || echo "captured $captured"
  [ -z "$received" ] || echo "received $received"
  [ -z "$dropped" ] || echo "dropped $dropped"
  [ -z "$interface_dropped" ] || echo "interface-dropped $interface_dropped"
  echo "paused $((paused_total * 10)) $pauses"
  echo "recorded $(((ended - begin) * 10))"
  echo "began $begin_epoch"
} >trailer.new
cp trailer.new short
looked=-100
note_interfaces
list_interfaces >>trailer.new
echo "tool $(tcpdump --version 2>&1 | tr '\n' ' ' | cut -c 1-200)" >>trailer.new
[ "$reason" != died ] || echo "message $(tr '\n' ' ' <err | cut -c 1-500)" >>trailer.new
cat short >"$status_file" 2>/dev/null # the proof outlives the container, in the pod's status
mv trailer.new trailer
say "stopped: $reason, $bytes bytes"

# The runner gets time to fetch the rest, at most until ten minutes after the deadline.
while [ ! -e 'done' ]; do
  must_end && break
  delete_acknowledged
  nap 0.2
done
remove_files
say "ended"
exit 0
