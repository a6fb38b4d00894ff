# shellcheck shell=sh
# In the toolbox: prints the version of tcpdump, on stdout or stderr.
tcpdump --version 2>&1
