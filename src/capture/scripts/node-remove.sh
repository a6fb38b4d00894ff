# shellcheck shell=sh
# Stops a recorder on a node and removes its files. Arguments: NAME ROOT…
# Only folders that root owns (-O) are used: another user may have created one with the name of a capture.
name=$1
shift
case $name in */*) exit 2 ;; packet-capture-?*) ;; *) exit 2 ;; esac
# A recorder that runs removes its files by itself: ask for it, and wait up to 8 s.
for root; do
  spool=$root/$name.run/$name
  [ ! -O "$root/$name.run" ] || [ ! -d "$spool" ] || { echo cancelled >"$spool/stop"; : >"$spool/done"; }
done
is_running() { # the run folder $1
  [ -O "$1" ] && [ -s "$1/pid" ] && [ ! -e "$1/ended" ] && read -r pid <"$1/pid" && kill -0 "$pid"
} 2>/dev/null
n=0
while [ $n -lt 80 ]; do
  running=
  for root; do
    if is_running "$root/$name.run"; then running=1; fi
  done
  [ -n "$running" ] || break
  sleep 0.1
  n=$((n + 1))
done
# Kill what remains. All processes of a capture have its name in their environment, those in a toolbox too, which outlive nspawn's SIGKILL.
n=0
while pids=$(grep -ls "CAPTURE_NAME=$name" /proc/[0-9]*/environ | cut -d / -f 3) && [ -n "$pids" ] && [ $n -lt 30 ]; do
  # shellcheck disable=SC2086  # one argument a PID
  kill -9 $pids 2>/dev/null
  sleep 0.1
  n=$((n + 1))
done
for root; do
  [ ! -O "$root/$name.run" ] || rm -rf "$root/$name.run"
done
