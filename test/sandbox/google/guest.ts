import { spawn } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { generateLoginKey } from '../../../src/google/compute/login-key.ts'
import type { Instance, MetadataItem } from './compute.ts'
import { cosGroup, layOutCos, type CosOptions } from './cos.ts'
import { freePort } from '../../support/free-port.ts'
import { endChild } from '../../support/processes.ts'
import { profileOf } from './os-login.ts'
import { untilListening } from './sshd.ts'
import type { World } from './world.ts'
import { firstLack, needsProgram, needsRoot, type Lack } from '../../support/needs.ts'

const sshd = '/usr/sbin/sshd'

/** A requirement of a guest that this machine lacks. */
export const guestLack: Lack = firstLack(needsRoot, needsProgram('sshd'))

export interface GuestOptions {
  /** ms until a new key is accepted; a removed or expired key is rejected immediately */
  readonly propagation?: number
  /** writes its host key into the guest attributes, as at a first boot */
  readonly publishesHostKeys?: boolean
  /** it is a node of Container-Optimized OS */
  readonly cos?: CosOptions
}

/** The operating system of an instance: a real OpenSSH server on loopback, and the tasks of the guest agent. */
export interface Guest {
  readonly port: number
  /** `ssh-ed25519 AAAA…` */
  readonly hostKey: string
  readonly log: () => string
  /** the command lines, by process id, of its processes except sshd; includes those in a toolbox */
  readonly processes: () => ReadonlyMap<number, string>
  /** the path of its file system outside of the guest */
  readonly root: string
  /** who may log in now, and with which keys (`ssh-ed25519 AAAA…`) */
  readonly keys: () => ReadonlyMap<string, readonly string[]>
  /** Accepts all pending keys immediately, regardless of the propagation time. */
  arrive(): void
  stop(): Promise<void>
}

/**
 * Accounts are created when keys arrive, as by the agent, and are not deleted. Only this server's processes see them (a separate
 * /etc/passwd in a mount namespace), so this machine is not changed. Each account has the user id of root; on COS, which has sudo, each
 * account has its own user id and can become root with sudo.
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
    await endChild(child)
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    await untilListening(child, "the guest's sshd", () => log)
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

/** The processes that see the folder mounted, and their descendants: a toolbox has separate mounts, and may be orphaned. */
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

/** Changes the files in place: the mount refers to the file, not to its name. */
function nameRoot(folder: string, user: string): void {
  appendFileSync(join(folder, 'passwd'), `${user}:x:0:0::/root:/bin/bash\n`)
  appendFileSync(join(folder, 'shadow'), `${user}:*:19000:0:99999:7:::\n`)
}

/** The group is the sudoers group of layOutCos. */
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

/** `USER:TYPE BASE64 COMMENT`, or with `google-ssh {"userName":…,"expireOn":…}`; nothing if it has expired. */
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
