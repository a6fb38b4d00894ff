# The follower: `sh follow OFFSET`, started by exec, again after each broken connection. It sends the logical stream of the spool from
# OFFSET on stdout, says on stderr how things stand (lines: listening, beat, trailer, end, gone) and takes commands on stdin
# (ack BYTES, stop REASON, hold SECONDS, done). It ends with its stdin: an exec'd process does not die when its client goes away.
cd "${0%/*}" || exit 1
offset=$1
header=24

# One follower at a time: an earlier one may still be blocked in a write to a connection that is gone.
[ -e follower ] && read -r earlier <follower && [ -n "$earlier" ] && grep -q follow "/proc/${earlier#-}/cmdline" 2>/dev/null && kill -9 "$earlier"
read -r stat </proc/$$/stat
set -- ${stat##*) }
if [ "$3" = $$ ]; then self=-$$; else self=$$; fi # the process group where it is our own: it holds a blocked cat, too
echo "$self" >follower

exec 4<&0
{
  held=0 # until then nobody is missed; an ack that is still on its way must not take that back
  while read -r word value <&4; do
    read -r up _ </proc/uptime
    up=${up%.*}
    [ "$word" != hold ] || held=$((up + value))
    echo $((up > held ? up : held)) >owner
    case $word in
      ack) echo "$value" >ack ;;
      stop) echo "$value" >stop ;;
      done)
        : >done
        cat <&4 >/dev/null # the recorder removes everything now: nothing more is written
        ;;
    esac
  done
  kill -9 "$self"
} &

say() { printf '%s\n' "$*" >&2; }
next_beat=0
beat() { # at most one in two seconds
  read -r up _ </proc/uptime
  up=${up%.*}
  [ "$up" -ge $next_beat ] || return 0
  next_beat=$((up + 2))
  read -r size <size
  say "beat $size"
}
name() { if [ "$1" -eq 0 ]; then file=s; else file=s$1; fi; }

until [ -e listening ]; do
  beat
  sleep 0.2
done
read -r epoch <listening
say "listening $epoch"

# The segment that holds the offset. `base` is rewritten when a segment is deleted, so it may be read while it is empty or old.
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
enter() { # segment $i at $skip bytes of its part of the stream, on fd 3
  name "$i"
  until [ -s "$file" ] || [ -e ended ]; do # its header is written with its first packet
    beat
    sleep 0.1
  done
  [ -e "$file" ] || { say "gone $offset"; exit 1; }
  exec 3<"$file"
  [ "$i" -eq 0 ] || skip=$((skip + header))
  [ $skip -eq 0 ] || dd bs=$skip skip=1 count=0 <&3 2>/dev/null
  skip=0
}
enter

sent=
while :; do
  ended=
  [ ! -e ended ] || ended=1
  next=
  [ ! -e "s$((i + 1))" ] || next=1 # then this one is closed, and what is read now is all of it
  read -r size <size
  if [ "$size" != "$sent" ] || [ -n "$next$ended" ]; then
    cat <&3
    sent=$size
  fi
  beat
  if [ -n "$next" ]; then
    i=$((i + 1))
    enter
  elif [ -n "$ended" ]; then
    break
  else
    sleep 0.2
  fi
done

until [ -e trailer ]; do
  beat
  sleep 0.1
done
while read -r line; do say "trailer $line"; done <trailer
say end
while :; do # until the recorder ends, or stdin does: a process that leaves with bytes under way loses them (kubernetes #60140)
  beat
  sleep 0.5
done
