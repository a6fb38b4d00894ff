import { spawn, type ChildProcess } from 'node:child_process'
import {
  accessSync,
  appendFileSync,
  chmodSync,
  chownSync,
  constants,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { generateLoginKey } from '../../../src/google/login-key.ts'
import type { Instance, MetadataItem } from './compute.ts'
import { cosGroup, layOutCos, type CosOptions } from './cos.ts'
import { profileOf } from './os-login.ts'
import type { World } from './world.ts'

const sshd = '/usr/sbin/sshd'

/** Why a guest cannot run here; undefined where it can. */
export const guestMissing = ((): string | undefined => {
  if (process.getuid?.() !== 0) return 'not root'
  try {
    accessSync(sshd, constants.X_OK)
    return undefined
  } catch {
    return `there is no ${sshd} (Debian: openssh-server)`
  }
})()

export interface GuestOptions {
  /** ms until a new key lets in; a key that is taken away or expires is out at once */
  readonly propagation?: number
  /** writes its host key into the guest attributes, as at a first boot */
  readonly publishesHostKeys?: boolean
  /** it is a node of Container-Optimized OS */
  readonly cos?: CosOptions
}

/** The inside of an instance: a real OpenSSH server on loopback, with the guest agent's share of the work. */
export interface Guest {
  readonly port: number
  /** `ssh-ed25519 AAAA…` */
  readonly hostKey: string
  readonly log: () => string
  /** the command lines, by process id, of all that runs in it beside its sshd; what a toolbox of it contains, too */
  readonly processes: () => ReadonlyMap<number, string>
  /** where its file system is to be seen from outside */
  readonly root: string
  /** who may log in now, and with which keys (`ssh-ed25519 AAAA…`) */
  readonly keys: () => ReadonlyMap<string, readonly string[]>
  /** Lets every key in that is under way, whatever the propagation. */
  arrive(): void
  stop(): Promise<void>
}

/**
 * Accounts are made as the keys come, as the agent makes them, and stay. They are known to this server's processes alone (their own
 * /etc/passwd, in a mount namespace), so that nothing of this machine is changed. Each is root by another name; on COS, whose sudo is there
 * too, a user of its own who may become root by that.
 */
export async function startGuest(world: World, instance: Instance, options: GuestOptions = {}): Promise<Guest> {
  const folder = mkdtempSync(join(tmpdir(), 'guest-'))
  mkdirSync('/run/sshd', { recursive: true, mode: 0o755 })
  mkdirSync(join(folder, 'keys'))
  chmodSync(folder, 0o711) // sshd looks for a user's keys as that user
  for (const file of ['passwd', 'shadow']) copyFileSync(`/etc/${file}`, join(folder, file))
  const { publicKey: hostKey, privateKey } = generateLoginKey()
  writeFileSync(join(folder, 'host_key'), privateKey, { mode: 0o600 })
  if (options.publishesHostKeys === true) {
    const [type = '', encoded = ''] = hostKey.split(' ')
    instance.guestAttributes.set(`hostkeys/${type}`, encoded)
  }
  const port = await freePort()
  writeFileSync(join(folder, 'config'), configuration(folder, port))
  const script = [
    ...(options.cos ? [layOutCos(folder, options.cos)] : []),
    'mount --bind "$1/passwd" /etc/passwd && mount --bind "$1/shadow" /etc/shadow && exec "$2" -D -e -f "$1/config"',
  ].join(' && ')
  const child = spawn('unshare', ['--mount', 'sh', '-c', script, 'sh', folder, sshd], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let log = ''
  child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()))

  const makeAccount = options.cos ? makeUser : nameRoot
  const agent = createAgent(world, instance, folder, options.propagation ?? 0, (user, count) =>
    makeAccount(folder, user, count),
  )
  agent.look()
  const timer = setInterval(agent.look, 50)
  const stop = async (): Promise<void> => {
    clearInterval(timer)
    await end(child)
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    await listening(child, () => log)
  } catch (error) {
    await stop()
    throw error
  }
  const processes = (): ReadonlyMap<number, string> => processesBesideSshd(folder)
  return {
    ...{ port, hostKey, log: () => log, processes, root: `/proc/${String(child.pid)}/root` },
    ...{ keys: agent.keys, arrive: agent.arrive, stop },
  }
}

/** Those that see the folder mounted, and what is below them: a toolbox has mounts of its own, and may be orphaned. */
function processesBesideSshd(folder: string): ReadonlyMap<number, string> {
  const seen = new Map<number, { parent: number; mounts: string; line: string }>()
  for (const pid of readdirSync('/proc').map(Number).filter(Number.isInteger)) {
    const read = (name: string): string => readFileSync(`/proc/${String(pid)}/${name}`, 'utf8')
    try {
      const line = read('cmdline').replaceAll('\0', ' ').trim()
      const stat = read('stat')
      const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
      if (line !== '') seen.set(pid, { parent, mounts: read('mountinfo'), line })
    } catch {
      continue // gone
    }
  }
  const isInside = (pid: number): boolean => {
    const found = seen.get(pid)
    return found !== undefined && (found.mounts.includes(`${basename(folder)}/`) || isInside(found.parent))
  }
  const others = [...seen].filter(([pid, { line }]) => isInside(pid) && !/^(\S*\/)?sshd\b/.test(line))
  return new Map(others.map(([pid, { line }]) => [pid, line]))
}

function configuration(folder: string, port: number): string {
  return [
    ...['ListenAddress 127.0.0.1', `Port ${String(port)}`, `HostKey ${join(folder, 'host_key')}`, 'PidFile none'],
    ...['PermitRootLogin prohibit-password', 'PasswordAuthentication no', 'KbdInteractiveAuthentication no'],
    ...['UsePAM no', 'StrictModes no', `AuthorizedKeysFile ${join(folder, 'keys')}/%u`, 'PrintMotd no'],
    ...['LogLevel VERBOSE', 'Subsystem sftp internal-sftp', ''],
  ].join('\n')
}

interface Agent {
  look(this: void): void
  arrive(this: void): void
  keys(this: void): ReadonlyMap<string, readonly string[]>
}

function createAgent(
  world: World,
  instance: Instance,
  folder: string,
  propagation: number,
  makeAccount: (user: string, count: number) => void,
): Agent {
  const firstSeen = new Map<string, number>()
  const accounts = new Set(['root'])
  let written = new Map<string, readonly string[]>()

  const keys = (): Map<string, readonly string[]> => {
    const now = performance.now()
    const byUser = new Map<string, string[]>()
    for (const [user, key] of grantedKeys(world, instance)) {
      const id = `${user} ${key}`
      if (!firstSeen.has(id)) firstSeen.set(id, now)
      if ((firstSeen.get(id) ?? now) + propagation > now) continue
      byUser.set(user, [...(byUser.get(user) ?? []), key])
    }
    return byUser
  }
  const look = (): void => {
    const current = keys()
    if (JSON.stringify([...current]) === JSON.stringify([...written])) return
    for (const [user, lines] of current) {
      if (!accounts.has(user)) {
        makeAccount(user, accounts.size)
        accounts.add(user)
      }
      writeFileSync(join(folder, 'next'), lines.map((line) => `${line}\n`).join(''))
      renameSync(join(folder, 'next'), join(folder, 'keys', user))
    }
    for (const user of readdirSync(join(folder, 'keys'))) {
      if (!current.has(user)) rmSync(join(folder, 'keys', user))
    }
    written = current
  }
  const arrive = (): void => {
    keys()
    for (const id of firstSeen.keys()) firstSeen.set(id, -Infinity)
    look()
  }
  return { look, arrive, keys }
}

/** The files are changed in place: what is mounted is the file, not its name. */
function nameRoot(folder: string, user: string): void {
  appendFileSync(join(folder, 'passwd'), `${user}:x:0:0::/root:/bin/bash\n`)
  appendFileSync(join(folder, 'shadow'), `${user}:*:19000:0:99999:7:::\n`)
}

/** The group is that of layOutCos' sudoers. */
function makeUser(folder: string, user: string, count: number): void {
  const id = firstUser + count
  mkdirSync(join(folder, 'home', user))
  chownSync(join(folder, 'home', user), id, cosGroup)
  appendFileSync(join(folder, 'passwd'), `${user}:x:${String(id)}:${String(cosGroup)}::/home/${user}:/bin/bash\n`)
  appendFileSync(join(folder, 'shadow'), `${user}:*:19000:0:99999:7:::\n`)
}
const firstUser = 20_000

/** User and key (`TYPE BASE64`), by the rules of the guest agent; without the expired ones. */
function grantedKeys(world: World, instance: Instance): [string, string][] {
  const read = (items: readonly MetadataItem[], key: string): string | undefined =>
    items.find((item) => item.key === key)?.value
  const { projectMetadata } = world.compute
  const osLogin = read(instance.metadata, 'enable-oslogin') ?? read(projectMetadata, 'enable-oslogin')
  if (/^true$/i.test(osLogin ?? '')) {
    return [...world.osLogin.profiles.keys()].flatMap((email) => {
      const { posixAccounts, keys } = profileOf(world, email)
      const user = posixAccounts.find(({ primary }) => primary === true)?.['username']
      return typeof user === 'string' ? [...keys.values()].map(({ key }) => [user, bare(key)] as [string, string]) : []
    })
  }
  const legacy = read(instance.metadata, 'sshKeys')
  const blocked = legacy !== undefined || /^true$/i.test(read(instance.metadata, 'block-project-ssh-keys') ?? '')
  const values = [read(instance.metadata, 'ssh-keys'), legacy, blocked ? '' : read(projectMetadata, 'ssh-keys')]
  return values.flatMap((value) => (value ?? '').split('\n').flatMap(readEntry))
}

/** `USER:TYPE BASE64 COMMENT`, or with `google-ssh {"userName":…,"expireOn":…}`; nothing where it has expired. */
function readEntry(line: string): [string, string][] {
  const [, user, key, json] = /^([a-z_][a-z0-9_.-]*):([^ ]+ [^ ]+)(?: google-ssh (.+))?/.exec(line.trim()) ?? []
  if (user === undefined || key === undefined) return []
  if (json === undefined) return [[user, key]]
  const { expireOn } = JSON.parse(json) as { expireOn: string }
  const expires = Date.parse(expireOn.replace(/([+-]\d\d)(\d\d)$/, '$1:$2'))
  return expires > Date.now() ? [[user, key]] : []
}

function bare(key: string): string {
  return key.split(/\s+/).slice(0, 2).join(' ')
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

function listening(child: ChildProcess, log: () => string): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`the guest's sshd does not listen: ${log()}`)), 10_000)
    child.once('error', reject)
    child.once('exit', () => reject(new Error(`the guest's sshd has ended: ${log()}`)))
    child.stderr?.on('data', () => {
      if (!log().includes('Server listening')) return
      clearTimeout(timer)
      resolve()
    })
  })
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  await ended
}
