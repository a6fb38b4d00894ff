import { jest } from '@jest/globals'
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { followerScript, recorderScript } from '../../../src/capture/scripts.ts'
import { parseTrailer, type Trailer } from '../../../src/capture/trailer.ts'
import { createScanner } from '../../../src/pcap/scanner.ts'
import { until } from '../until.ts'
import { shells, whyNot, withRecorder, type FollowerProcess, type Rig } from './recorder-rig.ts'

jest.setTimeout(60_000) // seconds on an idle machine; a busy one is no failure

describe('the scripts', () => {
  const scripts = { recorder: recorderScript, follower: followerScript }
  it.each(
    shells.flatMap(({ name, words }) =>
      Object.entries(scripts).map(([script, text]) => [script, name, words, text] as const),
    ),
  )('the %s is read by %s', (_script, _shell, [program = '', ...options], text) => {
    const { status, stderr } = spawnSync(program, [...options, '-n'], { input: text, encoding: 'utf8' })
    expect(stderr).toBe('')
    expect(status).toBe(0)
  })

  it('hold nothing of one shell only', () => {
    for (const text of Object.values(scripts)) {
      expect(text).not.toMatch(/\[\[|\bfunction\b|\blocal\b|<<<|<\(|\$'|\bpipefail\b|\bdeclare\b|\+=|&>/)
    }
  })
})

const reason = await whyNot()
if (reason !== undefined) console.warn(`The recorder and the follower are not run here: ${reason}`)
const here = reason === undefined ? describe : describe.skip
const [firstShell] = shells
const sh = firstShell ?? { name: 'sh', words: ['sh'], tools: 'system' as const }

/** What followers have brought so far, one after the other. */
interface Stream {
  bytes(): Buffer
  lines(): string[]
  /** breaks the present connection and makes another one from where it ended */
  reconnect(): Promise<void>
  say(line: string): void
  trailer(): Promise<Trailer>
}

function stream(rig: Rig): Stream {
  const earlier: Buffer[] = []
  let current: FollowerProcess = rig.follow(0)
  const bytes = (): Buffer => Buffer.concat([...earlier, current.stdout()])
  return {
    bytes,
    lines: () => current.lines(),
    say: (line) => current.say(line),
    reconnect: async () => {
      current.cut()
      await current.ended
      const offset = bytes().length
      earlier.push(current.stdout())
      current = rig.follow(offset)
    },
    trailer: async () => {
      await until('the end of the stream', () => current.lines().includes('end'), 30_000)
      const lines = current.lines().flatMap((line) => (line.startsWith('trailer ') ? [line.slice(8)] : []))
      const trailer = parseTrailer(lines)
      if (trailer === undefined) throw new Error(`no trailer in: ${lines.join('; ')}`)
      await until('every byte', () => bytes().length >= trailer.size)
      return trailer
    },
  }
}

const spoolIsThere = (rig: Rig): Promise<boolean> =>
  until('the spool is laid out', () => rig.files().includes('follow'))
const listens = (rig: Rig): Promise<boolean> => until('tcpdump listens', () => rig.log().includes('listening'))

function expectWhole(bytes: Buffer, trailer: Trailer): void {
  expect(bytes.length).toBe(trailer.size)
  expect(createHash('sha256').update(bytes).digest('hex')).toBe(trailer.sha256)
  const scanner = createScanner()
  scanner.push(bytes)
  expect(scanner.result()).toMatchObject({ broken: undefined, wholeBytes: bytes.length })
}
const packetsOf = (bytes: Buffer): number => {
  const scanner = createScanner()
  scanner.push(bytes)
  return scanner.result().packets
}

here('recorder and follower', () => {
  it.concurrent.each(shells.map((shell) => [shell.name, shell] as const))(
    'under %s: every packet arrives over broken connections, and the spool is given back',
    async (_name, shell) => {
      await withRecorder(shell, { spoolLimit: 16e6 }, async (rig) => {
        await spoolIsThere(rig)
        const far = stream(rig)
        await until('it listens', () => far.lines().some((line) => line.startsWith('listening ')))
        const acknowledging = setInterval(() => far.say(`ack ${String(far.bytes().length)}`), 100)
        try {
          // Three segments and a bit, in four parts, with a break somewhere in each.
          for (let part = 1; part <= 4; part += 1) {
            const sent = rig.send(900, 1000)
            await until('a part of it', () => far.bytes().length > (part - Math.random()) * 900_000)
            await far.reconnect()
            await sent
          }
          far.say('stop cancelled')
          const trailer = await far.trailer()
          expectWhole(far.bytes(), trailer)
          expect(packetsOf(far.bytes())).toBe(3600)
          expect(trailer).toMatchObject({
            reason: 'cancelled',
            spool: 'disk',
            exit: 0,
            dropped: 0,
            pauses: 0,
            captured: 3600,
          })
          expect(trailer.interfaces).toEqual([{ index: 1, name: 'lo' }])
          expect(trailer.tool).toMatch(/tcpdump.*libpcap/)
          // What was acknowledged is deleted; the newest segment alone is left.
          await until('the spool is given back', () => rig.files().filter((name) => /^s\d*$/.test(name)).length <= 1)
          const { size, sha256 } = trailer
          expect(parseTrailer(rig.lastWords().split('\n'))).toMatchObject({ size, sha256, reason: 'cancelled' })
          expect(rig.isOver()).toBe(false)
          far.say('done')
        } finally {
          clearInterval(acknowledging)
        }
        await expect(rig.ended).resolves.toBe(0)
        expect(rig.files()).toEqual([])
        expect(rig.log()).not.toContain('SECRET')
        expect(rig.log().length).toBeLessThan(1000)
      })
    },
  )

  it.concurrent.each(shells.map((shell) => [shell.name, shell] as const))(
    'under %s: recording pauses when nobody takes the spool, goes on when somebody does, and both are told',
    async (_name, shell) => {
      await withRecorder(shell, { spoolLimit: 4e6, ownerTimeout: 20 }, async (rig) => {
        await spoolIsThere(rig)
        const far = stream(rig)
        await listens(rig)
        far.say('ack 0')
        await rig.send(4000, 1000)
        await until('it pauses', () => rig.log().includes('paused'))
        await until('all that was recorded is here', async () => {
          const before = far.bytes().length
          await new Promise((resolve) => setTimeout(resolve, 300))
          return before > 2e6 && far.bytes().length === before
        })
        expect(stateOfTcpdump(rig)).toBe('T') // it stands still, it does not only say so
        far.say(`ack ${String(far.bytes().length)}`)
        await until('it goes on', () => rig.log().includes('resumed'))
        expect(stateOfTcpdump(rig)).not.toBe('T')
        await rig.send(100, 1000)
        far.say('stop cancelled')
        const trailer = await far.trailer()
        expectWhole(far.bytes(), trailer)
        expect(trailer.pauses).toBeGreaterThanOrEqual(1)
        expect(trailer.pausedMs).toBeGreaterThan(100)
        expect(trailer.reason).toBe('cancelled')
        far.say('done')
        await expect(rig.ended).resolves.toBe(0)
      })
    },
  )

  it.concurrent('a stop passes its word on, quickly, and lingers for what the kernel still holds', async () => {
    await withRecorder(sh, {}, async (rig) => {
      await spoolIsThere(rig)
      const far = stream(rig)
      await listens(rig)
      await rig.send(5, 100)
      const asked = performance.now()
      far.say('stop tomorrow')
      const trailer = await far.trailer()
      expect(performance.now() - asked).toBeLessThan(10_000)
      expect(trailer.reason).toBe('tomorrow')
      expectWhole(far.bytes(), trailer)
      expect(packetsOf(far.bytes())).toBe(5)
    })
  })

  it.concurrent('max-size ends it', async () => {
    await withRecorder(sh, { size: 300_000 }, async (rig) => {
      await spoolIsThere(rig)
      const far = stream(rig)
      await listens(rig)
      await rig.send(1000, 1000)
      const trailer = await far.trailer()
      expect(trailer).toMatchObject({ reason: 'size', exit: 0 })
      expect(trailer.size).toBeGreaterThanOrEqual(300_000)
      expectWhole(far.bytes(), trailer)
    })
  })

  it.concurrent('max-packets ends it, with just as many', async () => {
    await withRecorder(sh, { packets: 7 }, async (rig) => {
      await spoolIsThere(rig)
      const far = stream(rig)
      await listens(rig)
      await rig.send(20, 100)
      const trailer = await far.trailer()
      expect(trailer).toMatchObject({ reason: 'packets', captured: 7, exit: 0 })
      expectWhole(far.bytes(), trailer)
      expect(packetsOf(far.bytes())).toBe(7)
    })
  })

  it.concurrent('its duration is kept, and no packet at all is a file without packets', async () => {
    await withRecorder(sh, { duration: 1 }, async (rig) => {
      await spoolIsThere(rig)
      const far = stream(rig)
      const trailer = await far.trailer()
      expect(trailer).toMatchObject({ reason: 'duration', size: 24, captured: 0 })
      expect(trailer.recordedMs).toBeGreaterThanOrEqual(1000)
      expect(trailer.recordedMs).toBeLessThan(8000)
      expectWhole(far.bytes(), trailer)
    })
  })

  it.concurrent(
    'silence of the owner ends it, and leaves nothing',
    async () => {
      await withRecorder(sh, { ownerTimeout: 1 }, async (rig) => {
        await expect(rig.ended).resolves.toBe(0)
        expect(parseTrailer(rig.lastWords().split('\n'))).toMatchObject({ reason: 'owner' })
        expect(rig.files()).toEqual([])
      })
    },
    15_000,
  )

  it.concurrent(
    'a hold keeps it through the silence, for a later follower',
    async () => {
      await withRecorder(sh, { ownerTimeout: 1 }, async (rig) => {
        await spoolIsThere(rig)
        const first = rig.follow(0)
        await listens(rig)
        await rig.send(5, 100)
        first.say('hold 60')
        first.say('ack 0') // one that was on its way
        await until('the hold is heard', () => Number(rig.run('cat /tmp/packet-capture-x/owner')) > uptime() + 30)
        first.cut()
        await first.ended
        await new Promise((resolve) => setTimeout(resolve, 2_500)) // longer than the silence that would end it
        expect(rig.isOver()).toBe(false)
        const far = stream(rig)
        far.say('stop cancelled')
        const present = setInterval(() => far.say('ack 0'), 200)
        const trailer = await far.trailer().finally(() => clearInterval(present))
        expectWhole(far.bytes(), trailer)
        expect(packetsOf(far.bytes())).toBe(5)
        far.say('done')
        await expect(rig.ended).resolves.toBe(0)
      })
    },
    15_000,
  )

  it.concurrent(
    'TERM to the pod ends it in seconds, with all that was recorded',
    async () => {
      await withRecorder(sh, {}, async (rig) => {
        await spoolIsThere(rig)
        const far = stream(rig)
        await listens(rig)
        await rig.send(5, 100)
        rig.signal('SIGTERM')
        const trailer = await far.trailer()
        expect(trailer.reason).toBe('terminated')
        expectWhole(far.bytes(), trailer)
        await expect(rig.ended).resolves.toBe(0)
        expect(rig.files()).toEqual([])
      })
    },
    15_000,
  )

  it.concurrent('a tcpdump that dies is told as that', async () => {
    await withRecorder(sh, {}, async (rig) => {
      await spoolIsThere(rig)
      const far = stream(rig)
      await listens(rig)
      await rig.send(5, 100)
      await until('some bytes', () => far.bytes().length > 24)
      rig.run('for p in /proc/[0-9]*; do read -r name <$p/comm && [ "$name" = tcpdump ] && kill -9 ${p#/proc/}; done')
      const trailer = await far.trailer()
      expect(trailer).toMatchObject({ reason: 'died', exit: 137, dropped: undefined })
      expectWhole(far.bytes(), trailer)
    })
  })

  it.concurrent(
    'a new follower replaces one that hangs, and a lost offset is said to be lost',
    async () => {
      await withRecorder(sh, { spoolLimit: 16e6 }, async (rig) => {
        await spoolIsThere(rig)
        const first = rig.follow(0)
        await listens(rig)
        await until('the first listens', () => first.lines().some((line) => line.startsWith('listening')))
        await rig.send(3000, 1000)
        const second = rig.follow(0)
        await first.ended
        await until('the second has it', () => second.stdout().length > 3e6)
        second.say(`ack ${String(second.stdout().length)}`)
        await until('the first segments are deleted', () => !rig.files().includes('s'))
        const third = rig.follow(0)
        await until('the third says so', () => third.lines().includes('gone 0'))
        await third.ended
        expect(third.stdout()).toHaveLength(0)
      })
    },
    15_000,
  )

  it.concurrent(
    'the hash ends with its spool, whoever took that away',
    async () => {
      await withRecorder(sh, {}, async (rig) => {
        await listens(rig)
        const hashing = (): boolean => rig.run('cat /proc/[0-9]*/comm').includes('sha256sum')
        await until('a hash', hashing)
        rig.run('rm -rf /tmp/packet-capture-x')
        await until('no hash', () => !hashing(), 8_000)
      })
    },
    15_000,
  )

  it.concurrent('a start after the deadline does nothing', async () => {
    await withRecorder(sh, { deadline: Math.floor(Date.now() / 1000) - 5 }, async (rig) => {
      await expect(rig.ended).resolves.toBe(0)
      expect(rig.log()).toContain('late')
      expect(rig.files()).toEqual([])
    }).catch((error: unknown) => {
      // It may be over before the rig has told that it is ready; then its log is all there is.
      expect(String(error)).toContain('late')
    })
  })

  it.concurrent(
    'a pod without room on its disk gets a small spool in memory',
    async () => {
      await withRecorder(sh, { broken: ['tmp'] }, async (rig) => {
        await spoolIsThere(rig)
        const far = stream(rig)
        await listens(rig)
        await rig.send(5, 100)
        far.say('stop cancelled')
        const trailer = await far.trailer()
        expect(trailer.spool).toBe('memory')
        expectWhole(far.bytes(), trailer)
        far.say('done')
        await expect(rig.ended).resolves.toBe(0)
        expect(rig.files()).toEqual([])
      })
    },
    15_000,
  )

  it.concurrent.each([
    ['a filter that is none', { filter: 'tcp prot 80' }, /^error filter .*syntax error/],
    [
      'a filter that looks like shell',
      { filter: '$(touch /tmp/pwned) `touch /tmp/pwned` "; touch /tmp/pwned; "' },
      /^error filter /,
    ],
    ['a filter that looks like an option', { filter: '-w /tmp/pwned' }, /^error filter /],
    ['an interface that is not there', { interface: 'nosuch0' }, /^error interface .*nosuch0/],
    ['an image without tcpdump', { broken: ['tcpdump' as const] }, /^error tools the image has no tcpdump/],
    ['a container without NET_RAW', { broken: ['net-raw' as const] }, /^error net-raw /],
    ['a container without a place to write', { broken: ['tmp' as const, 'shm' as const] }, /^error space /],
  ])('%s ends it with its code', async (_what, changes, words) => {
    await withRecorder(sh, changes, async (rig) => {
      await expect(rig.ended).resolves.toBe(1)
      expect(rig.lastWords()).toMatch(words)
      expect(rig.log()).toMatch(new RegExp(words.source, 'm'))
      expect(rig.files()).toEqual([])
    })
  })
})

/** The letter of proc_pid_stat(5). */
const stateOfTcpdump = (rig: Rig): string | undefined => /\(tcpdump\) (\w)/.exec(rig.run('cat /proc/[0-9]*/stat'))?.[1]

function uptime(): number {
  return Number(spawnSync('cut', ['-d.', '-f1', '/proc/uptime'], { encoding: 'utf8' }).stdout)
}

// Its directory is removed at the end. A deadline that has passed ends the script before it touches anything, should the check be gone.
it.each([undefined, '', 'x', '..', '../packet-capture-x', 'packet-capture-', 'packet-capture-/..'])(
  'the recorder takes %j for no name of a capture, and touches nothing',
  (name) => {
    const env = {
      PATH: process.env['PATH'] ?? '',
      CAPTURE_DEADLINE: '0',
      ...(name === undefined ? {} : { CAPTURE_NAME: name }),
    }
    const { status, stdout } = spawnSync('sh', ['-c', recorderScript], { env, encoding: 'utf8' })
    expect({ status, stdout }).toEqual({ status: 2, stdout: "error name CAPTURE_NAME is not a capture's\n" })
  },
)
