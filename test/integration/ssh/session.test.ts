import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, connect as dial, type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Duplex } from 'node:stream'
import { jest } from '@jest/globals'
import { Cancelled } from '../../../src/common/errors.ts'
import type { RemoteProcess, RemoteProcessHandlers } from '../../../src/common/remote-process.ts'
import { AuthenticationError, HostKeyError, type SshAdvice } from '../../../src/ssh/errors.ts'
import type { SshClock, SshOptions } from '../../../src/ssh/options.ts'
import { SshSession } from '../../../src/ssh/session.ts'
import { sshdLack, startSshd, type Sshd } from '../../sandbox/google/sshd.ts'
import { until } from '../../support/until.ts'
import { generateLoginKey } from '../../../src/google/compute/login-key.ts'
import { describeWith } from '../../support/needs.ts'

const advice: SshAdvice = {
  input: 'machine',
  hostKeySource: 'the known hosts',
  fixes: {
    keyNotAccepted: 'Grant the login.',
    keyNoLongerAccepted: 'Grant the login again.',
    hostKeyUnknown: 'Correct the list.',
    hostKeyChanged: 'Connect again.',
    hostKeysUnsupported: 'List another key.',
  },
}

describeWith(sshdLack, 'a session to a real sshd', () => {
  const pair = generateLoginKey()
  let sshd: Sshd
  let folder: string
  let sessions: SshSession[]
  beforeAll(async () => {
    sshd = await startSshd(['ed25519', 'ecdsa', 'rsa'])
    folder = mkdtempSync(join(tmpdir(), 'ssh-test-'))
  })
  afterAll(async () => {
    await sshd.stop()
    rmSync(folder, { recursive: true, force: true })
  })
  beforeEach(() => {
    sessions = []
    sshd.authorize(pair.publicKey)
  })
  afterEach(async () => {
    jest.useRealTimers()
    for (const one of sessions) one.close()
    await until('no connection is left', () => sshd.open() === 0)
  })

  function session(options: Partial<SshOptions> = {}, clock?: SshClock): SshSession {
    const defaults = { connect: sshd.connect, user: sshd.user, privateKey: pair.privateKey, hostKeys: sshd.hostKeys }
    const made = new SshSession({ ...defaults, loginPatienceMs: 0, advice, ...options }, clock)
    sessions.push(made)
    return made
  }

  /** A fake clock that only waits advance; the waits return immediately. */
  function fakeClock(onSleep: (now: number) => void = () => undefined): SshClock & { waits: number[] } {
    let now = 1_000
    const waits: number[] = []
    return {
      waits,
      nowMs: () => now,
      sleep: (ms) => {
        now += ms
        waits.push(ms)
        onSleep(now - 1_000)
        return Promise.resolve()
      },
    }
  }

  const sh = (script: string, ...args: string[]): string[] => ['sh', '-c', script, 'sh', ...args]
  // In place of the login shell: dash, unlike bash, would stay and report a signal as an exit code.
  const execSh = (script: string): string[] => ['exec', ...sh(script)]

  /** Opens a process and keeps its stderr. */
  async function opened(
    script: string,
    handlers: Partial<RemoteProcessHandlers> = {},
    over = session(),
  ): Promise<{ command: RemoteProcess; lines: string[] }> {
    const lines: string[] = []
    const command = await over.open(sh(script), {
      stdout: () => undefined,
      stderr: (line) => lines.push(line),
      ...handlers,
    })
    return { command, lines }
  }

  describe('run', () => {
    it.each([
      ["a 'quoted' $HOME `id` \\ \n; exit 1", '*'],
      ['-n', 'ünïcode'],
    ])('passes the arguments %j and %j unchanged to the process', async (...words) => {
      const finished = await session().run(sh('for w in "$@"; do printf "<%s>" "$w"; done', ...words))
      expect(finished).toEqual({ code: 0, stdout: words.map((word) => `<${word}>`).join(''), stderr: '' })
    })

    it('passes on stdin, and returns stdout, stderr and the exit code', async () => {
      const finished = await session().run(sh('cat; echo bad >&2; exit 7'), { stdin: 'in\n' })
      expect(finished).toEqual({ code: 7, stdout: 'in\n', stderr: 'bad\n' })
    })

    it('closes stdin when there is no input, and returns 128 + N for a process that signal N ended', async () => {
      expect(await session().run(execSh('cat; kill -9 $$'))).toEqual({ code: 137, stdout: '', stderr: '' })
    })

    it('logs in once for several commands at the same time', async () => {
      const one = session()
      const logins = (): number => sshd.log().split('Accepted publickey').length
      const before = logins()
      const all = await Promise.all(Array.from({ length: 8 }, (_, i) => one.run(['echo', String(i)])))
      expect(all.map(({ stdout }) => stdout)).toEqual(Array.from({ length: 8 }, (_, i) => `${String(i)}\n`))
      expect(logins() - before).toBe(1)
    })

    it('rejects after the time limit and ends the stdin of the process', async () => {
      const mark = join(folder, 'timeout')
      const running = session().run(sh('trap "" PIPE; cat >/dev/null; sleep 0.6; echo x; echo over >"$1"', mark), {
        timeoutMs: 200,
      })
      await expect(running).rejects.toThrow('sh did not end within 0.2 s')
      await until('the process has ended', () => existsSync(mark))
    })

    it('rejects when the output exceeds its limit', async () => {
      const one = session()
      const running = one.run(sh('echo $$ >"$1"; exec yes', join(folder, 'yes')), { maxOutputBytes: 100_000 })
      await expect(running).rejects.toThrow('sh wrote more than 100000 bytes')
      const pid = readFileSync(join(folder, 'yes'), 'utf8').trim()
      await until('the process ends', () => !existsSync(`/proc/${pid}`))
      expect((await one.run(['echo', 'on'])).stdout).toBe('on\n')
    })

    it('rejects when the connection breaks; the next command connects again', async () => {
      const one = session()
      const running = one.run(sh('echo $$ >"$1"; cat >/dev/null; sleep 1', join(folder, 'cut')), { stdin: 'x' })
      const failed = expect(running).rejects.toThrow(/the connection was lost while sh ran/)
      await until('it runs', () => existsSync(join(folder, 'cut')))
      expect(sshd.cut()).toBe(1)
      await failed
      expect((await one.run(['echo', 'again'])).stdout).toBe('again\n')
    })
  })

  describe('open', () => {
    it('passes on every byte in order, and the exit code', async () => {
      const hash = createHash('sha256')
      const { command, lines } = await opened('seq 1 2000000; echo done >&2; exit 3', {
        stdout: (chunk) => {
          hash.update(chunk)
          return undefined
        },
      })
      expect(await command.ended).toEqual({ code: 1000, reason: 'exit code 3' })
      expect(lines).toEqual(['done'])
      expect(hash.digest('hex')).toBe('d2d7c0abc3eb76d91b0b5a2702e92a9f2908269c9c1b3604bdfe2521c71d6274')
    })

    it('sends lines to stdin', async () => {
      const { command, lines } = await opened(
        'while read -r a b; do echo "$b $a" >&2; [ "$a" != done ] || exit 0; done',
      )
      expect(command.protocol).toBe('ssh')
      expect(command.send('ack 12')).toBe(true)
      await until('the answer', () => lines.includes('12 ack'))
      expect(command.send('done')).toBe(true)
      expect(await command.ended).toEqual({ code: 1000, reason: 'exit code 0' })
      expect(command.send('late')).toBe(false)
    })

    it('ends the stdin of the process on close(), which ends the process', async () => {
      const mark = join(folder, 'closed')
      const { command, lines } = await opened(`echo up >&2; cat >/dev/null; echo over >${mark}`)
      await until('it runs', () => lines.length > 0)
      command.close()
      expect(command.send('ack 1')).toBe(false)
      expect(await command.ended).toEqual({ code: 1006, reason: 'closed by the client' })
      await until('the process has ended', () => existsSync(mark))
    })

    it('ends on close() also when the process does not read its stdin', async () => {
      const { command, lines } = await opened('echo up >&2; sleep 3')
      await until('it runs', () => lines.length > 0)
      const began = performance.now()
      command.close()
      expect(await command.ended).toEqual({ code: 1006, reason: 'closed by the client' })
      expect(performance.now() - began).toBeLessThan(2_900)
    })

    it('names the signal that ended the process', async () => {
      const ignore = { stdout: () => undefined, stderr: () => undefined }
      const command = await session().open(execSh('kill -TERM $$'), ignore)
      expect(await command.ended).toEqual({ code: 1000, reason: 'ended by SIGTERM' })
    })

    it('reports a broken connection; the next process connects again with the same host key', async () => {
      const one = session()
      const { command, lines } = await opened('echo up >&2; cat', {}, one)
      await until('it runs', () => lines.length > 0)
      sshd.cut()
      expect(await command.ended).toEqual({ code: 1006, reason: 'the connection was closed' })
      const { hostKey } = one
      const second = await opened('exit 0', {}, one)
      expect(await second.command.ended).toMatchObject({ code: 1000 })
      expect(one.hostKey).toBe(hostKey)
    })

    it('passes on one chunk while the stdout handler is busy, and the rest afterwards', async () => {
      let release: () => void = () => undefined
      let pieces = 0
      let taken = 0
      const { command } = await opened('head -c 30000000 /dev/zero', {
        stdout: (chunk) => {
          pieces += 1
          taken += chunk.length
          return pieces > 1 ? undefined : new Promise((resolve) => (release = resolve))
        },
      })
      await until('the first piece', () => pieces > 0)
      await new Promise((resolve) => setTimeout(resolve, 200)) // time for a second one, which must not come
      expect(pieces).toBe(1)
      release()
      await command.ended
      expect(taken).toBe(30_000_000)
    })

    it('buffers little while the stdout handler is busy, also when the process writes to stderr', async () => {
      let release: () => void = () => undefined
      let pieces = 0
      const total = 64
      const held = await opened(
        `i=0; while [ $i -lt ${String(total)} ]; do head -c 1000000 /dev/zero; i=$((i+1)); echo $i >&2; done`,
        {
          stdout: () => {
            pieces += 1
            return pieces > 1 ? undefined : new Promise((resolve) => (release = resolve))
          },
        },
      )
      let seen = -1
      let since = performance.now()
      await until('the process is blocked', () => {
        if (held.lines.length !== seen) since = performance.now()
        seen = held.lines.length
        return performance.now() - since > 500
      })
      expect(held.lines.length).toBeLessThan(20)
      release()
      expect(await held.command.ended).toMatchObject({ code: 1000 })
      expect(held.lines).toHaveLength(total)
    })

    it('ends with the reason of a stdout handler that fails', async () => {
      const { command } = await opened('head -c 3000000 /dev/zero; cat', {
        stdout: () => Promise.reject(new Error('no space left on the runner')),
      })
      expect(await command.ended).toEqual({ code: 1006, reason: 'no space left on the runner' })
    })

    it('cuts the connection when the process has no output for 15 s', async () => {
      const { command, lines } = await (async () => {
        jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'performance'] })
        return opened('echo up >&2; cat')
      })()
      await until('it runs', () => lines.length > 0)
      jest.advanceTimersByTime(20_000)
      expect(await command.ended).toEqual({ code: 1006, reason: 'no output for 15 s' })
    })

    it('does not count the time in which the stdout handler is busy as silence', async () => {
      jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'performance'] })
      let release: () => void = () => undefined
      let pieces = 0
      const { command } = await opened('echo out; cat; exit 4', {
        stdout: () => {
          pieces += 1
          return new Promise((resolve) => (release = resolve))
        },
      })
      await until('the first piece', () => pieces > 0)
      jest.advanceTimersByTime(25_000)
      release()
      await until('the stdout handler continues', () => command.send('x'))
      command.close()
      jest.advanceTimersByTime(5_000)
      expect(await command.ended).toEqual({ code: 1006, reason: 'closed by the client' })
    })
  })

  describe('the host key', () => {
    it.each(['ssh-ed25519', 'ecdsa-sha2-nistp256', 'ssh-rsa'])(
      'is verified when only the %s key is known',
      async (type) => {
        const hostKeys = sshd.hostKeys.filter((line) => line.startsWith(type))
        const one = session({ hostKeys: hostKeys.map((line) => `${line} root@node`) })
        await one.run(['true'])
        expect(one.hostKey).toBe(hostKeys[0])
        expect(one.isHostKeyPinned).toBe(false)
      },
    )

    it('ends the login at once when it is not the known one, and no user key is offered', async () => {
      let dials = 0
      const other = generateLoginKey().publicKey
      const connect = (): Promise<Socket> => {
        dials += 1
        return sshd.connect()
      }
      const one = session({ hostKeys: [other], connect, loginPatienceMs: 60_000 }, fakeClock())
      const before = sshd.log().length
      const failed = one.run(['true'])
      await expect(failed).rejects.toThrow(HostKeyError)
      await expect(failed).rejects.toThrow(
        /^machine: the node's host key is ssh-ed25519 SHA256:\S{43}, the known hosts list ssh-ed25519 .* Correct the list\.$/,
      )
      expect(dials).toBe(1)
      expect(one.hostKey).toBeUndefined()
      await until('sshd has seen the end', () => /Connection (closed|reset)|disconnect/.test(sshd.log().slice(before)))
      expect(sshd.log().slice(before)).not.toMatch(/publickey/)
    })

    it('ends the login when the server has no key of the known type', async () => {
      const plain = await startSshd(['ed25519'])
      try {
        plain.authorize(pair.publicKey)
        const hostKeys = sshd.hostKeys.filter((line) => line.startsWith('ssh-rsa'))
        const failed = session({ connect: plain.connect, hostKeys }).run(['true'])
        await expect(failed).rejects.toThrow(/host key is of another type, the known hosts list ssh-rsa SHA256:/)
      } finally {
        await plain.stop()
      }
    })

    it('ends the login before the connection when all known keys are unsupported', async () => {
      const connect = (): Promise<Socket> => Promise.reject(new Error('dialled'))
      const failed = session({ connect, hostKeys: ['ssh-dss AAAAB3NzaC1kc3M=', 'ssh-ed25519 nonsense'] }).run(['true'])
      await expect(failed).rejects.toThrow(/can be used \(ssh-dss, ssh-ed25519\)[^]* List another key\.$/)
    })

    it('is pinned when none was known, and a different one is rejected at the next connection', async () => {
      const other = await startSshd(['ed25519'])
      try {
        other.authorize(pair.publicKey)
        let way = sshd.connect
        const one = session({ hostKeys: [], connect: () => way() })
        expect(one.isHostKeyPinned).toBe(true)
        await one.run(['true'])
        expect(sshd.hostKeys).toContain(one.hostKey)
        sshd.cut()
        expect((await one.run(['echo', 'the same'])).stdout).toBe('the same\n')
        way = other.connect
        sshd.cut()
        await expect(one.run(['true'])).rejects.toThrow(/host key changed during the run.* Connect again\.$/)
      } finally {
        await other.stop()
      }
    })
  })

  describe('a login that is rejected', () => {
    it('is retried every 3 s, and each wait is reported', async () => {
      sshd.authorize()
      const reasons: string[] = []
      const clock = fakeClock((elapsed) => {
        if (elapsed >= 9_000) sshd.authorize(pair.publicKey)
      })
      const one = session({ loginPatienceMs: 60_000, onWaiting: (reason) => reasons.push(reason) }, clock)
      expect((await one.run(['echo', 'in'])).stdout).toBe('in\n')
      expect(clock.waits).toEqual([3_000, 3_000, 3_000])
      expect(reasons).toEqual(Array<string>(3).fill(`sshd does not accept the key of ${sshd.user} yet`))
    })

    it('fails after its time limit, with the fix that the caller supplies', async () => {
      sshd.authorize()
      const clock = fakeClock()
      const failed = session({ loginPatienceMs: 10_000 }, clock).run(['true'])
      await expect(failed).rejects.toThrow(AuthenticationError)
      await expect(failed).rejects.toThrow(
        /^machine: the node does not accept the SSH key of \S+, tried for 10 s\. Grant the login\.$/,
      )
      expect(clock.waits).toEqual([3_000, 3_000, 3_000, 1_000])
    })

    it('is retried when sshd closes the connection', async () => {
      let connectionCount = 0
      const broken = createServer((socket) => socket.destroy())
      await new Promise<void>((resolve) => broken.listen(0, '127.0.0.1', resolve))
      const { port } = broken.address() as AddressInfo
      const connect = (): Promise<Socket> => {
        connectionCount += 1
        if (connectionCount > 2) return sshd.connect()
        return new Promise((resolve) => {
          const socket = dial(port, '127.0.0.1', () => resolve(socket))
        })
      }
      const clock = fakeClock()
      expect((await session({ connect, loginPatienceMs: 60_000 }, clock).run(['echo', 'in'])).stdout).toBe('in\n')
      expect(clock.waits).toEqual([3_000, 3_000])
      broken.close()
    })

    it('fails at once with the error of a stream that cannot be opened', async () => {
      const clock = fakeClock()
      const connect = (): Promise<Socket> => Promise.reject(new Error('4033: not authorized'))
      await expect(session({ connect, loginPatienceMs: 60_000 }, clock).run(['true'])).rejects.toThrow(
        '4033: not authorized',
      )
      expect(clock.waits).toEqual([])
    })

    it('fails at once when the server no longer accepts the key after a first login', async () => {
      const clock = fakeClock()
      const one = session({ loginPatienceMs: 60_000 }, clock)
      await one.run(['true'])
      sshd.authorize()
      sshd.cut()
      await expect(one.run(['true'])).rejects.toThrow(/no longer accepts the SSH key of .* Grant the login again\.$/)
      expect(clock.waits).toEqual([])
      sshd.authorize(pair.publicKey)
      expect((await one.run(['echo', 'back'])).stdout).toBe('back\n')
    })

    it('ends its wait on cancel; a session that has logged in continues', async () => {
      sshd.authorize()
      const cancel = new AbortController()
      const reasons: string[] = []
      const onWaiting = (reason: string): void => void reasons.push(reason)
      const failed = session({ loginPatienceMs: 60_000, signal: cancel.signal, onWaiting }).run(['true'])
      const refused = expect(failed).rejects.toThrow(Cancelled)
      await until('a refusal', () => reasons.length > 0)
      cancel.abort()
      await refused

      sshd.authorize(pair.publicKey)
      const later = new AbortController()
      const one = session({ signal: later.signal })
      await one.run(['true'])
      later.abort()
      sshd.cut()
      expect((await one.run(['echo', 'on'])).stdout).toBe('on\n')
    })

    it('closes a stream that opens after the cancel', async () => {
      const cancel = new AbortController()
      let open: () => void = () => undefined
      const gate = new Promise<void>((resolve) => (open = resolve))
      let socket: Socket | undefined
      const connect = async (): Promise<Socket> => {
        await gate
        socket = await sshd.connect()
        return socket
      }
      const failed = session({ connect, signal: cancel.signal }).run(['true'])
      cancel.abort()
      await expect(failed).rejects.toThrow(Cancelled)
      open()
      await until('the late socket is closed', () => socket?.destroyed === true)
    })
  })

  it('works on any duplex stream', async () => {
    const connect = async (): Promise<Duplex> => {
      const socket = await sshd.connect()
      const way = new Duplex({
        highWaterMark: 16_384,
        read: () => void socket.resume(),
        write: (chunk: Buffer, _encoding, done) => void socket.write(chunk, done),
        final: (done) => void socket.end(done),
        destroy: (error, done) => {
          socket.destroy()
          done(error)
        },
      })
      socket.on('data', (chunk) => {
        if (!way.push(chunk)) socket.pause()
      })
      socket.on('end', () => way.push(null))
      return way
    }
    const { stdout } = await session({ connect }).run(['cat'], { stdin: Buffer.alloc(900_000, 'x') })
    expect(stdout).toHaveLength(900_000)
  })

  it('ends its processes and its connection on close(), and rejects further commands', async () => {
    const one = session()
    const { command, lines } = await opened('echo up >&2; cat', {}, one)
    await until('it runs', () => lines.length > 0)
    one.close()
    expect(await command.ended).toMatchObject({ code: 1006 })
    await until('the connection is gone', () => sshd.open() === 0)
    await expect(one.run(['true'])).rejects.toThrow('the SSH session is closed')
  })
})
