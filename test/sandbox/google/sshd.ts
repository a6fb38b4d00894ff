import { spawn, type ChildProcess } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect as dial, type Socket } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import ssh2 from 'ssh2'
import { generateLoginKey } from '../../../src/google/compute/login-key.ts'
import { freePort } from '../../support/free-port.ts'
import { endChild } from '../../support/processes.ts'
import { needsProgram, type Lack } from '../../support/needs.ts'

const program = '/usr/sbin/sshd'

/** A requirement of this sshd that this machine lacks. */
export const sshdLack: Lack = needsProgram('sshd')

export type HostKeyType = 'ed25519' | 'ecdsa' | 'rsa'

/** A real OpenSSH server on loopback, which accepts the current user. */
export interface Sshd {
  readonly port: number
  readonly user: string
  /** `ssh-ed25519 AAAA…`, one line for each type */
  readonly hostKeys: readonly string[]
  /** what it logs */
  readonly log: () => string
  /** open connections of `connect` */
  readonly open: () => number
  readonly connect: () => Promise<Socket>
  /** Breaks all connections of `connect` without a message; returns their number. */
  cut(): number
  /** From now on accepts only these public keys (`TYPE BASE64`). */
  authorize(...publicKeys: readonly string[]): void
  stop(): Promise<void>
}

/** `lines` are added to its configuration. */
export async function startSshd(
  types: readonly HostKeyType[] = ['ed25519'],
  lines: readonly string[] = [],
): Promise<Sshd> {
  const folder = mkdtempSync(join(tmpdir(), 'sshd-'))
  const user = userInfo().username
  // sshd requires this empty folder; with systemd, the service creates it.
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 })
  const authorized = join(folder, 'authorized_keys')
  writeFileSync(authorized, '')
  const hostKeys = types.map((type) => {
    const pair = makeHostKey(type)
    writeFileSync(join(folder, type), pair.private, { mode: 0o600 })
    return pair.public
  })
  const port = await freePort()
  const configuration = [
    ...['ListenAddress 127.0.0.1', `Port ${String(port)}`, 'PidFile none', 'UsePAM no', 'StrictModes no'],
    ...['PasswordAuthentication no', 'KbdInteractiveAuthentication no', 'PermitRootLogin prohibit-password'],
    ...[`AllowUsers ${user}`, `AuthorizedKeysFile ${authorized}`, 'PrintMotd no', 'LogLevel VERBOSE'],
    ...types.map((type) => `HostKey ${join(folder, type)}`),
    ...lines,
  ]
  writeFileSync(join(folder, 'config'), `${configuration.join('\n')}\n`)
  const child = spawn(program, ['-D', '-e', '-f', join(folder, 'config')], { stdio: ['ignore', 'ignore', 'pipe'] })
  let log = ''
  child.stderr.on('data', (chunk: Buffer) => {
    log += chunk.toString()
  })
  const sockets = new Set<Socket>()
  const stop = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy()
    await endChild(child)
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    await untilListening(child, 'sshd', () => log)
  } catch (error) {
    await stop()
    throw error
  }
  return {
    port,
    user,
    hostKeys,
    log: () => log,
    open: () => sockets.size,
    connect: () =>
      new Promise((resolve, reject) => {
        const socket = dial({ port, host: '127.0.0.1', noDelay: true })
        socket.once('error', reject)
        socket.once('connect', () => {
          sockets.add(socket)
          resolve(socket)
        })
        socket.once('close', () => sockets.delete(socket))
      }),
    cut() {
      const count = sockets.size
      for (const socket of sockets) socket.resetAndDestroy()
      return count
    },
    authorize: (...publicKeys) => writeFileSync(authorized, publicKeys.map((line) => `${line}\n`).join('')),
    stop,
  }
}

function makeHostKey(type: HostKeyType): { private: string; public: string } {
  if (type === 'ed25519') {
    const { privateKey, publicKey } = generateLoginKey() // ssh2's generator creates one invalid ed25519 pair in 256
    return { private: privateKey, public: publicKey }
  }
  return type === 'rsa'
    ? ssh2.utils.generateKeyPairSync('rsa', { bits: 2048 })
    : ssh2.utils.generateKeyPairSync('ecdsa', { bits: 256 })
}

/** Waits until an sshd that logs to its stderr listens. */
export function untilListening(child: ChildProcess, name: string, log: () => string): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${name} does not listen: ${log()}`)), 10_000)
    child.once('error', reject)
    child.once('exit', () => reject(new Error(`${name} has ended: ${log()}`)))
    child.stderr?.on('data', () => {
      if (!log().includes('Server listening')) return
      clearTimeout(timer)
      resolve()
    })
  })
}
