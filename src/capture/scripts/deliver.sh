# shellcheck shell=sh
# shellcheck disable=SC2093  # the loops end with the `exec`
# Takes the recorder from stdin, up to its last line `#end`, for the loader that waits for it, and waits up to 4 s until it records. A recorder
# that cannot record ends the container, and with it this process. Arguments: both directories that a loader may have made
# The command is in the API server's audit log, so this is short. -O: another user may have created a directory of that name.
for t in sha256sum sed tcpdump; do command -v $t >/dev/null || echo "error tools the image has no $t" >&2; done
n=0
while [ $n -lt 50 ]; do
  for d; do
    [ -O "$d" ] || continue
    [ -e "$d/load" ] || [ -e "$d/recorder" ] || { sed '/^#end$/q' >"$d/new" && grep -q '^#end$' "$d/new" && mv "$d/new" "$d/load" && echo 1<>"$d/wake"; } || exit
    n=0
    until [ -e "$1/listening" ] || [ -e "$2/listening" ] || [ $n -ge 80 ]; do
      n=$((n + 1))
      sleep 0.05
    done
    echo delivered >&2
    exec cat >/dev/null
  done
  n=$((n + 1))
  sleep 0.1
done
