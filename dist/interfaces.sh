# shellcheck shell=sh
# Part of the recorder: the interfaces by index, with the seconds of the capture in which each was there. In a file of `-i any` a packet has
# only the index, and interfaces come and go: at node level with every pod.
# shellcheck disable=SC2154  # recorder.sh sets the other variables
present=' ' names='' departed=0 looked=-100
note_interfaces() { # at most once in a second
  [ $((up - looked)) -ge 100 ] || return 0
  looked=$up
  found=
  for path in /sys/class/net/*; do found="$found ${path##*/}"; done
  [ "$found" != "$names" ] || return 0
  names=$found second=$(((up - begin) / 100))
  before=$present present=' '
  for path in /sys/class/net/*; do
    { read -r index <"$path/ifindex"; } 2>/dev/null || continue
    entry=$index:${path##*/}: from=$second
    case $before in *" $entry"*) from=${before#*" $entry"} from=${from%% *} ;; esac
    present="$present$entry$from "
  done
  for entry in $before; do
    case $present in *" $entry "*) continue ;; esac
    departed=$((departed + 1))
    [ $departed -gt 500 ] || list_interface "$entry" $second >>departed
  done
}
list_interface() { # INDEX:NAME:FROM UNTIL
  rest=${1#*:}
  echo "interface ${1%%:*} ${rest%:*} ${rest##*:} $2"
}
list_interfaces() { # a `-`: until the end
  [ ! -e departed ] || cat departed
  for entry in $present; do list_interface "$entry" -; done
}
