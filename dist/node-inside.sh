# shellcheck shell=sh
# On a node: the recorder with its parameters from a file, on the host or in its toolbox, which passes no environment on.
cd "${0%/*}" || exit 1
# shellcheck disable=SC2163  # a line is NAME=value; quoted, its value is never parsed as shell
while IFS= read -r line; do export "$line"; done <parameters
exec sh ./recorder
