// `npm test` starts this first: installs the programs that the tests need, where that is possible without a password. Otherwise the tests
// that need them are skipped, and test/reporter.js lists them at the end. TEST_INSTALL=no installs nothing. Arguments are further programs.
import { spawnSync } from 'node:child_process'
import { installPackages, isRoot, missingPrograms, packageManager, packagesOf, which } from './system-packages.mjs'

const PROGRAMS = [
  ...['tcpdump', 'ip', 'unshare', 'setpriv', 'nsenter'], // the pods of the sandbox
  ...(isRoot ? [] : ['newuidmap', 'newgidmap']),
  ...['sshd', 'ssh-keygen'],
  ...['bash', 'dash', 'busybox', 'mksh'], // the scripts of the recorder run in each
  'shellcheck',
  ...process.argv.slice(2),
]

const missing = missingPrograms(PROGRAMS)
if (missing.length > 0) {
  const obstacle = obstacleToInstallation()
  if (obstacle === undefined) install()
  else say(`Not found: ${missing.join(', ')}. Not installed: ${obstacle}. The tests that need them are skipped`)
}

/** Why nothing can be installed; undefined if it can be. */
function obstacleToInstallation() {
  if (process.env.TEST_INSTALL === 'no') return 'TEST_INSTALL is no'
  if (process.platform !== 'linux') return `this platform is ${process.platform}`
  if (packageManager() === undefined) return 'the package manager of this machine is not supported'
  if (isRoot) return undefined
  if (!which('sudo')) return 'this user is not root, and sudo is not available'
  const { status } = spawnSync('sudo', ['--non-interactive', 'true'], { stdio: 'ignore' })
  return status === 0 ? undefined : 'this user is not root, and sudo asks for a password'
}

function install() {
  const manager = packageManager()
  const packages = packagesOf(missing, manager)
  const prefix = isRoot ? [] : ['sudo', '--non-interactive']
  say(`Not found: ${missing.join(', ')}. Installing ${packages.join(' ')} with ${manager}${isRoot ? '' : ' and sudo'}`)
  installPackages({ packages, manager, prefix, say })
  const still = missingPrograms(missing)
  if (still.length > 0) say(`Still not found: ${still.join(', ')}. The tests that need them are skipped`)
}

function say(text) {
  console.log(`test: ${text}`)
}
