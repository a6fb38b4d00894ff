# shellcheck shell=sh
# shellcheck disable=SC2154  # nap.sh, which comes before, sets `idle`
# The follower: `sh follow OFFSET`, started by exec, again after each lost connection. It sends the logical stream of the spool from
# OFFSET on stdout, reports the state on stderr (lines: listening, beat, trailer, end, gone) and reads commands from stdin
# (ack BYTES, stop REASON, hold SECONDS, done). It ends with its stdin: the client's end does not end a process that exec started.
cd "${0%/*}" || exit 1
prepare_naps
offset=$1
header=24

# Only one follower runs: an earlier one may still be blocked in a write to a lost connection.
[ -e follower ] && read -r earlier <follower && [ -n "$earlier" ] && grep -q follow "/proc/${earlier#-}/cmdline" 2>/dev/null && kill -9 "$earlier"
read -r stat </proc/$$/stat
# shellcheck disable=SC2086  # split into the fields of proc_pid_stat(5)
set -- ${stat##*) }
if [ "$3" = $$ ]; then self=-$$; else self=$$; fi # the process group where this process leads it: it has a blocked cat, too
echo "$self" >follower

exec 4<&0
{
  held=0 # the uptime until which no heartbeat is expected; a later ack must not reduce it
  while read -r command value <&4; do
    read -r up _ </proc/uptime
    up=${up%.*}
    [ "$command" != hold ] || held=$((up + value))
    echo $((up > held ? up : held)) >heartbeat
    case $command in
      ack) echo "$value" >ack ;;
      stop) echo "$value" >stop ;;
      'done')
        : >'done'
        cat <&4 >/dev/null # the recorder removes the spool now: nothing more is written
        ;;
    esac
  done
  kill -9 "$self"
} &

say() { printf '%s\n' "$*" >&2; }
next_beat=0
beat() { # at most once in two seconds
  read -r up _ </proc/uptime
  up=${up%.*}
  [ "$up" -ge $next_beat ] || return 0
  next_beat=$((up + 2))
  say beat
}
name() { if [ "$1" -eq 0 ]; then file=s; else file=s$1; fi; }

until [ -e listening ]; do
  beat
  nap 0.2
done
read -r epoch <listening
say "listening $epoch"

# Finds the segment that has the offset. `base` is rewritten when a segment is deleted, so it may be read while it is empty or old.
tries=0
i=
while [ -z "$i" ]; do
  tries=$((tries + 1))
  [ $tries -lt 100 ] || { say "gone $offset"; exit 1; }
  read -r i start <base
  [ -n "$start" ] || { i=; sleep 0.1; continue; }
  [ "$offset" -ge "$start" ] || { say "gone $offset"; exit 1; }
  while :; do
    name "$i"
    if [ ! -e "s$((i + 1))" ]; then len=; break; fi
    len=$(stat -c %s "$file" 2>/dev/null) || { i=; break; }
    [ "$i" -eq 0 ] || len=$((len - header))
    [ "$offset" -ge $((start + len)) ] || break
    start=$((start + len))
    i=$((i + 1))
  done
done
skip=$((offset - start))
open_segment() { # segment $i on fd 3, at $skip bytes of its part of the stream
  name "$i"
  until [ -s "$file" ] || [ -e ended ]; do # tcpdump writes the file header with the first packet
    beat
    nap 0.1
  done
  [ -e "$file" ] || { say "gone $offset"; exit 1; }
  exec 3<"$file"
  [ "$i" -eq 0 ] || skip=$((skip + header))
  [ $skip -eq 0 ] || dd bs=1 skip=$skip count=0 2>/dev/null <&3 # only moves the offset of fd 3
  skip=0
}
open_segment

sent=
while :; do
  ended=
  [ ! -e ended ] || ended=1
  next=
  [ ! -e "s$((i + 1))" ] || next=1 # then this segment is complete, and cat reads all of the rest
  # shellcheck disable=SC2094  # a variable and a file of one name
  read -r size <size
  if [ "$size" != "$sent" ] || [ -n "$next$ended" ]; then
    cat <&3
    sent=$size
  fi
  beat
  if [ -n "$next" ]; then
    i=$((i + 1))
    open_segment
  elif [ -n "$ended" ]; then
    break
  else
    nap "$idle"
  fi
done

until [ -e trailer ]; do
  beat
  nap 0.1
done
while read -r line; do say "trailer $line"; done <trailer
say end
while :; do # until the recorder or stdin ends: a process that exits while its output is under way loses it (kubernetes #60140)
  beat
  nap 0.5
done
