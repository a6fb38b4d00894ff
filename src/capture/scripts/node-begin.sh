# shellcheck shell=sh
# Starts the recorder in the run folder and waits up to 5 s for its PID file. Arguments: FOLDER and those of node-outside.sh.
# It gets a session of its own: sshd kills nothing when the connection ends, but the login shell may.
cd "$1" || exit 1
shift
name=${PWD##*/}
CAPTURE_NAME=${name%.run} setsid sh outside "$@" </dev/null >log 2>&1 &
n=0
while [ ! -s pid ] && [ $n -lt 50 ]; do
  sleep 0.1
  n=$((n + 1))
done
[ -s pid ]
