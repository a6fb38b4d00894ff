import {
  containerName,
  deadlineOf,
  recorderContainer,
  quantity,
  spoolLimitFor,
  type CapturePlan,
} from '../../../src/capture/container.ts'
import { expand } from '../../sandbox/cluster/kubelet.ts'
import { plan, target } from './target.ts'

interface EphemeralContainer {
  name: string
  command: string[]
  env: { name: string; value: string }[]
}
const container = (changes: Partial<CapturePlan> = {}): EphemeralContainer =>
  recorderContainer('packet-capture-0a1b2c-3d4e5f60', plan(changes), 1_700_000_000) as unknown as EphemeralContainer

/** The variables as the kubelet hands them to the process. */
function environment({ env }: EphemeralContainer): Record<string, string> {
  const known: Record<string, string> = { HOME: '/root', PATH: '/bin' }
  for (const { name, value } of env) known[name] = expand(value, known)
  return known
}

describe('the container of the patch', () => {
  it('has the fields of the issue and no other', () => {
    const { command, env, ...rest } = container()
    expect(rest).toEqual({
      name: 'packet-capture-0a1b2c-3d4e5f60',
      image: 'registry.example/tools:1',
      imagePullPolicy: 'IfNotPresent',
      securityContext: { runAsUser: 0, runAsNonRoot: false },
    })
    expect(command.slice(0, 2)).toEqual(['sh', '-c'])
    expect(command).toHaveLength(3)
    for (const { name, value } of env) {
      expect(name).toMatch(/^CAPTURE_[A-Z_]+$/)
      expect(typeof value).toBe('string')
    }
  })

  it('asks for capabilities only where they are said', () => {
    expect(container({ capabilities: ['NET_RAW'] })).toMatchObject({
      securityContext: { runAsUser: 0, runAsNonRoot: false, capabilities: { add: ['NET_RAW'] } },
    })
  })

  it('gives every limit to the recorder, in the environment', () => {
    const limits = { duration: 90, size: 5_000_000, packets: 12, snaplen: 96, ownerTimeout: 30, spoolLimit: 32_000_000 }
    expect(environment(container({ ...limits, interface: 'eth0' }))).toMatchObject({
      CAPTURE_DEADLINE: '1700000000',
      CAPTURE_FILTER: 'tcp port 8080',
      CAPTURE_INTERFACE: 'eth0',
      CAPTURE_SNAPLEN: '96',
      CAPTURE_DURATION: '90',
      CAPTURE_SIZE: '5000000',
      CAPTURE_PACKETS: '12',
      CAPTURE_SPOOL: '32000000',
      CAPTURE_OWNER_TIMEOUT: '30',
    })
    expect(environment(container()).CAPTURE_PACKETS).toBe('')
  })

  it('keeps a segment a small part of the spool, or nothing could be given back', () => {
    for (const spoolLimit of [8e6, 16e6, 64e6, 1e9]) {
      const { CAPTURE_SEGMENT = '' } = environment(container({ spoolLimit }))
      expect(Number(CAPTURE_SEGMENT)).toBeGreaterThanOrEqual(1)
      expect(Number(CAPTURE_SEGMENT) * 1e6).toBeLessThanOrEqual(spoolLimit / 4)
    }
  })
})

describe('what Kubernetes expands', () => {
  it.each([
    '$(HOME)',
    '$$(HOME)',
    '$$$(HOME)',
    '$HOME $',
    '$$',
    '$(',
    '$()',
    '$(CAPTURE_DEADLINE)',
    'tcp[12] & 0xf > $(( 1 ))',
    '\'"\\ `id` ; é',
  ])('the filter %j reaches the recorder as it is', (filter) => {
    expect(environment(container({ filter })).CAPTURE_FILTER).toBe(filter)
  })

  it('leaves the scripts whole', () => {
    const { command, env } = container()
    const script = expand(command[2] ?? '', environment(container()))
    expect(command[2]).not.toBe(script) // they do hold a `$`
    expect(script).toContain('$((')
    expect(script).not.toContain('$$((')
    expect(script).toContain('"$CAPTURE_FILTER"')
    expect(environment(container()).CAPTURE_FOLLOWER).toContain('"${0%/*}"')
    expect(env.length).toBeGreaterThan(10)
  })

  it('is small: every entry stays in the object of the pod for its life', () => {
    expect(JSON.stringify(container()).length).toBeLessThan(20_000)
    expect(container().command[2]).not.toMatch(/^\s*#|^\s+\S|\n\n/m)
  })
})

describe('names and times', () => {
  it('a name is a DNS label, of the repository by its beginning, and never the same twice', () => {
    const names = Array.from({ length: 50 }, () => containerName('octocat/shop'))
    for (const name of names) expect(name).toMatch(/^packet-capture-[0-9a-f]{6}-[0-9a-f]{8}$/)
    expect(new Set(names).size).toBe(50)
    const beginning = (repository: string): string => containerName(repository).slice(0, 'packet-capture-123456'.length)
    expect(beginning('octocat/shop')).toBe(names[0]?.slice(0, 21))
    expect(beginning('octocat/other')).not.toBe(beginning('octocat/shop'))
  })

  it('the deadline leaves room for the start, the capture and its last fetch', () => {
    const deadline = deadlineOf(plan({ startTimeout: 120, duration: 60 }), 1_700_000_000_500)
    expect(deadline).toBeGreaterThanOrEqual(1_700_000_001 + 180 + 10)
    expect(deadline).toBeLessThanOrEqual(1_700_000_001 + 180 + 120)
    expect(Number.isInteger(deadline)).toBe(true)
  })
})

describe('the spool beside ephemeral-storage limits', () => {
  const limited = (...limits: (string | undefined)[]): number =>
    spoolLimitFor(
      target({
        spec: {
          containers: limits.map((limit) =>
            limit === undefined ? {} : { resources: { limits: { 'ephemeral-storage': limit } } },
          ),
        },
      }),
      64e6,
    )

  it('is the wanted one where there is no limit, or a large one', () => {
    expect(limited()).toBe(64e6)
    expect(limited(undefined, undefined)).toBe(64e6)
    expect(spoolLimitFor(target(), 64e6)).toBe(64e6)
    expect(limited('10Gi')).toBe(64e6)
  })

  it('is well under the limit of the pod, which counts every container', () => {
    expect(limited('50M')).toBeLessThanOrEqual(25e6)
    expect(limited('50M')).toBeGreaterThanOrEqual(8e6)
    expect(limited('20M', '30M')).toBe(limited('50M'))
    expect(Number.isInteger(limited('33333333'))).toBe(true)
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
  ])('%s is %s bytes', (text, bytes) => {
    expect(quantity(text)).toBe(bytes)
  })
})
