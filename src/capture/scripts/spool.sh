# shellcheck shell=sh
# Part of the recorder: the spool, a directory of segments (s, s1, s2, … by `tcpdump -C`), as one logical stream without the file headers
# after the first.
# shellcheck disable=SC2154,SC2034  # recorder.sh sets and reads the other variables
# shellcheck disable=SC2086,SC2317  # numbers; hash_stream is called by recorder.sh
# shellcheck disable=SC3013  # a shell whose `[` has no -ef uses stat
header=24 # bytes of a pcap file header, pcap-savefile(5)

# openssl computes SHA-256 several times faster than the sha256sum of busybox. A segment is deleted only when it is hashed, so nothing here
# runs at a lower priority than tcpdump: a starved hash fills the spool.
hash_stream() { sha256sum; }
choose_hash() {
  case $(openssl dgst -sha256 -r </dev/null 2>/dev/null) in
    e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855*) hash_stream() { openssl dgst -sha256 -r; } ;;
  esac
}

# Writes the logical stream to stdout, for one process that hashes it: every finished segment once, in order.
read_segments() {
  i=0 waits=0
  while :; do
    last=
    [ ! -e ended ] || last=1 # checked before the next segment: once it exists, no new segment appears
    if [ -e "s$((i + 1))" ]; then last=; elif [ -z "$last" ]; then
      [ -e hashed ] || return # the spool was removed, and with it the recorder
      waits=$((waits + 1))
      if [ $waits -lt 40 ]; then nap 0.2; else nap $idle; fi # tcpdump may write the next segment within moments, or never
      continue
    fi
    if [ $i -eq 0 ]; then cat s; else { dd bs=$header skip=1 count=0 2>/dev/null; cat; } <"s$i"; fi
    i=$((i + 1)) waits=0
    echo $i >hashed
    [ -z "$last" ] || break
  done
}

# Segment `newest` is being written. Those before it are complete and end at the logical offsets e0, e1, …; those before `deleted` are deleted.
newest=0 complete_bytes=0 deleted=0 deleted_bytes=0 ack=0 bytes=0 fd=0
name() { if [ "$1" -eq 0 ]; then file=s; else file=s$1; fi; }
length() { # of segment $1 in the logical stream → len
  name "$1"
  len=$(stat -c %s "$file" 2>/dev/null) || len=0
  if [ "$1" -gt 0 ]; then len=$((len > header ? len - header : 0)); fi
}
position() { # of tcpdump in $file, which it writes → len, without a new process; fails where the kernel does not show it
  if ! [ "/proc/$tcpdump/fd/$fd" -ef "$file" ]; then
    for path in "/proc/$tcpdump/fd/"*; do
      if [ "$path" -ef "$file" ]; then fd=${path##*/}; break; fi
    done
  fi
  [ "/proc/$tcpdump/fd/$fd" -ef "$file" ] && read -r _ len <"/proc/$tcpdump/fdinfo/$fd" && number "$len"
} 2>/dev/null
measure() { # → bytes of the logical stream
  while [ -e "s$((newest + 1))" ]; do
    length $newest
    complete_bytes=$((complete_bytes + len))
    eval "e$newest=$complete_bytes"
    newest=$((newest + 1))
  done
  name $newest
  if position; then
    if [ $newest -gt 0 ]; then len=$((len > header ? len - header : 0)); fi
  else
    length $newest
  fi
  [ $bytes -eq $((complete_bytes + len)) ] || echo $((complete_bytes + len)) 1<>size # it only grows: nothing is left of the number before
  bytes=$((complete_bytes + len))
}
delete_acknowledged() {
  [ $deleted -lt $newest ] || return 0
  read -r value <ack && number "$value" && ack=$value
  hashed=0
  read -r value <hashed && number "$value" && hashed=$value
  while [ $deleted -lt $newest ] && [ $deleted -lt "$hashed" ]; do
    eval "segment_end=\$e$deleted"
    [ "$ack" -ge "$segment_end" ] || break
    name $deleted
    deleted=$((deleted + 1)) deleted_bytes=$segment_end
    echo "$deleted $deleted_bytes" >base
    rm -f "$file"
    unset "e$((deleted - 1))"
  done
}

# While the runner is away and the spool is full, recording pauses: the pod needs the rest of its disk. After a pause tcpdump writes the whole
# ring buffer at once: it must fit into the spool beside what is there.
paused='' paused_total=0 pauses=0 last_bytes=0
limit_to_disk() { # the kubelet evicts pods from a node with less than 15 % of its disk free: the spool takes at most half of what is above that
  # shellcheck disable=SC2046  # block size, available and all blocks
  set -- $(stat -f -c '%S %a %b' . 2>/dev/null)
  number "${1:-}" && number "${2:-}" && number "${3:-}" || return 0
  spare=$((($2 - $3 * 15 / 100) * $1 / 2))
  [ $spare -lt "$CAPTURE_SPOOL" ] || return 0
  [ $spare -ge 8000000 ] || spare=8000000
  CAPTURE_SPOOL=$((CAPTURE_SPOOL < spare ? CAPTURE_SPOOL : spare))
  most=$((CAPTURE_SPOOL / 16000000))
  [ $most -gt 0 ] || most=1
  [ "$CAPTURE_SEGMENT" -le $most ] || CAPTURE_SEGMENT=$most
  say "the disk has little room: the spool takes at most $CAPTURE_SPOOL bytes"
}
set_limits() { # → ring (KiB), pause_above, resume_below
  ring=$((CAPTURE_SPOOL / 2048))
  [ "$ring" -lt "$CAPTURE_BUFFER" ] || ring=$CAPTURE_BUFFER
  pause_above=$((CAPTURE_SPOOL - CAPTURE_SPOOL / 4))
  resume_below=$((pause_above - CAPTURE_SPOOL / 16 - ring * 1024))
  [ $resume_below -lt $((pause_above / 2)) ] || resume_below=$((pause_above / 2))
  # The segment that is being written stays: with less, recording could never resume.
  [ $resume_below -gt $((CAPTURE_SEGMENT * 1250000)) ] || resume_below=$((CAPTURE_SEGMENT * 1250000))
}
pause_or_resume() { # with an argument: resume in any case. → interval: shorter while the spool grows fast, so that its last quarter is room enough
  spooled=$((bytes - deleted_bytes))
  grown=$((bytes - last_bytes))
  if [ $grown -gt $((CAPTURE_SPOOL / 12)) ]; then interval=0.05; elif [ $grown -gt $((CAPTURE_SPOOL / 64)) ]; then interval=0.1; else interval=$idle; fi
  # A burst must not fill a spool that is already half full before the next look.
  if [ $((spooled * 2)) -gt $pause_above ] && [ $interval = "$idle" ]; then interval=0.1; fi
  last_bytes=$bytes
  if [ -z "$paused" ] && [ $spooled -gt $pause_above ]; then
    kill -STOP "$tcpdump"
    paused=$up pauses=$((pauses + 1))
    say "paused: the spool is full"
  elif [ -n "$paused" ] && { [ $spooled -le $resume_below ] || [ -n "$1" ]; }; then
    kill -CONT "$tcpdump"
    paused_total=$((paused_total + up - paused)) paused=''
    say "resumed"
  fi
}
