# shellcheck shell=sh
# Asks a recorder to stop, delete its spool and end, without a signal: PID 1 of the container may be another process. Arguments: DIRECTORY…
for d; do
  [ ! -d "$d" ] || { echo cancelled >"$d/stop"; : >"$d/done"; }
done
