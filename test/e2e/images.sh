#!/bin/sh
# images.sh CLUSTER: loads the images of the end-to-end tests into the kind cluster CLUSTER. Needs docker and kind.
set -eu
cluster=${1:?usage: images.sh KIND_CLUSTER}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

build() { # the image's name; its Dockerfile on stdin
  docker build --quiet --tag "$1" --file - "$folder"
  kind load docker-image --name "$cluster" "$1"
}

docker pull --quiet docker.io/nicolaka/netshoot:latest
kind load docker-image --name "$cluster" docker.io/nicolaka/netshoot:latest
build docker.io/library/app:1 <<'D'
FROM docker.io/library/busybox:1.37-musl
USER 1000
D
# busybox runs the applet with the name of its file: a web server without a shell
build docker.io/library/distroless:1 <<'D'
FROM docker.io/library/busybox:1.37-musl AS busybox
FROM scratch
COPY --from=busybox /bin/busybox /httpd
USER 65532
CMD ["/httpd", "-f", "-p", "8080"]
D
build docker.io/library/debian-tcpdump:1 <<'D'
FROM docker.io/library/debian:12-slim
RUN apt-get update && apt-get install --yes --no-install-recommends tcpdump && rm -rf /var/lib/apt/lists/*
D
if [ -n "${GITHUB_ENV:-}" ]; then echo 'DEBIAN_IMAGE=docker.io/library/debian-tcpdump:1' >>"$GITHUB_ENV"; fi
