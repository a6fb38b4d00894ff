#!/usr/bin/env node
// npm run demo: a capture from beginning to end on this machine, straight after `git clone`.
//
// This part needs nothing but Node 20: it installs what is missing, then hands over to test/sandbox/demo.ts, which runs
// on the Node 24 that `npm ci` brings.
import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

const root = join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '..')
// tcpdump and ip lie in sbin, which an ordinary user's PATH may not name.
const searchPath = [process.env.PATH, '/usr/sbin', '/sbin'].filter(Boolean).join(delimiter)
const env = { ...process.env, PATH: searchPath }
const isRoot = process.getuid?.() === 0

/** The programs that a pod of the sandbox is made of, with the package that holds each. */
const PROGRAMS = {
  tcpdump: { apt: 'tcpdump', dnf: 'tcpdump', apk: 'tcpdump', pacman: 'tcpdump', zypper: 'tcpdump' },
  ip: { apt: 'iproute2', dnf: 'iproute', apk: 'iproute2', pacman: 'iproute2', zypper: 'iproute2' },
  unshare: { apt: 'util-linux', dnf: 'util-linux', apk: 'util-linux', pacman: 'util-linux', zypper: 'util-linux' },
  setpriv: { apt: 'util-linux', dnf: 'util-linux', apk: 'setpriv', pacman: 'util-linux', zypper: 'util-linux' },
  nsenter: { apt: 'util-linux', dnf: 'util-linux-core', apk: 'util-linux', pacman: 'util-linux', zypper: 'util-linux' },
}

const INSTALL = {
  apt: (packages) => [
    ['apt-get', 'update'],
    ['apt-get', 'install', '--yes', '--no-install-recommends', ...packages],
  ],
  dnf: (packages) => [['dnf', 'install', '--assumeyes', ...packages]],
  apk: (packages) => [['apk', 'add', '--no-cache', ...packages]],
  pacman: (packages) => [['pacman', '--sync', '--noconfirm', '--needed', ...packages]],
  zypper: (packages) => [['zypper', '--non-interactive', 'install', ...packages]],
}

// Ctrl-C cancels the capture as GitHub's button does; the second half then ends in order, and this one after it.
process.on('SIGINT', () => {})
main()

function main() {
  if (process.platform !== 'linux') {
    stop(
      `The demo's pods are Linux network namespaces and this is ${process.platform}.`,
      'Run it in a Linux machine or container: docker run --rm -it --privileged -v "$PWD":/demo -w /demo node:24 npm run demo',
    )
  }
  if (Number(process.versions.node.split('.')[0]) < 20) {
    stop(`This is Node ${process.versions.node}.`, 'Install Node 20 or newer.')
  }
  installPrograms()
  installPackages()
  const demo = [node24(), '--no-warnings', join(root, 'test/sandbox/demo.ts')]
  const { status } = run([...asWhom(demo), ...demo])
  process.exitCode = status ?? 1
}

/** node_modules as the lock file says, when it is missing. */
function installPackages() {
  if (existsSync(join(root, 'node_modules/.bin/node'))) return
  say('The packages of package-lock.json are not installed yet: npm ci (needs the network, about a minute)')
  const { status } = run(['npm', 'ci', '--no-audit', '--no-fund', '--loglevel=error'])
  if (status !== 0) stop('npm ci failed.', 'Its message is above; with the network back, start the demo again.')
}

/** The devDependency's Node, or the host's own where that one cannot run (it is built for glibc). */
function node24() {
  const own = join(root, 'node_modules/.bin/node')
  if (spawnSync(own, ['--version']).status === 0) return own
  if (Number(process.versions.node.split('.')[0]) >= 24) return process.execPath
  stop(
    `node_modules/.bin/node does not run here, and this is Node ${process.versions.node}.`,
    'Were install scripts switched off? `npm rebuild node` repairs that. Else install Node 24 and start the demo again.',
  )
}

function installPrograms() {
  const missing = Object.keys(PROGRAMS).filter((program) => !which(program))
  if (missing.length === 0) return
  const manager = Object.keys(INSTALL).find((name) => which(name === 'apt' ? 'apt-get' : name))
  if (manager === undefined) {
    stop(
      `Not found: ${missing.join(', ')}, and no package manager that this script knows.`,
      'Install them and start the demo again.',
    )
  }
  const packages = [...new Set(missing.map((program) => PROGRAMS[program][manager]))]
  if (!isRoot && !which('sudo')) {
    stop(
      `Not found: ${missing.join(', ')}, and there is no sudo.`,
      `Let an administrator install: ${packages.join(' ')}`,
    )
  }
  say(`Not found: ${missing.join(', ')}. Installing ${packages.join(' ')} by ${manager}${isRoot ? '' : ' with sudo'}`)
  for (const command of INSTALL[manager](packages)) {
    const { status } = run(isRoot ? command : ['sudo', ...command])
    // A stale mirror fails `update` for one list of many; what counts is whether the programs are there afterwards.
    if (status !== 0) say(`${command.join(' ')} ended with ${status}`)
  }
  const still = missing.filter((program) => !which(program))
  if (still.length > 0)
    stop(`Still not found: ${still.join(', ')}.`, `Install ${packages.join(' ')} and start the demo again.`)
}

/** The words before the command that make it work: none, or sudo where this kernel gives namespaces to root alone. */
function asWhom(demo) {
  const problem = check(demo)
  if (problem === '') return []
  if (isRoot) {
    stop(
      `The sandbox cannot run here, not even as root: ${problem}`,
      'In a container: start it with --privileged (or --cap-add SYS_ADMIN --cap-add NET_ADMIN --security-opt apparmor=unconfined).',
    )
  }
  say(`The sandbox's pods are namespaces, and this user may not make them: ${problem}`)
  if (!which('sudo')) stop('There is no sudo.', 'Run the demo as root, or let an administrator allow user namespaces.')
  say('So it runs as root, by sudo. It writes to this folder and to the temp folder only.')
  // sudo sets a PATH of its own, in which the host's node may be missing.
  const sudo = ['sudo', 'env', `PATH=${searchPath}`]
  const problemOfRoot = check([...sudo, ...demo])
  if (problemOfRoot !== '')
    stop(`The sandbox cannot run here, not even as root: ${problemOfRoot}`, 'Try another machine.')
  return sudo
}

/** Empty when the demo can run as this user, else why not. */
function check(demo) {
  const [program, ...args] = [...demo, '--check']
  const done = spawnSync(program, args, {
    cwd: root,
    env,
    stdio: ['inherit', 'ignore', 'pipe'],
    encoding: 'utf8',
    timeout: 60_000,
  })
  return done.status === 0
    ? ''
    : done.stderr.trim() || done.error?.message || `the check ended with ${done.status ?? done.signal}`
}

function run([program, ...args]) {
  return spawnSync(program, args, { cwd: root, env, stdio: 'inherit' })
}

function which(program) {
  return searchPath.split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

function say(text) {
  console.log(`demo: ${text}`)
}

function stop(reason, fix) {
  console.error(`demo: ${reason}\ndemo: ${fix}`)
  process.exit(1)
}
