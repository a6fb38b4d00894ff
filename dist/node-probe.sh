# shellcheck shell=sh
# Prints what a capture needs to know about the node, one `fact KEY VALUE` a line: a login shell may print lines of its own.
# Arguments: TOOLBOX_FOLDER SPOOL_DIRECTORY…
toolbox_folder=$1
shift
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
fact() { printf 'fact %s\n' "$*"; }
while IFS= read -r line; do
  case $line in ID=* | VERSION_ID=*) fact "$line" ;; esac
done </etc/os-release
sudo=
if [ "$(id -u)" = 0 ]; then
  fact root already
elif sudo -n true </dev/null >/dev/null 2>&1; then
  sudo='sudo -n'
  fact root sudo
else
  fact root none
fi
path=$(command -v tcpdump) && fact tcpdump "$path" "$(tcpdump --version 2>&1 | head -n 1)"
path=$(command -v toolbox) && fact toolbox "$path"
# shellcheck disable=SC2086  # $sudo is two words or none
for tree in $($sudo ls "$toolbox_folder" 2>/dev/null); do fact tree "$tree"; done
for directory; do
  # shellcheck disable=SC2086  # $sudo is two words or none
  { $sudo test -d "$directory" && $sudo test -w "$directory"; } || continue
  fact spool "$(stat -f -c '%S %a %b %T' "$directory")" "$directory"
done
read -r boot </proc/sys/kernel/random/boot_id && fact boot "$boot"
fact clock "$(date +%s)"
