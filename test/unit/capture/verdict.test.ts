import { judge, judgeTargetCheck, judgeTargetEnd, type Evidence, type Verdict } from '../../../src/capture/verdict.ts'
import type { CaptureMethod } from '../../../src/capture/record.ts'
import { methodOf } from '../../../src/capture/recorders/methods.ts'
import { outcome, scan, sha256, trailer } from '../../support/evidence.ts'
import { recordFor } from '../../support/target.ts'

const verdict = (changes: Partial<Evidence> = {}): Verdict =>
  judge({ outcome: outcome(), scan: scan(), sha256, hasLoopback: false, method: methodOf(recordFor()), ...changes })

it('reports a capture as complete when all evidence is present, also after a reconnection', () => {
  expect(verdict()).toEqual({
    verdict: 'complete',
    reasons: [{ kind: 'everything-arrived', bytes: 12345 }],
    reason: expect.stringContaining('12345 bytes arrived') as string,
    stopReason: 'duration',
    dropped: 0,
  })
  expect(verdict({ outcome: outcome({ reconnectCount: 7 }) }).verdict).toBe('complete')
})

it('reports a capture as empty when no packet matched and no bytes are missing', () => {
  const none = scan({ packets: 0, bytes: 24, wholeBytes: 24, first: undefined, last: undefined })
  expect(verdict({ outcome: outcome({ trailer: trailer({ size: '24' }) }), scan: none })).toMatchObject({
    verdict: 'empty',
    stopReason: 'duration',
    dropped: 0,
  })
  // No packet arrived, but the stream is incomplete: the verdict must not be `empty`.
  expect(verdict({ scan: none }).verdict).toBe('partial')
  const dropped = outcome({ trailer: trailer({ size: '24', dropped: '9' }) })
  expect(verdict({ outcome: dropped, scan: none }).verdict).toBe('partial')
})

describe('a capture whose content is not protected', () => {
  const unprotectedFrom = 'the container app shares the process namespace as root'
  const caution = `, but ${unprotectedFrom}, so the content is not protected from it`

  it('has the verdict of its evidence, and the caution in its reason', () => {
    const complete = verdict({ unprotectedFrom })
    expect(complete.verdict).toBe('complete')
    expect(complete.reason).toMatch(/^all 12345 bytes arrived .*, none was dropped, but the container app shares/)
    expect(complete.reason.endsWith(caution)).toBe(true)
    const partial = verdict({ unprotectedFrom, sha256: 'cd'.repeat(32) })
    expect(partial.verdict).toBe('partial')
    expect(partial.reason.endsWith(caution)).toBe(true)
  })

  it('keeps the caution after its target was lost', () => {
    const lost = judgeTargetCheck(verdict({ unprotectedFrom }), { kind: 'lost', why: 'the pod web-1 was deleted' })
    expect(lost.reason).toBe(`the pod web-1 was deleted before the capture was over${caution}`)
  })
})

describe('a capture is partial', () => {
  it.each<[string, Partial<Evidence>, RegExp]>([
    ['bytes are missing', { scan: scan({ bytes: 12000, wholeBytes: 12000 }) }, /^12000 of 12345 bytes arrived/],
    [
      'more bytes arrived than were sent',
      { scan: scan({ bytes: 12346, wholeBytes: 12346 }) },
      /^12346 of 12345 bytes arrived/,
    ],
    ['the hash differs', { sha256: 'cd'.repeat(32) }, /^the SHA-256 of the bytes that arrived is not/],
    ['the last packet is truncated', { scan: scan({ wholeBytes: 12000 }) }, /the last packet is cut off$/],
    ['the pcap is broken', { scan: scan({ broken: 'packet 3 claims 9 GB' }) }, /cannot be read: packet 3 claims 9 GB/],
    [
      'the kernel dropped packets',
      { outcome: outcome({ trailer: trailer({ dropped: '4' }) }) },
      /^4 packets were dropped/,
    ],
    [
      'the interface dropped packets',
      { outcome: outcome({ trailer: trailer({ 'interface-dropped': '3' }) }) },
      /^3 packets were dropped/,
    ],
    [
      'the kernel and the interface dropped packets',
      { outcome: outcome({ trailer: trailer({ dropped: '4', 'interface-dropped': '3' }) }) },
      /^7 packets were dropped/,
    ],
    [
      'the drop count includes the loopback interface',
      { outcome: outcome({ trailer: trailer({ dropped: '4' }) }), hasLoopback: true },
      /^at most 4 packets were dropped/,
    ],
    [
      'the number of drops is unknown',
      { outcome: outcome({ trailer: trailer({ dropped: '' }) }) },
      /did not report whether packets were dropped/,
    ],
    [
      'the recorder paused once',
      { outcome: outcome({ trailer: trailer({ paused: '1500 1' }) }) },
      /paused once for 1\.5 s/,
    ],
    [
      'the recorder paused several times',
      { outcome: outcome({ trailer: trailer({ paused: '61000 12' }) }) },
      /paused 12 times for 61\.0 s/,
    ],
    [
      'tcpdump died',
      { outcome: outcome({ trailer: trailer({ reason: 'died', exit: '1', message: 'The interface disappeared' }) }) },
      /tcpdump ended by itself \(exit code 1\): The interface disappeared/,
    ],
    [
      'the runner was away for longer than heartbeat-timeout',
      { outcome: outcome({ trailer: trailer({ reason: 'heartbeat-timeout' }) }) },
      /no contact with the runner/,
    ],
    [
      'the deadline came first',
      { outcome: outcome({ trailer: trailer({ reason: 'deadline' }) }) },
      /reached its deadline/,
    ],
    [
      'there is no trailer',
      { outcome: outcome({ trailer: undefined, end: 'gave-up', detail: 'closed (code 1006)' }) },
      /^the connection was lost .*\(closed \(code 1006\)\); 12345 bytes had arrived$/,
    ],
    [
      'the pod was deleted',
      { outcome: outcome({ trailer: undefined, end: 'endpoint-gone', detail: 'the pod was deleted' }) },
      /^the pod disappeared \(the pod was deleted\)/,
    ],
    [
      'the disk of the runner was full',
      { outcome: outcome({ trailer: undefined, end: 'runner-disk', detail: 'ENOSPC' }) },
      /^the runner's disk refused the data \(ENOSPC\)/,
    ],
    [
      'the container ended before all bytes were fetched',
      { outcome: outcome({ end: 'container-ended' }), scan: scan({ bytes: 100, wholeBytes: 100 }) },
      /^100 of 12345 bytes arrived \(the capture's container ended/,
    ],
  ])('when %s', (_name, changes, reason) => {
    const judged = verdict(changes)
    expect(judged.verdict).toBe('partial')
    expect(judged.reason).toMatch(reason)
  })

  it('and reports every reason that applies', () => {
    const { reason } = verdict({
      outcome: outcome({ trailer: trailer({ dropped: '4', paused: '100 1', reason: 'heartbeat-timeout' }) }),
      scan: scan({ bytes: 12000, wholeBytes: 11990 }),
    })
    for (const part of [
      '12000 of 12345',
      'no contact with the runner',
      'paused once',
      'cut off',
      '4 packets were dropped',
    ]) {
      expect(reason).toContain(part)
    }
  })

  it('and its drop count is unknown when tcpdump did not report it', () => {
    expect(verdict({ outcome: outcome({ trailer: undefined, end: 'gave-up' }) }).dropped).toBeUndefined()
    expect(verdict({ outcome: outcome({ trailer: trailer({ dropped: '' }) }) }).dropped).toBeUndefined()
    expect(
      verdict({ outcome: outcome({ trailer: trailer({ dropped: '4', 'interface-dropped': '1' }) }) }).dropped,
    ).toBe(5)
  })
})

describe('the stop reason', () => {
  it.each([
    ['duration', 'duration'],
    ['size', 'size'],
    ['packets', 'packets'],
    ['cancelled', 'cancelled'],
    ['terminated', 'target-gone'],
    ['target-gone', 'target-gone'],
    ['died', 'error'],
    ['heartbeat-timeout', 'error'],
    ['deadline', 'error'],
    ['an unknown word', 'error'],
  ])('for a trailer with the reason %s is %s', (reason, expected) => {
    expect(verdict({ outcome: outcome({ trailer: trailer({ reason }) }) }).stopReason).toBe(expected)
  })

  it('is target-gone without a trailer only when the pod no longer exists', () => {
    const without = (end: 'endpoint-gone' | 'gave-up' | 'runner-disk' | 'container-ended' | 'held'): string =>
      verdict({ outcome: outcome({ trailer: undefined, end }) }).stopReason
    expect(without('endpoint-gone')).toBe('target-gone')
    expect(without('gave-up')).toBe('error')
    expect(without('runner-disk')).toBe('error')
    expect(without('container-ended')).toBe('error')
  })

  it.each<[CaptureMethod['kind'], string]>([
    ['node-pod', "the recorder's node pod, not the target,"],
    ['ssh', 'the recorder on the node, not the target,'],
  ])('is error when the recorder with the method %s ends, and target-gone only when the target ends', (kind, who) => {
    const method = methodOf(
      recordFor({ method: { kind, namespace: 'net', login: {}, whole: false } as unknown as CaptureMethod }),
    )
    const stopped = verdict({ method, outcome: outcome({ trailer: trailer({ reason: 'terminated' }) }) })
    expect(stopped).toMatchObject({
      verdict: 'partial',
      reason: `${who} was stopped before the capture was over`,
      stopReason: 'error',
    })
    const gone = outcome({ trailer: undefined, end: 'endpoint-gone', detail: 'the pod was deleted' })
    expect(verdict({ method, outcome: gone })).toMatchObject({
      reason: `${who} disappeared (the pod was deleted); 12345 bytes had arrived`,
      stopReason: 'error',
    })
    const cut = verdict({ method, outcome: outcome({ end: 'endpoint-gone' }), scan: scan({ bytes: 5, wholeBytes: 5 }) })
    expect(cut.reason).toMatch(`5 of 12345 bytes arrived (${who} disappeared)`)
    const target = verdict({ method, outcome: outcome({ trailer: trailer({ reason: 'target-gone' }) }) })
    expect(target.stopReason).toBe('target-gone')
  })

  it('does not change a complete capture when it is a limit or a cancel', () => {
    for (const reason of ['size', 'packets', 'cancelled']) {
      expect(verdict({ outcome: outcome({ trailer: trailer({ reason }) }) }).verdict).toBe('complete')
    }
  })

  it.each(['terminated', 'hash', 'anything'])('%s makes the capture partial even if all bytes arrived', (reason) => {
    expect(verdict({ outcome: outcome({ trailer: trailer({ reason }) }) })).toMatchObject({
      verdict: 'partial',
      stopReason: reason === 'terminated' ? 'target-gone' : 'error',
    })
  })

  it('target-gone makes the capture partial, with its reason', () => {
    const { verdict: how, reason } = verdict({ outcome: outcome({ trailer: trailer({ reason: 'target-gone' }) }) })
    expect({ how, reason }).toEqual({ how: 'partial', reason: 'the pod disappeared before the capture was over' })
  })
})

describe('the check of the target', () => {
  const lost = { kind: 'lost', why: 'the pod web-1 disappeared' } as const
  const targetLost = { kind: 'target-lost', why: 'the pod web-1 disappeared' }

  it('makes a capture partial when the target was lost, even if all other evidence is complete', () => {
    const complete = verdict()
    expect(judgeTargetCheck(complete, lost)).toEqual({
      ...complete,
      verdict: 'partial',
      reasons: [targetLost],
      reason: 'the pod web-1 disappeared before the capture was over',
    })
    const empty = verdict({
      outcome: outcome({ trailer: trailer({ size: '24' }) }),
      scan: scan({ packets: 0, bytes: 24, wholeBytes: 24 }),
    })
    expect(judgeTargetCheck(empty, lost)).toMatchObject({ verdict: 'partial', reasons: [targetLost] })
  })

  it('is reported before the other reasons of a partial capture', () => {
    const dropped = verdict({ outcome: outcome({ trailer: trailer({ dropped: '3' }) }) })
    expect(judgeTargetCheck(dropped, lost)).toMatchObject({
      reasons: [targetLost, { kind: 'dropped', packets: 3 }],
      reason: expect.stringMatching(/^the pod web-1 disappeared before the capture was over; 3 packets/) as string,
    })
  })

  it('replaces the less exact reason of the recorder for the same loss', () => {
    const both = verdict({ outcome: outcome({ trailer: trailer({ dropped: '3', reason: 'target-gone' }) }) })
    expect(both.reasons.map(({ kind }) => kind)).toEqual(['target-lost', 'dropped'])
    expect(judgeTargetCheck(both, lost).reasons).toEqual([targetLost, expect.objectContaining({ kind: 'dropped' })])
  })

  it('names the completion of the target as the stop reason when that stopped the capture, and leaves it partial', () => {
    // On a node, the address of the pod may have been given to another pod before the check.
    const completed = { ...lost, isCompleted: true }
    const stopped = verdict({ outcome: outcome({ trailer: trailer({ reason: 'target-gone' }) }) })
    expect(judgeTargetCheck(stopped, completed)).toMatchObject({ verdict: 'partial', stopReason: 'target-completed' })
    expect(judgeTargetCheck(stopped, lost)).toMatchObject({ verdict: 'partial', stopReason: 'target-gone' })
    expect(judgeTargetCheck(verdict(), completed)).toMatchObject({ verdict: 'partial', stopReason: 'duration' })
  })

  it('does not change the verdict when the target exists or its state is unknown', () => {
    const complete = verdict()
    expect(judgeTargetCheck(complete, { kind: 'there' })).toBe(complete)
    expect(judgeTargetCheck(complete, { kind: 'unknown', why: 'no answer' })).toBe(complete)
  })
})

describe('a recorder that was stopped inside of its pod', () => {
  const terminated = (changes: Record<string, string> = {}): Verdict =>
    verdict({ outcome: outcome({ trailer: trailer({ reason: 'terminated', ...changes }) }) })
  const killed = verdict({ outcome: outcome({ trailer: undefined, end: 'container-ended' }) })
  const completed = { kind: 'completed' } as const

  it('is not reported as the end of the pod before it is known', () => {
    expect(terminated().reason).toBe('the capture container was stopped before the capture was over')
  })

  it('gives a complete capture when the pod completed and everything is proven', () => {
    expect(judgeTargetEnd(terminated(), completed, scan())).toMatchObject({
      verdict: 'complete',
      reasons: [{ kind: 'everything-arrived', bytes: 12345 }],
      stopReason: 'target-completed',
      dropped: 0,
    })
  })

  it('gives an empty capture when the pod completed and no packet matched', () => {
    const none = scan({ packets: 0, bytes: 24, wholeBytes: 24 })
    const judged = verdict({ outcome: outcome({ trailer: trailer({ reason: 'terminated', size: '24' }) }), scan: none })
    expect(judgeTargetEnd(judged, completed, none)).toMatchObject({ verdict: 'empty', stopReason: 'target-completed' })
  })

  it('gives a partial capture when the pod completed and a proof is missing', () => {
    expect(judgeTargetEnd(terminated({ dropped: '3' }), completed, scan())).toMatchObject({
      verdict: 'partial',
      reasons: [{ kind: 'dropped', packets: 3 }],
      stopReason: 'target-completed',
    })
    expect(judgeTargetEnd(killed, completed, scan())).toMatchObject({
      verdict: 'partial',
      reasons: [{ kind: 'no-trailer' }],
      stopReason: 'target-completed',
    })
  })

  it('gives a partial capture that says what happened to the pod', () => {
    const end = { kind: 'lost', why: 'the pod web-1 got a new sandbox' } as const
    expect(judgeTargetEnd(terminated(), end, scan())).toMatchObject({
      verdict: 'partial',
      reason: 'the pod web-1 got a new sandbox before the capture was over',
      stopReason: 'target-gone',
    })
    expect(judgeTargetEnd(killed, end, scan())).toMatchObject({
      reasons: [{ kind: 'target-lost' }, { kind: 'no-trailer' }],
      stopReason: 'target-gone',
    })
  })

  it('gives an error when the pod goes on, or when its end is not known', () => {
    expect(judgeTargetEnd(terminated(), { kind: 'goes-on' }, scan())).toMatchObject({
      verdict: 'partial',
      reason: 'the capture container, not the pod, was stopped before the capture was over',
      stopReason: 'error',
    })
    expect(judgeTargetEnd(terminated(), { kind: 'unknown', why: 'no answer' }, scan())).toMatchObject({
      reason: 'the capture container was stopped before the capture was over',
      stopReason: 'error',
    })
    expect(judgeTargetEnd(killed, { kind: 'goes-on' }, scan())).toMatchObject({ ...killed, stopReason: 'error' })
  })
})
