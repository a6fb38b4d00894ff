# shellcheck shell=sh
# Writes stdin to a file in the run folder, readable by root alone. Arguments: FOLDER NAME
umask 077
cat >"$1/$2"
