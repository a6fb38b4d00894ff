# shellcheck shell=sh
# Runs its arguments as root: directly, or with sudo, which must not ask for a password.
if [ "$(id -u)" = 0 ]; then exec "$@"; else exec sudo -n -- "$@"; fi
