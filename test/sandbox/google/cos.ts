import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The settings of a guest that is a node of Container-Optimized OS. */
export interface CosOptions {
  /** the images that its toolbox can pull: root trees by `NAME:TAG` */
  readonly images: Readonly<Record<string, string>>
  /** which of them /etc/default/toolbox names */
  readonly image: string
  /** bytes of the disk that holds /var; default: this machine's disk */
  readonly disk?: number
  /** shell, before an image is unpacked */
  readonly beforePull?: string
}

/** The group whose users can become root with sudo; does not exist on this machine. */
export const cosGroup = 20_000

/**
 * Creates in `folder` the files that the guest has in place of this machine's files.
 * @returns shell code that mounts them in a separate mount namespace, with `folder` as $1. As on COS: / cannot be written, /var is on disk and noexec
 * but for /var/lib/toolbox, /tmp is memory and noexec, there is a toolbox and no tcpdump.
 */
export function layOutCos(folder: string, options: CosOptions): string {
  const file = (path: string, text: string, mode = 0o644): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text, { mode })
  }
  for (const name of [
    'bin',
    'bin-work',
    'etc',
    'etc-work',
    'home',
    'var/tmp',
    'var/lib/toolbox',
    'var/log',
    'registry',
  ]) {
    mkdirSync(join(folder, name), { recursive: true })
  }
  const [name, tag] = splitName(options.image)
  file('etc/sudoers.d/google_sudoers', `%#${String(cosGroup)} ALL=(ALL:ALL) NOPASSWD:ALL\n`, 0o440)
  file('etc/os-release', 'NAME="Container-Optimized OS"\nID=cos\nVERSION_ID=121\nBUILD_ID=18867.90.4\n')
  file('etc/default/toolbox', `TOOLBOX_DOCKER_IMAGE="${name}"\nTOOLBOX_DOCKER_TAG="${tag}"\n: \${USER:=root}\n`)
  file('bin/toolbox', toolbox.replace('BEFORE_PULL', options.beforePull ?? ':'), 0o755)
  for (const [image, tree] of Object.entries(options.images)) symlinkSync(tree, join(folder, 'registry', flat(image)))
  return [
    'mount -t tmpfs tmpfs /run && mkdir -p /run/sshd /run/guest && mount --bind "$1" /run/guest && cd /run/guest',
    // The root trees may be in a folder that the mounts hide.
    'for i in registry/*; do mkdir -p "pull/${i##*/}" && mount --bind "$(readlink "$i")" "pull/${i##*/}" || exit; done',
    'mount -t overlay overlay -o lowerdir=/usr/bin,upperdir=bin,workdir=bin-work /usr/bin && rm /usr/bin/tcpdump',
    'mount -t overlay overlay -o lowerdir=/etc,upperdir=etc,workdir=etc-work /etc',
    options.disk === undefined
      ? 'mount --bind var /var'
      : `truncate -s ${String(options.disk)} disk && mkfs.ext4 -q -F disk && mount -o loop disk /var && cp -a var/. /var`,
    'mount --bind /var/lib/toolbox /var/lib/toolbox && mount -o remount,bind,noexec,nosuid,nodev /var',
    'mount --bind home /home && mount -o remount,bind,noexec,nosuid,nodev /home',
    'mount -t tmpfs -o noexec,nosuid,nodev,mode=1777 tmpfs /tmp && mkdir -p "$1" && mount --rbind /run/guest "$1"',
    'cd / && mount -o remount,bind,ro /',
  ].join(' && ')
}

/**
 * The observable behaviour of COS' script (github.com/coreos/toolbox and its fork in COS): its settings files, a separate root tree for each
 * user and image, its message on stdout while it creates the tree, and all arguments passed to nspawn. Without the parts that need systemd as PID 1.
 */
const toolbox = `#!/bin/bash
set -e
set -o pipefail
TOOLBOX_DIRECTORY=/var/lib/toolbox
TOOLBOX_USER=root
TOOLBOX_BIND='--bind=/var:/media/root/var:norbind'
TOOLBOX_ENV=
if [ -f /etc/default/toolbox ]; then source /etc/default/toolbox; fi
if [ -f "\${HOME}/.toolboxrc" ]; then source "\${HOME}/.toolboxrc"; fi
name=\${USER}-\${TOOLBOX_DOCKER_IMAGE}-\${TOOLBOX_DOCKER_TAG}
path=\${TOOLBOX_DIRECTORY}/\${name//\\//_}
if [ ! -f "\${path}/etc/os-release" ]; then
  image=/run/guest/pull/\${TOOLBOX_DOCKER_IMAGE//\\//_}_\${TOOLBOX_DOCKER_TAG}
  BEFORE_PULL
  if [ ! -d "\${image}" ]; then
    echo "Error response from daemon: manifest for \${TOOLBOX_DOCKER_IMAGE}:\${TOOLBOX_DOCKER_TAG} not found: manifest unknown" >&2
    exit 1
  fi
  echo "\${TOOLBOX_DOCKER_TAG}: Pulling from \${TOOLBOX_DOCKER_IMAGE}"
  mkdir -p "\${path}"
  tar -C "\${image}" -cf - . | tar -C "\${path}" -xf -
  touch "\${path}/etc/os-release"
  echo "Successfully extracted to \${path}"
fi
if [ "x\${1-}" = x-c ]; then set /bin/sh "$@"; fi
exec systemd-nspawn --register=no --keep-unit --directory="\${path}" --capability=all \${TOOLBOX_BIND} \${TOOLBOX_ENV} --user="\${TOOLBOX_USER}" "$@"
`

/** The folder that the toolbox of root unpacks an image to, below /var/lib/toolbox. */
export function treeName(image: string, user = 'root'): string {
  const [name, tag] = splitName(image)
  return `${user}-${name.replaceAll('/', '_')}-${tag}`
}

function splitName(image: string): [string, string] {
  const at = image.lastIndexOf(':')
  return [image.slice(0, at), image.slice(at + 1)]
}

const flat = (image: string): string => splitName(image).join('_').replaceAll('/', '_')
