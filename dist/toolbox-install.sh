# shellcheck shell=sh
# In the toolbox: installs tcpdump.
export DEBIAN_FRONTEND=noninteractive
apt-get -q update && exec apt-get -qy --no-install-recommends install tcpdump
