# On a node: the recorder with its parameters from a file, on the host or in its toolbox, which hands no environment on.
cd "${0%/*}" || exit 1
while IFS= read -r line; do export "$line"; done <parameters # quoted: a value is never parsed as shell
CAPTURE_FOLLOWER=$(cat follower)
export CAPTURE_FOLLOWER
exec sh ./recorder
