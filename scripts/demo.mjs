#!/usr/bin/env node
// npm run demo: a capture from start to end on this machine, directly after `git clone`.
//
// This script needs only Node 20. It installs missing programs and packages, then starts test/sandbox/demo.ts, which runs
// on the Node 24 that `npm ci` installs. The sandbox runs as the user who started the demo; with sudo only where the
// kernel does not let this user create namespaces.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { constants } from 'node:os'
import { join, relative } from 'node:path'
import {
  installCommand,
  installPackages,
  isRoot,
  missingPrograms,
  packageManager,
  packagesOf,
  searchPath,
  which,
} from './system-packages.mjs'

const root = join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '..')
const env = { ...process.env, PATH: searchPath }

/** The programs that the sandbox needs for its pods. */
const POD_PROGRAMS = ['tcpdump', 'ip', 'unshare', 'setpriv', 'nsenter']
/** The programs that map more than one user into a user namespace. */
const ID_PROGRAMS = ['newuidmap', 'newgidmap']

// Ctrl-C reaches the running command, too: it ends in its own way, and this script ends after it.
let interrupted = false
process.on('SIGINT', () => {
  interrupted = true
})
await main()

async function main() {
  if (process.platform !== 'linux') {
    stop(
      `The pods of the demo are Linux network namespaces. This platform is ${process.platform}.`,
      'Run it on a Linux machine or in a container: docker run --rm -it --privileged -v "$PWD":/demo -w /demo node:24 npm run demo',
    )
  }
  if (Number(process.versions.node.split('.')[0]) < 20) {
    stop(`This is Node ${process.versions.node}.`, 'Install Node 20 or newer.')
  }
  const isForbidden = await forbidsNamespaces()
  await installPrograms(isRoot || isForbidden ? POD_PROGRAMS : [...POD_PROGRAMS, ...ID_PROGRAMS])
  await installNodeModules()
  const demo = [await node24(), '--no-warnings', join(root, 'test/sandbox/demo.ts')]
  const prefix = await permission(demo, isForbidden)
  process.exitCode = (await run([...prefix, ...demo])).code
}

/** Whether the kernel refuses namespaces to this user. The trial maps only this user, so it needs no uidmap. */
async function forbidsNamespaces() {
  if (isRoot || !which('unshare')) return false
  const trial = ['unshare', '--user', '--map-root-user', '--mount', '--net', '--pid', '--fork', 'true']
  return (await run(trial, ['ignore', 'ignore', 'ignore'])).code !== 0
}

async function installPrograms(programs) {
  const missing = missingPrograms(programs)
  if (missing.length === 0) return
  const found = `Not found: ${missing.join(', ')}.`
  const manager = packageManager()
  if (manager === undefined) {
    stop(
      `${found} This script does not support the package manager of this machine.`,
      'Install them, then start again.',
    )
  }
  const update = manager === 'apt' ? 'apt-get update && ' : ''
  const byRoot = `Run this as root, then start the demo again: ${update}${installCommand(missing).replace(/^sudo /, '')}`
  if (!isRoot && !which('sudo')) stop(`${found} This user is not root, and sudo is not available.`, byRoot)
  const packages = packagesOf(missing, manager)
  say(`${found} Installing ${packages.join(' ')} with ${manager}${isRoot ? '' : ' and sudo'}`)
  if (!isRoot && (await run(['sudo', '--validate'])).code !== 0)
    stop(`${found} sudo did not give the permission.`, byRoot)
  installPackages({ packages, manager, prefix: isRoot ? [] : ['sudo'], say })
  await stopIfInterrupted()
  const still = missingPrograms(missing)
  if (still.length > 0) stop(`Still not found: ${still.join(', ')}.`, byRoot)
}

/** Installs node_modules according to the lock file, if it is missing. */
async function installNodeModules() {
  if (existsSync(join(root, 'node_modules/.bin/node'))) return
  say(
    'The packages of package-lock.json are not installed. Running npm ci (needs network access, takes about a minute)',
  )
  const { code } = await run(['npm', 'ci', '--no-audit', '--no-fund', '--loglevel=error'])
  if (code !== 0) stop('npm ci failed.', 'See its output above. Start the demo again when the network is available.')
}

/** The Node of the devDependency, or the Node of the host if that one cannot run (it is built for glibc). */
async function node24() {
  const own = join(root, 'node_modules/.bin/node')
  if ((await run([own, '--version'], ['ignore', 'ignore', 'ignore'])).code === 0) return own
  if (Number(process.versions.node.split('.')[0]) >= 24) return process.execPath
  stop(
    `node_modules/.bin/node does not run here, and this is Node ${process.versions.node}.`,
    'If install scripts are disabled, run `npm rebuild node`. Otherwise install Node 24 and start the demo again.',
  )
}

/** What to put before the command of the demo: nothing, or sudo where the kernel forbids namespaces to this user. */
async function permission(demo, isForbidden) {
  const support = await check(demo)
  if (support.supported) return []
  const { reason, remedy } = support
  if (isRoot) {
    stop(
      `The sandbox cannot run on this machine, even as root: ${reason}`,
      'In a container, start the container with --privileged (or --cap-add SYS_ADMIN --cap-add NET_ADMIN --security-opt apparmor=unconfined).',
    )
  }
  const byRoot = remedy.replace(/^sudo /, '')
  if (!isForbidden)
    stop(`The sandbox cannot run as this user: ${reason}`, `Run this as root, then start again: ${byRoot}`)

  say(`The pods of the sandbox are namespaces, and the kernel does not let this user create them: ${reason}`)
  const allow = byRoot.startsWith('sysctl') ? `allow them with \`${byRoot}\`, or ` : ''
  const withoutSudo = `As root, ${allow}run \`npm run demo\`.`
  if (!which('sudo')) stop('sudo is not available.', withoutSudo)
  // sudo sets another PATH, which may not contain the node of the host.
  const sudo = ['sudo', 'env', `PATH=${searchPath}`]
  say(`So the sandbox needs root. Running: sudo ${demo.map((word) => relative(process.cwd(), word) || word).join(' ')}`)
  say('It writes only to this folder and to the temporary folder. Ctrl-C stops.')
  if ((await run([...sudo, 'true'])).code !== 0) stop('sudo did not give the permission.', withoutSudo)
  const asRoot = await check([...sudo, ...demo])
  if (!asRoot.supported) {
    stop(
      `The sandbox cannot run on this machine, even as root: ${asRoot.reason}`,
      `Missing: the permission to create namespaces. ${asRoot.remedy}`,
    )
  }
  return sudo
}

/** Whether this command can run the demo here: a SandboxSupport. */
async function check(demo) {
  const { code, stdout, stderr } = await run([...demo, '--check'], ['inherit', 'pipe', 'pipe'])
  try {
    return JSON.parse(stdout)
  } catch {
    const reason = stderr.trim().replace(/\s+/g, ' ') || `the check exited with code ${code}`
    return { supported: false, reason, remedy: 'npm run demo' }
  }
}

/**
 * Runs a command. Returns its exit code (128 + n for a signal) and what it wrote into pipes. Ends this script after the command if Ctrl-C was
 * pressed. A signal to this script alone goes to the command.
 */
async function run([program, ...args], stdio = 'inherit') {
  const child = spawn(program, args, { cwd: root, env, stdio })
  const written = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr']) child[name]?.on('data', (chunk) => (written[name] += chunk))
  const forward = (signal) => child.kill(signal)
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, forward)
  const code = await new Promise((resolve) => {
    child.once('error', () => resolve(127))
    child.once('close', (status, signal) => resolve(status ?? 128 + constants.signals[signal]))
  })
  for (const signal of ['SIGTERM', 'SIGHUP']) process.off(signal, forward)
  await stopIfInterrupted()
  return { code, ...written }
}

/** Ends this script with the code of a program that SIGINT ended, if Ctrl-C was pressed. */
async function stopIfInterrupted() {
  // A signal that came during a synchronous command is handled in the next turn of the event loop.
  await new Promise((resolve) => setTimeout(resolve, 10))
  if (interrupted) process.exit(130)
}

function say(text) {
  console.log(`demo: ${text}`)
}

function stop(reason, fix) {
  console.error(`demo: ${reason}\ndemo: ${fix}`)
  process.exit(1)
}
