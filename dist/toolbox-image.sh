# shellcheck shell=sh
# Runs a command with the toolbox's image in HOME/.toolboxrc: toolbox reads it only there, and root's own file must stay as it is.
# Arguments: HOME NAME TAG COMMAND… An empty HOME is replaced by a temporary one, removed at the end.
# The traps: `timeout` ends this shell and the toolbox below it at the same time.
HOME=$1
if [ -z "$HOME" ]; then
  HOME=$(mktemp -d /run/packet-capture-home-XXXXXX) || exit 1
  trap 'rm -rf "$HOME"' EXIT
  trap 'exit 143' INT TERM HUP
fi
export HOME
printf 'TOOLBOX_DOCKER_IMAGE=%s\nTOOLBOX_DOCKER_TAG=%s\n' "$2" "$3" >"$HOME/.toolboxrc"
shift 3
"$@"
exit $?
