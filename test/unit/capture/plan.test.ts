import { recorderPayload } from '../../../src/capture/payload.ts'
import { newCaptureId, deadlineOf, quantity, spoolLimitBytesFor, type CapturePlan } from '../../../src/capture/plan.ts'
import { deadlineSecondsOf, recorderContainer } from '../../../src/capture/recorder-container.ts'
import { followerScript, loaderScript, recorderScript } from '../../../src/capture/scripts/scripts.ts'
import { expand } from '../../sandbox/cluster/kubelet.ts'
import { plan, target } from '../../support/target.ts'

const captureId = 'packet-capture-0a1b2c-3d4e5f60'
const deadlineSeconds = 1_700_000_000
const container = (changes: Partial<CapturePlan> = {}): { command: string[] } =>
  recorderContainer(captureId, plan(changes), deadlineSeconds) as unknown as { command: string[] }

/** What is delivered, in its parts. */
function delivered(changes: Partial<CapturePlan> = {}): {
  parameters: Record<string, string>
  follower: string
  recorder: string
} {
  const { text } = recorderPayload(captureId, plan(changes), deadlineSeconds)
  const [, parameters = '', follower = '', recorder = ''] = text.split(/^#(?:parameters|follower|recorder)\n/m)
  const lines = parameters.trimEnd().split('\n')
  return {
    parameters: Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    ),
    follower,
    recorder,
  }
}

describe('the container of the patch', () => {
  it('has these fields and no others', () => {
    const { command, ...rest } = container()
    expect(rest).toEqual({
      name: captureId,
      image: 'registry.example/tools:1',
      imagePullPolicy: 'IfNotPresent',
      securityContext: { runAsUser: 0, runAsNonRoot: false },
    })
    expect(command.slice(0, 2)).toEqual(['sh', '-c'])
    expect(command.slice(3)).toEqual([
      'recorder',
      captureId,
      recorderPayload(captureId, plan(), deadlineSeconds).sha256,
      String(plan().heartbeatTimeoutSeconds),
      String(deadlineSeconds),
    ])
    expect(deadlineSecondsOf({ command })).toBe(deadlineSeconds)
  })

  it('requests capabilities only when the plan has some', () => {
    expect(container({ capabilities: ['NET_RAW'] })).toMatchObject({
      securityContext: { runAsUser: 0, runAsNonRoot: false, capabilities: { add: ['NET_RAW'] } },
    })
  })

  it('takes at most 1,000 bytes of the pod object, whatever the filter is, because it stays there until the pod is deleted', () => {
    const filter = 'tcp port 1 or '.repeat(290) + 'tcp port 1'
    expect(JSON.stringify(container({ filter, image: 'i'.repeat(100) })).length).toBeLessThan(1_000)
  })

  it('has a command that Kubernetes, which expands $(NAME), passes on unchanged', () => {
    const { command } = container()
    expect(command[2]).not.toBe(loaderScript)
    expect(expand(command[2] ?? '', { n: '7' })).toBe(loaderScript)
  })
})

describe('what is delivered into the container', () => {
  it('has every limit as a parameter', () => {
    const limits = {
      durationSeconds: 90,
      maxBytes: 5_000_000,
      maxPackets: 12,
      snaplen: 96,
      heartbeatTimeoutSeconds: 30,
      spoolLimitBytes: 32_000_000,
    }
    expect(delivered({ ...limits, interface: 'eth0' }).parameters).toMatchObject({
      CAPTURE_DEADLINE: '1700000000',
      CAPTURE_FILTER: 'tcp port 8080',
      CAPTURE_INTERFACE: 'eth0',
      CAPTURE_SNAPLEN: '96',
      CAPTURE_DURATION: '90',
      CAPTURE_SIZE: '5000000',
      CAPTURE_PACKETS: '12',
      CAPTURE_SPOOL: '32000000',
      CAPTURE_HEARTBEAT_TIMEOUT: '30',
    })
    expect(delivered().parameters['CAPTURE_PACKETS']).toBe('')
    expect(delivered({ filter: undefined }).parameters['CAPTURE_FILTER']).toBe('')
  })

  it.each(['$(HOME)', '$$', '#recorder', 'tcp[12] & 0xf > $(( 1 ))', '\'"\\ `id` ; é', 'a=b'])(
    'has the filter %j unchanged',
    (filter) => {
      expect(delivered({ filter }).parameters['CAPTURE_FILTER']).toBe(filter)
    },
  )

  it('has the scripts, and an end by which a part of it is recognized', () => {
    const { follower, recorder } = delivered()
    expect(follower.trimEnd()).toBe(followerScript)
    expect(recorder).toBe(`${recorderScript}\n#end`)
  })

  it('has segments that are a small part of the spool, so that segments can be deleted', () => {
    for (const spoolLimitBytes of [8e6, 16e6, 64e6, 1e9]) {
      const segment = Number(delivered({ spoolLimitBytes }).parameters['CAPTURE_SEGMENT'])
      expect(segment).toBeGreaterThanOrEqual(1)
      expect(segment * 1e6).toBeLessThanOrEqual(spoolLimitBytes / 4)
    }
  })
})

describe('names and times', () => {
  it('creates unique names that are DNS labels with the prefix of the repository', () => {
    const names = Array.from({ length: 50 }, () => newCaptureId('octocat/shop'))
    for (const name of names) expect(name).toMatch(/^packet-capture-[0-9a-f]{6}-[0-9a-f]{8}$/)
    expect(new Set(names).size).toBe(50)
    const beginning = (repository: string): string => newCaptureId(repository).slice(0, 'packet-capture-123456'.length)
    expect(beginning('octocat/shop')).toBe(names[0]?.slice(0, 21))
    expect(beginning('octocat/other')).not.toBe(beginning('octocat/shop'))
  })

  it('sets a deadline that includes the start, the capture and the last fetch', () => {
    const deadline = deadlineOf(plan({ startTimeoutSeconds: 120, durationSeconds: 60 }), 1_700_000_000_500)
    expect(deadline).toBeGreaterThanOrEqual(1_700_000_001 + 180 + 10)
    expect(deadline).toBeLessThanOrEqual(1_700_000_001 + 180 + 120)
    expect(Number.isInteger(deadline)).toBe(true)
  })
})

describe('the spool with ephemeral-storage limits', () => {
  const limited = (...limits: (string | undefined)[]): number =>
    spoolLimitBytesFor(
      target({
        spec: {
          containers: limits.map((limit) =>
            limit === undefined ? {} : { resources: { limits: { 'ephemeral-storage': limit } } },
          ),
        },
      }),
      64e6,
    )

  it('has the requested size when there is no limit', () => {
    expect(limited()).toBe(64e6)
    expect(limited(undefined, undefined)).toBe(64e6)
    expect(spoolLimitBytesFor(target(), 64e6)).toBe(64e6)
  })

  it('is at most 16 MB with any limit, however high', () => {
    expect(limited('10Gi')).toBe(16e6)
    expect(limited('10Gi', undefined)).toBe(16e6)
  })

  it('is a tenth of the sum of the limits, which is what the kubelet compares the pod with', () => {
    expect(limited('100M')).toBe(10e6)
    expect(limited('100M', undefined)).toBe(10e6)
    expect(limited('60M', '40M')).toBe(10e6)
  })

  it('counts init containers and sidecars as the kubelet does', () => {
    const limitedTo = (limit: string, restartPolicy?: string) => ({
      resources: { limits: { 'ephemeral-storage': limit } },
      ...(restartPolicy === undefined ? {} : { restartPolicy }),
    })
    const bytes = (initContainers: ReturnType<typeof limitedTo>[], containers = [{}]): number =>
      spoolLimitBytesFor(target({ spec: { containers, initContainers } }), 64e6)
    expect(bytes([limitedTo('50M')])).toBe(5e6) // it applies after the init container has ended, too
    expect(bytes([limitedTo('50M')], [limitedTo('80M')])).toBe(8e6)
    expect(bytes([limitedTo('20M', 'Always')], [limitedTo('80M')])).toBe(10e6)
    expect(bytes([limitedTo('20M', 'Always'), limitedTo('50M')])).toBe(7e6)
  })
})

describe('quantity', () => {
  it.each([
    ['0', 0],
    ['128974848', 128_974_848],
    ['129e6', 129_000_000],
    ['129M', 129_000_000],
    ['123Mi', 128_974_848],
    ['1k', 1000],
    ['1Ki', 1024],
    ['2G', 2e9],
    ['1.5Gi', 1.5 * 2 ** 30],
    ['1Ti', 2 ** 40],
    ['1P', 1e15],
    ['500m', 0.5],
    ['', undefined],
    [undefined, undefined],
    ['lots', undefined],
    ['-1', undefined],
    ['1 G', undefined],
    ['1KB', undefined],
  ])('reads %s as %s bytes', (text, bytes) => {
    expect(quantity(text)).toBe(bytes)
  })
})
