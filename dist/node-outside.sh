# On a node: `sh outside LONGEST KEEP [PREFIX…]` runs the recorder for LONGEST seconds at most, by PREFIX where it is given (the toolbox).
# Its last words are kept for a runner that comes late, KEEP seconds; then everything goes, whoever comes or not.
# CAPTURE_NAME is in the environment from the beginning: all processes of the capture can be found by it.
dir=$PWD
longest=$1
keep=$2
shift 2
echo $$ >pid
timeout --signal=TERM --kill-after=10 "$longest" "$@" sh "$dir/inside"
code=$?
# What the recorder has left running, if it was killed or nobody was there to wait for its hash.
for pid in $(grep -ls "CAPTURE_NAME=$CAPTURE_NAME" /proc/[0-9]*/environ | cut -d / -f 3); do
  [ "$pid" = $$ ] || kill -9 "$pid" 2>/dev/null
done
echo $code >ended
n=0
while [ -d "$dir" ] && [ $n -lt "$keep" ]; do
  sleep 1
  n=$((n + 1))
done
cd /
case $dir in */packet-capture-?*.run) rm -rf "$dir" ;; esac
