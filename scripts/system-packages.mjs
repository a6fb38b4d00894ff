// Programs of the operating system that the demo and the tests start: which of them are missing, and how to install them.
// Runs on Node 20 and without node_modules, because it runs before `npm ci`.
import { spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** PATH with the folders of tcpdump, ip and sshd, which may not be in the PATH of an ordinary user. */
export const searchPath = [process.env.PATH, '/usr/sbin', '/sbin'].filter(Boolean).join(delimiter)

export const isRoot = process.getuid?.() === 0

const everywhere = (name) => ({ apt: name, dnf: name, apk: name, pacman: name, zypper: name })
const utilLinux = everywhere('util-linux')
const shadow = { apt: 'uidmap', dnf: 'shadow-utils', apk: 'shadow-uidmap', pacman: 'shadow', zypper: 'shadow' }
const openssh = { apt: 'openssh-server', dnf: 'openssh-server', apk: 'openssh', pacman: 'openssh', zypper: 'openssh' }

/** Each program with its package, by package manager. */
const PACKAGES = {
  tcpdump: everywhere('tcpdump'),
  ip: { ...everywhere('iproute2'), dnf: 'iproute' },
  unshare: utilLinux,
  setpriv: { ...utilLinux, apk: 'setpriv' },
  nsenter: { ...utilLinux, dnf: 'util-linux-core' },
  newuidmap: shadow,
  newgidmap: shadow,
  sshd: openssh,
  'ssh-keygen': {
    apt: 'openssh-client',
    dnf: 'openssh',
    apk: 'openssh-keygen',
    pacman: 'openssh',
    zypper: 'openssh-common',
  },
  busybox: everywhere('busybox'),
  dash: everywhere('dash'),
  bash: everywhere('bash'),
  mksh: everywhere('mksh'),
  sudo: everywhere('sudo'),
  tshark: { ...everywhere('tshark'), dnf: 'wireshark-cli', pacman: 'wireshark-cli', zypper: 'wireshark' },
  'systemd-nspawn': {
    ...everywhere('systemd-container'),
    apk: 'systemd-nspawn',
    pacman: 'systemd',
  },
  chromium: everywhere('chromium'),
  shellcheck: { ...everywhere('shellcheck'), dnf: 'ShellCheck', zypper: 'ShellCheck' },
}

const MANAGERS = {
  apt: {
    program: 'apt-get',
    commands: (packages) => [
      ['apt-get', 'update'],
      ['apt-get', 'install', '--yes', '--no-install-recommends', ...packages],
    ],
  },
  dnf: { program: 'dnf', commands: (packages) => [['dnf', 'install', '--assumeyes', ...packages]] },
  apk: { program: 'apk', commands: (packages) => [['apk', 'add', '--no-cache', ...packages]] },
  pacman: { program: 'pacman', commands: (packages) => [['pacman', '--sync', '--noconfirm', '--needed', ...packages]] },
  zypper: { program: 'zypper', commands: (packages) => [['zypper', '--non-interactive', 'install', ...packages]] },
}

/** The longest wait for another program that installs packages. */
const maxLockWaitMs = 300_000
const lockRetryMs = 1000

export function which(program) {
  return searchPath.split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

/** The programs of this list that this machine does not have. */
export const missingPrograms = (programs) => programs.filter((program) => !which(program))

/** The package manager of this machine: apt, dnf, apk, pacman or zypper; undefined for another one. */
export const packageManager = () => Object.keys(MANAGERS).find((name) => which(MANAGERS[name].program))

/** The command that installs these programs on this machine; undefined if one of them or the package manager is unknown. */
export function installCommand(programs) {
  const manager = packageManager()
  if (manager === undefined || programs.some((program) => PACKAGES[program] === undefined)) return undefined
  const [program, ...args] = MANAGERS[manager].commands(packagesOf(programs, manager)).at(-1)
  const isOption = (word) => /^--(?:yes|assumeyes|noconfirm|non-interactive)$/.test(word)
  return [...(isRoot ? [] : ['sudo']), program, ...args.filter((word) => !isOption(word))].join(' ')
}

/** The packages that contain these programs. */
export const packagesOf = (programs, manager) => [...new Set(programs.map((program) => PACKAGES[program][manager]))]

/**
 * Installs packages. `prefix` is the command that gives the permission, for example ['sudo']; empty for root. A failed command is reported
 * and is not the end: `apt-get update` can fail for one list of many. The caller checks which programs are there now.
 */
export function installPackages({ packages, manager, prefix, say }) {
  for (const command of MANAGERS[manager].commands(packages)) {
    const status = runUnlocked([...prefix, ...command], say)
    if (status !== 0) say(`${command.join(' ')} exited with code ${status}`)
  }
}

/** Runs a command, again while another program holds the lock of the package manager (apt-get itself waits only for some of its locks). */
function runUnlocked([program, ...args], say) {
  const started = Date.now()
  for (let waits = 0; ; waits += 1) {
    const env = { ...process.env, PATH: searchPath, DEBIAN_FRONTEND: 'noninteractive' }
    const done = spawnSync(program, args, { env, stdio: ['inherit', 'inherit', 'pipe'], encoding: 'utf8' })
    const isLocked = done.status !== 0 && /could not (?:get|open) lock|unable to (?:lock|acquire)/i.test(done.stderr)
    if (!isLocked || Date.now() - started > maxLockWaitMs) {
      process.stderr.write(done.stderr)
      return done.status ?? done.signal ?? done.error?.code
    }
    if (waits === 0) say('Another program is installing packages. Waiting for it')
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, lockRetryMs)
  }
}
