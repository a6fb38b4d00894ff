# On a node: `sh outside LONGEST KEEP [PREFIX…]` runs the recorder for LONGEST seconds at most, by PREFIX where it is given (the toolbox).
# Its last words are kept for a runner that comes late, KEEP seconds; then everything goes, whoever comes or not.
dir=$PWD
CAPTURE_NAME=${dir##*/}
export CAPTURE_NAME=${CAPTURE_NAME%.run} # what is not in the toolbox can be found by it, too
longest=$1
keep=$2
shift 2
echo $$ >pid
timeout --signal=TERM --kill-after=10 "$longest" "$@" sh "$dir/inside"
echo $? >ended
n=0
while [ -d "$dir" ] && [ $n -lt "$keep" ]; do
  sleep 1
  n=$((n + 1))
done
cd /
case $dir in */packet-capture-?*.run) rm -rf "${dir%.run}" "$dir" ;; esac
