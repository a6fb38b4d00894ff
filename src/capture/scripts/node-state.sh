# shellcheck shell=sh
# Prints the state of a recorder on a node: `state running|ended|lost|gone`, then the status file. Arguments: RUN_FOLDER…
# The line starts with `state` because a login shell may print lines of its own. -O: see node-remove.sh.
for folder; do
  [ -O "$folder" ] || continue
  if [ -e "$folder/ended" ]; then
    echo state ended
    cat "$folder/status" "$folder/log"
    exit
  fi
  if read -r pid <"$folder/pid" && kill -0 "$pid"; then
    echo state running
    exit
  fi
  echo state lost
  cat "$folder/status" "$folder/log"
  exit
done 2>/dev/null
echo state gone
