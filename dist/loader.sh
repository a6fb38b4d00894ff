# shellcheck shell=sh
# The command of a capture's container: waits until the runner's first exec has delivered the recorder (deliver.sh), checks its hash, and
# runs it. The pod's object keeps this text for the pod's life, so it is short. Arguments: NAME SHA256 MAX_SECONDS DEADLINE
# (epoch seconds; for a later run, which looks for recorders that should have ended). deliver.sh writes to `wake`; a shell whose `read` has no
# time limit (dash) polls.
# shellcheck disable=SC2086,SC2015,SC2048,SC2162,SC3045  # the arguments have no blanks; `[` does not fail as the second command
umask 077
trap exit TERM
f() { rm -r $d; echo error $* >/dev/termination-log; exit 1; }
for d in /tmp/$1 /dev/shm/$1; do mkdir $d && cd $d && break; done || f space no directory can be written
mkfifo wake
exec 5<>wake
e=
until [ -e load ]; do
read u _ </proc/uptime
u=${u%.*} e=${e:-$((u+$3+1))}
[ $u -lt $e ] && [ ! -e stop ] || f late no recorder was delivered
read -t 1 _ <&5 2>/dev/null || sleep .1
done
case $(sha256sum load) in $2*) exec sh load; esac
