import { jest } from '@jest/globals'
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  deliverScript,
  followerScript,
  loaderScript,
  recorderScript,
  startFollowerScript,
  unpackScript,
} from '../../../../src/capture/scripts/scripts.ts'
import { parseTrailer, type Trailer } from '../../../../src/capture/trailer.ts'
import { scanOf } from '../../../support/pcap-bytes.ts'
import { until } from '../../../support/until.ts'
import {
  allShells,
  rigLack,
  sh,
  shellLack,
  withRecorder,
  type FollowerProcess,
  type Rig,
  type Shell,
} from './recorder-rig.ts'
import { concurrentWith, describeWith, itWith } from '../../../support/needs.ts'

jest.setTimeout(60_000) // takes seconds on an idle machine; a busy machine must not cause a failure

describe('the scripts', () => {
  const scripts = {
    loader: loaderScript,
    deliver: deliverScript,
    unpack: unpackScript,
    recorder: recorderScript,
    follower: followerScript,
    'start-follower': startFollowerScript,
  }
  for (const shell of allShells) {
    for (const [name, text] of Object.entries(scripts)) {
      itWith(shellLack(shell), `the ${name} is valid syntax for ${shell.name}`, () => {
        const [program = '', ...options] = shell.words
        const { status, stderr } = spawnSync(program, [...options, '-n'], { input: text, encoding: 'utf8' })
        expect(stderr).toBe('')
        expect(status).toBe(0)
      })
    }
  }

  it('use only POSIX sh', () => {
    for (const text of Object.values(scripts)) {
      expect(text).not.toMatch(/\[\[|\bfunction\b|\blocal\b|<<<|<\(|[\s=]\$'|\bpipefail\b|\bdeclare\b|\+=|&>/)
    }
  })
})

/** The data that consecutive followers have received. */
interface Stream {
  bytes(): Buffer
  lines(): string[]
  /** breaks the current connection and opens a new one at the same offset */
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
      await until('the end of the stream', () => current.lines().includes('end'), { timeoutMs: 30_000 })
      const lines = current.lines().flatMap((line) => (line.startsWith('trailer ') ? [line.slice(8)] : []))
      const trailer = parseTrailer(lines)
      if (trailer === undefined) throw new Error(`no trailer in: ${lines.join('; ')}`)
      await until('every byte', () => bytes().length >= trailer.sizeBytes)
      return trailer
    },
  }
}

const spoolIsThere = (rig: Rig): Promise<boolean> => until('the spool is created', () => rig.files().includes('follow'))
const listens = (rig: Rig): Promise<boolean> => until('tcpdump listens', () => rig.log().includes('listening'))

function expectWhole(bytes: Buffer, trailer: Trailer): void {
  expect(bytes.length).toBe(trailer.sizeBytes)
  expect(createHash('sha256').update(bytes).digest('hex')).toBe(trailer.sha256)
  expect(scanOf(bytes)).toMatchObject({ broken: undefined, wholeBytes: bytes.length })
}
const packetsOf = (bytes: Buffer): number => scanOf(bytes).packets

/** One test in each shell. */
function inEachShell(title: string, body: (shell: Shell) => Promise<void>): void {
  for (const shell of allShells) {
    concurrentWith(shellLack(shell), `with ${shell.name}, ${title}`, () => body(shell))
  }
}

describeWith(rigLack, 'recorder and follower', () => {
  inEachShell(
    'every packet arrives although connections break, and acknowledged segments are deleted',
    async (shell) => {
      await withRecorder(shell, { spoolLimitBytes: 16e6 }, async (rig) => {
        await spoolIsThere(rig)
        const far = stream(rig)
        await until('it listens', () => far.lines().some((line) => line.startsWith('listening ')))
        const acknowledging = setInterval(() => far.say(`ack ${String(far.bytes().length)}`), 100)
        try {
          // A little more than three segments, in four parts, with a broken connection in each part.
          for (let part = 1; part <= 4; part += 1) {
            const sent = rig.send(900, 1000)
            await until('a part of the stream', () => far.bytes().length > (part - Math.random()) * 900_000)
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
            exitCode: 0,
            dropped: 0,
            pauseCount: 0,
            captured: 3600,
          })
          expect(trailer.interfaces).toEqual([{ index: 1, name: 'lo', fromSeconds: 0, untilSeconds: undefined }])
          expect(trailer.tool).toMatch(/tcpdump.*libpcap/)
          // Acknowledged segments are deleted; only the newest one remains.
          await until(
            'the acknowledged segments are deleted',
            () => rig.files().filter((name) => /^s\d*$/.test(name)).length <= 1,
          )
          const { sizeBytes, sha256 } = trailer
          expect(parseTrailer(rig.terminationMessage().split('\n'))).toMatchObject({
            sizeBytes,
            sha256,
            reason: 'cancelled',
          })
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

  inEachShell(
    'recording pauses when the spool is full, resumes when data is acknowledged, and reports both',
    async (shell) => {
      await withRecorder(shell, { spoolLimitBytes: 4e6, heartbeatTimeoutSeconds: 20 }, async (rig) => {
        await spoolIsThere(rig)
        const far = stream(rig)
        await listens(rig)
        far.say('ack 0')
        await rig.send(4000, 1000)
        await until('it pauses', () => rig.log().includes('paused'))
        await until('all recorded bytes arrive', async () => {
          const before = far.bytes().length
          await new Promise((resolve) => setTimeout(resolve, 300))
          return before > 2e6 && far.bytes().length === before
        })
        expect(stateOfTcpdump(rig)).toBe('T') // tcpdump is really stopped
        const resumes = (): boolean => {
          far.say(`ack ${String(far.bytes().length)}`) // again: on a busy machine more bytes can arrive late
          return rig.log().includes('resumed')
        }
        await until('recording resumes', resumes, { everyMs: 200 })
        expect(stateOfTcpdump(rig)).not.toBe('T')
        await rig.send(100, 1000)
        far.say('stop cancelled')
        const trailer = await far.trailer()
        expectWhole(far.bytes(), trailer)
        expect(trailer.pauseCount).toBeGreaterThanOrEqual(1)
        expect(trailer.pausedMs).toBeGreaterThan(100)
        expect(trailer.reason).toBe('cancelled')
        far.say('done')
        await expect(rig.ended).resolves.toBe(0)
      })
    },
  )

  it.concurrent(
    'a stop request ends the capture quickly, with its reason, after the last buffered packets',
    async () => {
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
    },
  )

  it.concurrent('max-size stops the capture', async () => {
    await withRecorder(sh, { maxBytes: 300_000 }, async (rig) => {
      await spoolIsThere(rig)
      const far = stream(rig)
      await listens(rig)
      await rig.send(1000, 1000)
      const trailer = await far.trailer()
      expect(trailer).toMatchObject({ reason: 'size', exitCode: 0 })
      expect(trailer.sizeBytes).toBeGreaterThanOrEqual(300_000)
      expectWhole(far.bytes(), trailer)
    })
  })

  it.concurrent('max-packets stops the capture at exactly that count', async () => {
    await withRecorder(sh, { maxPackets: 7 }, async (rig) => {
      await spoolIsThere(rig)
      const far = stream(rig)
      await listens(rig)
      await rig.send(20, 100)
      const trailer = await far.trailer()
      expect(trailer).toMatchObject({ reason: 'packets', captured: 7, exitCode: 0 })
      expectWhole(far.bytes(), trailer)
      expect(packetsOf(far.bytes())).toBe(7)
    })
  })

  it.concurrent('the duration stops the capture, and without traffic the file has no packets', async () => {
    await withRecorder(sh, { durationSeconds: 1 }, async (rig) => {
      await spoolIsThere(rig)
      const far = stream(rig)
      const trailer = await far.trailer()
      expect(trailer).toMatchObject({ reason: 'duration', sizeBytes: 24, captured: 0 })
      expect(trailer.recordedMs).toBeGreaterThanOrEqual(1000)
      expect(trailer.recordedMs).toBeLessThan(8000)
      expectWhole(far.bytes(), trailer)
    })
  })

  it.concurrent(
    'a missing heartbeat stops the capture and deletes its files',
    async () => {
      await withRecorder(sh, { heartbeatTimeoutSeconds: 1 }, async (rig) => {
        await expect(rig.ended).resolves.toBe(0)
        expect(parseTrailer(rig.terminationMessage().split('\n'))).toMatchObject({ reason: 'heartbeat-timeout' })
        expect(rig.files()).toEqual([])
      })
    },
    15_000,
  )

  it.concurrent(
    'a hold keeps the data without a heartbeat for a later follower',
    async () => {
      await withRecorder(sh, { heartbeatTimeoutSeconds: 1 }, async (rig) => {
        await spoolIsThere(rig)
        const first = rig.follow(0)
        await listens(rig)
        await rig.send(5, 100)
        first.say('hold 60')
        first.say('ack 0') // a late message
        await until(
          'the recorder reads the hold',
          () => Number(rig.run('cat /tmp/packet-capture-x/heartbeat')) > uptime() + 30,
        )
        first.cut()
        await first.ended
        await new Promise((resolve) => setTimeout(resolve, 2_500)) // longer than the heartbeat timeout
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
    'TERM stops the capture within seconds and keeps all recorded packets',
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

  it.concurrent('reports a tcpdump that ends unexpectedly', async () => {
    await withRecorder(sh, {}, async (rig) => {
      await spoolIsThere(rig)
      const far = stream(rig)
      await listens(rig)
      await rig.send(5, 100)
      await until('some bytes', () => far.bytes().length > 24)
      rig.run('for p in /proc/[0-9]*; do read -r name <$p/comm && [ "$name" = tcpdump ] && kill -9 ${p#/proc/}; done')
      const trailer = await far.trailer()
      expect(trailer).toMatchObject({ reason: 'died', exitCode: 137, dropped: undefined })
      expectWhole(far.bytes(), trailer)
    })
  })

  it.concurrent(
    'a new follower replaces one that hangs, and reports a deleted offset',
    async () => {
      await withRecorder(sh, { spoolLimitBytes: 16e6 }, async (rig) => {
        await spoolIsThere(rig)
        const first = rig.follow(0)
        await listens(rig)
        await until('the first follower listens', () => first.lines().some((line) => line.startsWith('listening')))
        await rig.send(3000, 1000)
        const second = rig.follow(0)
        await first.ended
        await until('the second follower has the data', () => second.stdout().length > 3e6)
        second.say(`ack ${String(second.stdout().length)}`)
        await until('the first segments are deleted', () => !rig.files().includes('s'))
        const third = rig.follow(0)
        await until('the third follower reports it', () => third.lines().includes('gone 0'))
        await third.ended
        expect(third.stdout()).toHaveLength(0)
      })
    },
    15_000,
  )

  inEachShell('on a small disk the spool leaves 15 % and half of the rest free', async (shell) => {
    await withRecorder(shell, { spoolLimitBytes: 64e6, broken: ['room'] }, async (rig) => {
      await listens(rig)
      // (40 MiB - 15 %) / 2, less the pages that the recorder's own files take
      expect(rig.log()).toMatch(/the spool takes at most 17[78]\d{5} bytes/)
    })
  })

  it.concurrent(
    'the hash process ends when the spool is deleted',
    async () => {
      await withRecorder(sh, {}, async (rig) => {
        await listens(rig)
        const hashing = (): boolean => /^(openssl|sha256sum)$/m.test(rig.run('cat /proc/[0-9]*/comm'))
        await until('a hash', hashing)
        rig.run('rm -rf /tmp/packet-capture-x')
        await until('no hash', () => !hashing(), { timeoutMs: 8_000 })
      })
    },
    15_000,
  )

  it.concurrent('a recorder that starts after the deadline does nothing', async () => {
    await withRecorder(sh, { deadline: Math.floor(Date.now() / 1000) - 5 }, async (rig) => {
      await expect(rig.ended).resolves.toBe(0)
      expect(rig.log()).toContain('late')
      expect(rig.files()).toEqual([])
    }).catch((error: unknown) => {
      // The recorder can end before the rig reports that it is ready; then only its log is available.
      expect(String(error)).toContain('late')
    })
  })

  it.concurrent(
    'a pod without a writable disk uses a small spool in memory',
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

  it.concurrent('a tcpdump without LINUX_SLL2 records on all interfaces with its own link type', async () => {
    await withRecorder(sh, { interface: 'any', broken: ['sll2'] }, async (rig) => {
      await spoolIsThere(rig)
      const far = stream(rig)
      await listens(rig)
      await rig.send(5, 100)
      far.say('stop cancelled')
      const trailer = await far.trailer()
      expectWhole(far.bytes(), trailer)
      expect(packetsOf(far.bytes())).toBeGreaterThanOrEqual(5)
      far.say('done')
      await expect(rig.ended).resolves.toBe(0)
    })
  })

  it.concurrent('a loader without anything delivered ends after its time', async () => {
    await withRecorder(sh, { startTimeoutSeconds: 1, delivers: false }, async (rig) => {
      await expect(rig.ended).resolves.toBe(1)
      expect(rig.terminationMessage()).toBe('error late no recorder was delivered\n')
      expect(rig.files()).toEqual([])
    })
  })

  it.concurrent.each([
    ['an invalid filter', { filter: 'tcp prot 80' }, /^error filter .*syntax error/],
    [
      'a filter that looks like shell',
      { filter: '$(touch /tmp/pwned) `touch /tmp/pwned` "; touch /tmp/pwned; "' },
      /^error filter /,
    ],
    ['a filter that looks like an option', { filter: '-w /tmp/pwned' }, /^error filter /],
    ['an interface that does not exist', { interface: 'nosuch0' }, /^error interface .*nosuch0/],
    ['an image without tcpdump', { broken: ['tcpdump' as const] }, /^error tools the image has no tcpdump/],
    ['a container without NET_RAW', { broken: ['net-raw' as const] }, /^error net-raw /],
    ['a container without a writable directory', { broken: ['tmp' as const, 'shm' as const] }, /^error space /],
  ])('%s ends the recorder with its error code', async (_what, changes, pattern) => {
    await withRecorder(sh, changes, async (rig) => {
      await expect(rig.ended).resolves.toBe(1)
      expect(rig.terminationMessage()).toMatch(pattern)
      expect(rig.files()).toEqual([])
    })
  })
})

/** The process state letter, see proc_pid_stat(5). */
const stateOfTcpdump = (rig: Rig): string | undefined => /\(tcpdump\) (\w)/.exec(rig.run('cat /proc/[0-9]*/stat'))?.[1]

function uptime(): number {
  return Number(spawnSync('cut', ['-d.', '-f1', '/proc/uptime'], { encoding: 'utf8' }).stdout)
}

// The recorder deletes its directory at the end. If the check is missing, the passed deadline ends the script before it changes anything.
it.each([undefined, '', 'x', '..', '../packet-capture-x', 'packet-capture-', 'packet-capture-/..'])(
  'the recorder rejects the name %j and changes nothing',
  (name) => {
    const env = {
      PATH: process.env['PATH'] ?? '',
      CAPTURE_DEADLINE: '0',
      ...(name === undefined ? {} : { CAPTURE_NAME: name }),
    }
    const { status, stdout } = spawnSync('sh', ['-c', recorderScript], { env, encoding: 'utf8' })
    expect({ status, stdout }).toEqual({ status: 2, stdout: 'error name CAPTURE_NAME is not the name of a capture\n' })
  },
)
