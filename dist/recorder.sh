# The recorder: the main process of the capture's container, or a process on a node. POSIX sh, busybox or coreutils, tcpdump.
# It records into a spool of segments (s, s1, s2, … by `tcpdump -C`), hashes them in order as one logical stream (the file
# headers after the first cut away), gives back what the runner has acknowledged, stops at the limits, writes the trailer and
# waits until the runner has everything. It ends by itself: at its deadline, and when nobody has asked for it for a while.
# Parameters come by environment (CAPTURE_…); nothing of them is ever parsed as shell.
umask 077
# Its directory is removed at the end: a name that is not ours must never become one.
case ${CAPTURE_NAME:-} in */*) CAPTURE_NAME= ;; esac
case ${CAPTURE_NAME:-} in packet-capture-?*) ;; *) echo "error name CAPTURE_NAME is not a capture's"; exit 2 ;; esac
header=24 # bytes of a pcap file header, pcap-savefile(5)

say() { printf '%s\n' "$*"; }
uptime() { read -r up _ </proc/uptime; up=$((${up%.*} * 100 + 1${up#*.} - 100)); } # → up, in 1/100 s, without a fork
number() { case $1 in '' | *[!0-9]*) return 1 ;; esac; }
words=${CAPTURE_WORDS:-/dev/termination-log} # what outlives the spool, for a runner that comes late
last_words() { printf '%s\n' "$*" >"$words"; } 2>/dev/null
d=
fail() { # code, text: what the runner reads from the pod's status
  said=$(printf '%s' "$2" | tr '\n' ' ' | cut -c 1-1000)
  say "error $1 $said"
  last_words "error $1 $said"
  [ -z "$d" ] || rm -rf "$d"
  exit 1
}

[ "$(date +%s)" -lt "$CAPTURE_DEADLINE" ] || { say "late: the capture's deadline has passed"; exit 0; }
uptime
started=$up
deadline=$((up + (CAPTURE_DEADLINE - $(date +%s)) * 100))
reason=
trap 'reason=${reason:-terminated}; term=1' TERM INT
term=

for tool in tcpdump sha256sum dd cat stat sleep; do
  command -v $tool >/dev/null 2>&1 || fail tools "the image has no $tool"
done
# The spool: on the container's disk, or where that gives no room (a read-only root, a tiny limit), a small one in memory. On a node
# it is where the runner has found room, and nowhere else: its memory is not ours.
d=${CAPTURE_ROOT:-/tmp}/$CAPTURE_NAME
spool=disk
[ "$CAPTURE_SPOOL" -ge 4000000 ] && mkdir -p "$d" && : >"$d/ack" || {
  [ -z "${CAPTURE_ROOT:-}" ] || fail space "$CAPTURE_ROOT cannot be written"
  d=/dev/shm/$CAPTURE_NAME
  spool=memory
  CAPTURE_SPOOL=4000000
  CAPTURE_SEGMENT=1
  mkdir -p "$d" && : >"$d/ack" || fail space "neither /tmp nor /dev/shm can be written"
} 2>/dev/null
cd "$d" || fail space "cannot enter $d"
echo $((up / 100)) >owner
echo 0 >size
echo "0 0" >base
printf '%s\n' "$CAPTURE_FOLLOWER" >follow.new && mv follow.new follow || fail space "cannot write to $d"

# The filter, compiled for the link type that the capture will have. In the background, so that TERM is heard meanwhile.
link=
if [ "$CAPTURE_INTERFACE" = any ] && tcpdump -y LINUX_SLL2 -d >/dev/null 2>&1; then link='-y LINUX_SLL2'; fi
classify() { # the text of tcpdump → the code of the error
  case $1 in
    *"change to '"* | *initgroups*) code=user ;;
    *ermission* | *'not permitted'*) code=net-raw ;;
    *'No such device'* | *"doesn't exist"* | *'is not up'*) code=interface ;;
    *'No space left'*) code=space ;;
    *) code=$2 ;;
  esac
}
tcpdump -i "$CAPTURE_INTERFACE" -p $link -s "$CAPTURE_SNAPLEN" -d -- "$CAPTURE_FILTER" >/dev/null 2>compiled &
wait $! || { text=$(cat compiled); classify "$text" filter; [ -n "$term" ] || fail $code "$text"; }
[ -z "$term" ] || { rm -rf "$d"; exit 0; }

# After a pause the whole ring arrives at once: it must fit into the spool beside what is there.
ring=$((CAPTURE_SPOOL / 2048))
[ $ring -lt "$CAPTURE_BUFFER" ] || ring=$CAPTURE_BUFFER
set -- -i "$CAPTURE_INTERFACE" -p -n -U -B $ring -s "$CAPTURE_SNAPLEN" -C "$CAPTURE_SEGMENT" -w "$d/s" $link
# Some builds of tcpdump become a user of their own, who may not write here; saying root takes SETGID, bit 6.
while read -r field value; do
  if [ "$field" = CapEff: ] && [ $((0x$value & 0x40)) -ne 0 ]; then set -- "$@" -Z root; fi
done </proc/self/status
[ -z "$CAPTURE_PACKETS" ] || set -- "$@" -c "$CAPTURE_PACKETS"
: >err
tcpdump "$@" -- "$CAPTURE_FILTER" 2>err &
tcpdump=$!

listening=
tries=0
while [ -z "$listening" ]; do
  while read -r line; do case $line in *'listening on '*) listening=$line ;; esac; done <err
  [ -n "$listening" ] && break
  tries=$((tries + 1))
  if ! kill -0 $tcpdump 2>/dev/null || [ $tries -gt 100 ] || [ -n "$term" ]; then
    kill -9 $tcpdump 2>/dev/null
    text=$(cat err)
    classify "$text" tcpdump
    [ -n "$term" ] && { rm -rf "$d"; exit 0; }
    fail $code "$text"
  fi
  sleep 0.1
done
uptime
begin=$up
begin_epoch=$(date +%s)
echo "$begin_epoch" >listening.new && mv listening.new listening
say "listening: ${listening#*listening on }"

nice= # tcpdump comes first, where the image can say so: packets that it does not take in time are dropped
if command -v nice >/dev/null 2>&1; then nice='nice -n 19'; fi

# The hash of the logical stream: every finished segment once, in order, into one sha256sum.
hash_segments() {
  i=0
  while :; do
    last=
    [ ! -e ended ] || last=1 # asked before the next segment is looked for: what is not there now never comes
    if [ -e "s$((i + 1))" ]; then last=; elif [ -z "$last" ]; then
      [ -e hashed ] || return # the spool is gone, and with it the recorder
      sleep 0.2
      continue
    fi
    if [ $i -eq 0 ]; then exec 3<s; else exec 3<"s$i"; dd bs=$header count=1 <&3 >/dev/null 2>&1; fi
    $nice cat <&3
    exec 3<&-
    i=$((i + 1))
    echo $i >hashed
    [ -z "$last" ] || break
  done
}
echo 0 >hashed
hash_segments | $nice sha256sum >sum &
hasher=$!

# Segments: n is the newest, the ones before it are closed and end at the logical offsets e0, e1, …; those before `given` are deleted.
n=0
closed=0
given=0
given_offset=0
ack=0
name() { if [ "$1" -eq 0 ]; then file=s; else file=s$1; fi; }
length() { # of segment $1 in the logical stream → len
  name "$1"
  len=$(stat -c %s "$file" 2>/dev/null) || len=0
  if [ "$1" -gt 0 ]; then len=$((len > header ? len - header : 0)); fi
}
account() {
  while [ -e "s$((n + 1))" ]; do
    length $n
    closed=$((closed + len))
    eval "e$n=$closed"
    n=$((n + 1))
  done
  length $n
  bytes=$((closed + len))
  echo $bytes >size
}
give_back() {
  read -r value <ack && number "$value" && ack=$value
  hashed=0
  read -r value <hashed && number "$value" && hashed=$value
  while [ $given -lt $n ] && [ $given -lt $hashed ]; do
    eval "end=\$e$given"
    [ "$ack" -ge "$end" ] || break
    name $given
    given=$((given + 1))
    given_offset=$end
    echo "$given $given_offset" >base
    rm -f "$file"
    unset "e$((given - 1))"
  done
}
# When the runner is away and the spool full, recording pauses: the disk of the pod is not ours.
paused=
paused_total=0
pauses=0
high=$((CAPTURE_SPOOL - CAPTURE_SPOOL / 4))
low=$((CAPTURE_SPOOL - CAPTURE_SPOOL / 8 - ring * 1024))
[ $low -lt $((high / 2)) ] || low=$((high / 2))
before=0
look=0.2 # seconds until the next look: fewer where the spool grows fast, so that the last quarter is room enough
pause_or_resume() {
  held=$((bytes - given_offset))
  if [ $((bytes - before)) -gt $((CAPTURE_SPOOL / 16)) ]; then look=0.05; else look=0.2; fi
  before=$bytes
  if [ -z "$paused" ] && [ $held -gt $high ]; then
    kill -STOP $tcpdump
    paused=$up
    pauses=$((pauses + 1))
    say "paused: the spool is full and nobody takes it"
  elif [ -n "$paused" ] && { [ $held -le $low ] || [ -n "$1" ]; }; then
    kill -CONT $tcpdump
    paused_total=$((paused_total + up - paused))
    paused=
    say "resumed"
  fi
}
owner_silent() { # for longer than $1 seconds
  read -r value <owner && number "$value" && owner=$value
  [ $((up / 100 - owner)) -gt "$1" ]
}
owner=$((up / 100))

until=$((begin + CAPTURE_DURATION * 100))
stop_at=
while :; do
  uptime
  account
  give_back
  pause_or_resume
  if [ -z "$stop_at" ]; then
    if [ -s stop ]; then read -r reason <stop; fi
    if ! kill -0 $tcpdump 2>/dev/null; then reason=${reason:-died}; break; fi
    if [ -z "$reason" ]; then
      if [ $up -ge $until ]; then reason=duration
      elif [ $bytes -ge "$CAPTURE_SIZE" ]; then reason=size
      elif owner_silent "$CAPTURE_OWNER_TIMEOUT"; then reason=owner
      elif [ $up -ge $deadline ]; then reason=deadline
      elif ! kill -0 $hasher 2>/dev/null; then reason=hash
      fi
    fi
    # The kernel hands over its ring at least once a second; what it holds is lost at the stop unless we wait for it (libpcap #1011).
    if [ "$reason" = size ]; then stop_at=$up; elif [ -n "$reason" ]; then stop_at=$((up + 120)); fi
  elif ! kill -0 $tcpdump 2>/dev/null; then
    break
  fi
  [ -z "$stop_at" ] || [ $up -lt $stop_at ] || break
  sleep $look
done

pause_or_resume now
kill -INT $tcpdump 2>/dev/null
tries=0
while kill -0 $tcpdump 2>/dev/null; do
  tries=$((tries + 1))
  [ $tries -lt 50 ] || kill -9 $tcpdump 2>/dev/null
  sleep 0.1
done
while :; do # a trapped signal ends `wait` before the child has
  was=$term
  wait $tcpdump 2>/dev/null
  code=$?
  [ "$was" = "$term" ] && break
done
uptime
ended=$up
account
: >ended

captured= received= dropped= interface_dropped=
while read -r count what; do
  case $what in
    packet*' captured') captured=$count ;;
    packet*' received by filter') received=$count ;;
    packet*' dropped by kernel') dropped=$count ;;
    packet*' dropped by interface') interface_dropped=$count ;;
  esac
done <err
# tcpdump that ends by itself has reached its count, or was ended by somebody: only its own count tells.
[ "$reason" = died ] && [ -n "$CAPTURE_PACKETS" ] && [ "$captured" = "$CAPTURE_PACKETS" ] && reason=packets

over() { # nobody may be kept waiting: the deadline, an owner that is away, a pod that goes
  uptime
  limit=$CAPTURE_OWNER_TIMEOUT
  [ $up -lt $deadline ] || limit=5
  owner_silent $limit && return 0
  [ $up -lt $((deadline + 60000)) ] || return 0
  [ -n "$term" ] || return 1
  [ "$term" != 1 ] || term=$up # a pod that goes is not held up: three seconds for the rest
  [ $((up - term)) -ge 300 ]
}

sum=
while :; do
  read -r sum _ <sum && [ -n "$sum" ] && break
  if ! kill -0 $hasher 2>/dev/null && ! read -r sum _ <sum || over; then
    sum=0000000000000000000000000000000000000000000000000000000000000000 # there is no proof, and the runner will say so
    break
  fi
  [ -z "$sum" ] || break
  give_back
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
for path in /sys/class/net/*; do
  read -r index <"$path/ifindex" && echo "interface $index ${path##*/}"
done >>trailer.new 2>/dev/null
echo "tool $(tcpdump --version 2>&1 | tr '\n' ' ' | cut -c 1-200)" >>trailer.new
[ "$reason" != died ] || echo "words $(tr '\n' ' ' <err | cut -c 1-500)" >>trailer.new
cat short >"$words" 2>/dev/null # the proof outlives the container, in the pod's status
mv trailer.new trailer
say "stopped: $reason, $bytes bytes"

# The runner gets its time to fetch the rest; never for longer than ten minutes past the deadline.
while [ ! -e done ]; do
  over && break
  give_back
  sleep 0.2
done
cd /
rm -rf "$d"
say "ended"
exit 0
