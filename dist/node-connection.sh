# shellcheck shell=sh
# Prints the addresses of this SSH connection, as the node has them: `connection CLIENT PORT SERVER PORT`.
echo "connection $SSH_CONNECTION"
