# shellcheck shell=sh
# shellcheck disable=SC2163  # a line is NAME=value
# The head of what deliver.sh brings into a container. After it: the parameters (NAME=value), the follower and the recorder, each under a
# line of its own. `sh load` runs this and no line after the `exec`. No parameter is parsed as shell.
sed -n '/^#parameters$/,/^#follower$/{
/^#/!w parameters
}
/^#follower$/,/^#recorder$/{
/^#/!w follower
}
/^#recorder$/,${
/^#/!w recorder
}' load
while IFS= read -r line; do export "$line"; done <parameters
rm load parameters
exec sh ./recorder
