import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, connect as dial, type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Duplex } from 'node:stream'
import { jest } from '@jest/globals'
import { Cancelled } from '../../../src/errors.ts'
import {
  AuthenticationError,
  HostKeyError,
  openSsh,
  quoteForShell,
  SshError,
  type SshClock,
  type SshCommand,
  type SshHandlers,
  type SshOptions,
  type SshSession,
} from '../../../src/google/ssh.ts'
import { sshdMissing, startSshd, type Sshd } from '../../sandbox/google/sshd.ts'
import { until } from '../until.ts'
import { generateLoginKey } from '../../../src/google/login-key.ts'

describe('quoteForShell', () => {
  it('quotes what a shell would read as anything but a word', () => {
    expect(quoteForShell(['tcpdump', '-i', 'any', '--', 'host 10.0.0.1'])).toBe("tcpdump -i any -- 'host 10.0.0.1'")
    expect(quoteForShell(["it's", '', '$(x)', '~', 'a\nb'])).toBe(`'it'\\''s' '' '$(x)' '~' 'a\nb'`)
  })

  it('refuses what cannot be a word', () => {
    expect(() => quoteForShell(['a\0b'])).toThrow(SshError)
  })
})

const withSshd = sshdMissing === undefined ? describe : describe.skip

withSshd(`a session to a real sshd${sshdMissing === undefined ? '' : `: ${sshdMissing}`}`, () => {
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
    const made = openSsh({ ...defaults, patience: 0, ...options }, clock)
    sessions.push(made)
    return made
  }

  /** A clock that stands still but for the waits, which take no time. */
  function fakeClock(onSleep: (now: number) => void = () => undefined): SshClock & { waits: number[] } {
    let now = 1_000
    const waits: number[] = []
    return {
      waits,
      now: () => now,
      sleep: (ms) => {
        now += ms
        waits.push(ms)
        onSleep(now - 1_000)
        return Promise.resolve()
      },
    }
  }

  const sh = (script: string, ...args: string[]): string[] => ['sh', '-c', script, 'sh', ...args]

  /** Opens a process and keeps what it says. */
  async function opened(
    script: string,
    handlers: Partial<SshHandlers> = {},
    over = session(),
  ): Promise<{ command: SshCommand; lines: string[] }> {
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
    ])('gives the process its words as they are: %j %j', async (...words) => {
      const finished = await session().run(sh('for w in "$@"; do printf "<%s>" "$w"; done', ...words))
      expect(finished).toEqual({ code: 0, stdout: words.map((word) => `<${word}>`).join(''), stderr: '' })
    })

    it('tells stdout, stderr and the exit code apart, and gives stdin', async () => {
      const finished = await session().run(sh('cat; echo bad >&2; exit 7'), { stdin: 'in\n' })
      expect(finished).toEqual({ code: 7, stdout: 'in\n', stderr: 'bad\n' })
    })

    it('ends stdin where there is none, and counts a signal as shells do', async () => {
      expect(await session().run(sh('cat; kill -9 $$'))).toEqual({ code: 137, stdout: '', stderr: '' })
    })

    it('many at once are one login', async () => {
      const one = session()
      const logins = (): number => sshd.log().split('Accepted publickey').length
      const before = logins()
      const all = await Promise.all(Array.from({ length: 8 }, (_, i) => one.run(['echo', String(i)])))
      expect(all.map(({ stdout }) => stdout)).toEqual(Array.from({ length: 8 }, (_, i) => `${String(i)}\n`))
      expect(logins() - before).toBe(1)
    })

    it('is bounded in time, and its process loses its stdin', async () => {
      const mark = join(folder, 'timeout')
      const running = session().run(sh('trap "" PIPE; cat >/dev/null; sleep 0.6; echo x; echo over >"$1"', mark), {
        timeout: 200,
      })
      await expect(running).rejects.toThrow('sh has not ended within 0.2 s')
      await until('the process has ended', () => existsSync(mark))
    })

    it('is bounded in what it says', async () => {
      const one = session()
      const running = one.run(sh('echo $$ >"$1"; exec yes', join(folder, 'yes')), { maxOutput: 100_000 })
      await expect(running).rejects.toThrow('sh has said more than 100000 bytes')
      const pid = readFileSync(join(folder, 'yes'), 'utf8').trim()
      await until('yes has ended', () => !existsSync(`/proc/${pid}`))
      expect((await one.run(['echo', 'on'])).stdout).toBe('on\n')
    })

    it('fails where the connection breaks meanwhile; the next one dials anew', async () => {
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
    it('hands on every byte, in order, and the end', async () => {
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

    it('takes lines on stdin', async () => {
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

    it('close ends the stdin of the process, and the process with it', async () => {
      const mark = join(folder, 'closed')
      const { command, lines } = await opened(`echo up >&2; cat >/dev/null; echo over >${mark}`)
      await until('it runs', () => lines.length > 0)
      command.close()
      expect(command.send('ack 1')).toBe(false)
      expect(await command.ended).toEqual({ code: 1006, reason: 'closed by us' })
      await until('the process has ended', () => existsSync(mark))
    })

    it('close is the end also of a process that does not look at its stdin', async () => {
      const { command, lines } = await opened('echo up >&2; sleep 3')
      await until('it runs', () => lines.length > 0)
      const began = performance.now()
      command.close()
      expect(await command.ended).toEqual({ code: 1006, reason: 'closed by us' })
      expect(performance.now() - began).toBeLessThan(2_900)
    })

    it('tells the signal that ended the process', async () => {
      const { command } = await opened('kill -TERM $$')
      expect(await command.ended).toEqual({ code: 1000, reason: 'ended by SIGTERM' })
    })

    it('tells of a broken connection, and the next one dials anew with the same key', async () => {
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

    it('hands over at most one piece while the taker is busy, then all the rest', async () => {
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

    it('keeps little of what comes while the taker is busy, however much the process says on stderr', async () => {
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
      await until('the process stands still', () => {
        if (held.lines.length !== seen) since = performance.now()
        seen = held.lines.length
        return performance.now() - since > 500
      })
      expect(held.lines.length).toBeLessThan(20)
      release()
      expect(await held.command.ended).toMatchObject({ code: 1000 })
      expect(held.lines).toHaveLength(total)
    })

    it('ends where the taker fails, with its words', async () => {
      const { command } = await opened('head -c 3000000 /dev/zero; cat', {
        stdout: () => Promise.reject(new Error('no space left on the runner')),
      })
      expect(await command.ended).toEqual({ code: 1006, reason: 'no space left on the runner' })
    })

    it('gives a process up that says nothing for 15 s', async () => {
      const { command, lines } = await (async () => {
        jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'performance'] })
        return opened('echo up >&2; cat')
      })()
      await until('it runs', () => lines.length > 0)
      jest.advanceTimersByTime(20_000)
      expect(await command.ended).toEqual({ code: 1006, reason: 'no sign of life for 15 s' })
    })

    it('the silence of a process whose taker is busy is no silence', async () => {
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
      await until('it goes on', () => command.send('x'))
      command.close()
      jest.advanceTimersByTime(5_000)
      expect(await command.ended).toEqual({ code: 1006, reason: 'closed by us' })
    })
  })

  describe('the host key', () => {
    it.each(['ssh-ed25519', 'ecdsa-sha2-nistp256', 'ssh-rsa'])(
      '%s alone is known: sshd shows that one',
      async (type) => {
        const hostKeys = sshd.hostKeys.filter((line) => line.startsWith(type))
        const one = session({ hostKeys: hostKeys.map((line) => `${line} root@node`) })
        await one.run(['true'])
        expect(one.hostKey).toBe(hostKeys[0])
        expect(one.pinned).toBe(false)
      },
    )

    it('that is another than the known one ends it at once, and no key is offered', async () => {
      let dials = 0
      const other = generateLoginKey().publicKey
      const connect = (): Promise<Socket> => {
        dials += 1
        return sshd.connect()
      }
      const one = session({ hostKeys: [other], connect, patience: 60_000 }, fakeClock())
      const before = sshd.log().length
      const failed = one.run(['true'])
      await expect(failed).rejects.toThrow(HostKeyError)
      await expect(failed).rejects.toThrow(/^node-method: the node's host key is ssh-ed25519 SHA256:\S{43}, its guest/)
      expect(dials).toBe(1)
      expect(one.hostKey).toBe('')
      await until('sshd has seen the end', () => /Connection (closed|reset)|disconnect/.test(sshd.log().slice(before)))
      expect(sshd.log().slice(before)).not.toMatch(/publickey/)
    })

    it('of a type that the node has not is as wrong', async () => {
      const plain = await startSshd(['ed25519'])
      try {
        plain.authorize(pair.publicKey)
        const hostKeys = sshd.hostKeys.filter((line) => line.startsWith('ssh-rsa'))
        const failed = session({ connect: plain.connect, hostKeys }).run(['true'])
        await expect(failed).rejects.toThrow(/host key is none of that type, its guest attributes say ssh-rsa SHA256:/)
      } finally {
        await plain.stop()
      }
    })

    it('where only unusable ones are known, nothing is dialled', async () => {
      const connect = (): Promise<Socket> => Promise.reject(new Error('dialled'))
      const failed = session({ connect, hostKeys: ['ssh-dss AAAAB3NzaC1kc3M=', 'ssh-ed25519 nonsense'] }).run(['true'])
      await expect(failed).rejects.toThrow(/can be used \(ssh-dss, ssh-ed25519\)/)
    })

    it('that nobody knew is pinned, and another one is refused when the connection is made again', async () => {
      const other = await startSshd(['ed25519'])
      try {
        other.authorize(pair.publicKey)
        let way = sshd.connect
        const one = session({ hostKeys: [], connect: () => way() })
        expect(one.pinned).toBe(true)
        await one.run(['true'])
        expect(sshd.hostKeys).toContain(one.hostKey)
        sshd.cut()
        expect((await one.run(['echo', 'the same'])).stdout).toBe('the same\n')
        way = other.connect
        sshd.cut()
        await expect(one.run(['true'])).rejects.toThrow(/another machine answers in place of the node/)
      } finally {
        await other.stop()
      }
    })
  })

  describe('a key that has not reached the node yet', () => {
    it('is tried again every 3 s, with word of it', async () => {
      sshd.authorize()
      const reasons: string[] = []
      const clock = fakeClock((elapsed) => {
        if (elapsed >= 9_000) sshd.authorize(pair.publicKey)
      })
      const one = session({ patience: 60_000, waiting: (reason) => reasons.push(reason) }, clock)
      expect((await one.run(['echo', 'in'])).stdout).toBe('in\n')
      expect(clock.waits).toEqual([3_000, 3_000, 3_000])
      expect(reasons).toEqual(Array<string>(3).fill(`sshd does not take the key of ${sshd.user} yet`))
    })

    it('is given up after the patience, with what to do', async () => {
      sshd.authorize()
      const clock = fakeClock()
      const failed = session({ patience: 10_000 }, clock).run(['true'])
      await expect(failed).rejects.toThrow(AuthenticationError)
      await expect(failed).rejects.toThrow(/also after 10 s\. With OS Login .*osAdminLogin/)
      expect(clock.waits).toEqual([3_000, 3_000, 3_000, 1_000])
    })

    it('a sshd that closes the door is asked again, too', async () => {
      let doors = 0
      const broken = createServer((socket) => socket.destroy())
      await new Promise<void>((resolve) => broken.listen(0, '127.0.0.1', resolve))
      const { port } = broken.address() as AddressInfo
      const connect = (): Promise<Socket> => {
        doors += 1
        if (doors > 2) return sshd.connect()
        return new Promise((resolve) => {
          const socket = dial(port, '127.0.0.1', () => resolve(socket))
        })
      }
      const clock = fakeClock()
      expect((await session({ connect, patience: 60_000 }, clock).run(['echo', 'in'])).stdout).toBe('in\n')
      expect(clock.waits).toEqual([3_000, 3_000])
      broken.close()
    })

    it('the words of a tunnel that does not open are passed on, at once', async () => {
      const clock = fakeClock()
      const connect = (): Promise<Socket> => Promise.reject(new Error('4033: not authorized'))
      await expect(session({ connect, patience: 60_000 }, clock).run(['true'])).rejects.toThrow('4033: not authorized')
      expect(clock.waits).toEqual([])
    })

    it('a key that is taken away later is told at once', async () => {
      const clock = fakeClock()
      const one = session({ patience: 60_000 }, clock)
      await one.run(['true'])
      sshd.authorize()
      sshd.cut()
      await expect(one.run(['true'])).rejects.toThrow(/no longer takes the SSH key of/)
      expect(clock.waits).toEqual([])
      sshd.authorize(pair.publicKey)
      expect((await one.run(['echo', 'back'])).stdout).toBe('back\n')
    })

    it('the wait ends with a cancel; a session that is in goes on', async () => {
      sshd.authorize()
      const cancel = new AbortController()
      const reasons: string[] = []
      const waiting = (reason: string): void => void reasons.push(reason)
      const failed = session({ patience: 60_000, signal: cancel.signal, waiting }).run(['true'])
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

    it('a way that opens after the cancel is closed again', async () => {
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

  it('goes over any duplex stream', async () => {
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

  it('that is closed takes its processes and its connection along, and is of no more use', async () => {
    const one = session()
    const { command, lines } = await opened('echo up >&2; cat', {}, one)
    await until('it runs', () => lines.length > 0)
    one.close()
    expect(await command.ended).toMatchObject({ code: 1006 })
    await until('the connection is gone', () => sshd.open() === 0)
    await expect(one.run(['true'])).rejects.toThrow('the SSH session is closed')
  })
})
