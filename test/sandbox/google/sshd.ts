import { spawn, type ChildProcess } from 'node:child_process'
import { accessSync, constants, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect as dial, createServer, type AddressInfo, type Socket } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import ssh2 from 'ssh2'
import { generateLoginKey } from '../../../src/google/login-key.ts'

const program = '/usr/sbin/sshd'

/** Why the real sshd cannot be used here; undefined where it can. */
export const sshdMissing = ((): string | undefined => {
  try {
    accessSync(program, constants.X_OK)
    return undefined
  } catch {
    return `there is no ${program} (Debian: openssh-server)`
  }
})()

export type HostKeyType = 'ed25519' | 'ecdsa' | 'rsa'

/** A real OpenSSH server on loopback, which lets the present user in. */
export interface Sshd {
  readonly port: number
  readonly user: string
  /** `ssh-ed25519 AAAA…`, one line for each type */
  readonly hostKeys: readonly string[]
  /** what it logs */
  readonly log: () => string
  /** connections that `connect` has made and that are open */
  readonly open: () => number
  readonly connect: () => Promise<Socket>
  /** Breaks every connection of `connect`, without a word; how many there were. */
  cut(): number
  /** Takes these public keys (`TYPE BASE64`) from now on, and no others. */
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
  // sshd insists on this empty folder, which is its own; systemd makes it elsewhere.
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
    await end(child)
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    await listening(child, () => log)
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
    const { privateKey, publicKey } = generateLoginKey() // ssh2's own spoils one ed25519 pair of 256
    return { private: privateKey, public: publicKey }
  }
  return type === 'rsa'
    ? ssh2.utils.generateKeyPairSync('rsa', { bits: 2048 })
    : ssh2.utils.generateKeyPairSync('ecdsa', { bits: 256 })
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
    const timer = setTimeout(() => reject(new Error(`sshd does not listen: ${log()}`)), 10_000)
    child.once('error', reject)
    child.once('exit', () => reject(new Error(`sshd has ended: ${log()}`)))
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
