import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { openWorkplace, type Workplace } from './action.ts'
import {
  apply,
  clientManifest,
  command,
  createNamespace,
  deleteNamespace,
  ephemeralNames,
  getPod,
  kubeconfigWith,
  kubectl,
  podAddresses,
  podManifest,
  testClusterState,
  until,
} from './cluster.ts'
import { images } from './images.ts'
import { itWith } from '../support/needs.ts'
import { startSlowProxy } from './slow-proxy.ts'
import { recorderOf } from './trials/pod-side.ts'

/** What a capture takes of its pod: of the pod's object, of its disk, and nothing where exec is refused. */

/** AF_PACKET is 17, EPERM is 1. */
const noPacketSockets = {
  defaultAction: 'SCMP_ACT_ALLOW',
  syscalls: [
    { names: ['socket'], action: 'SCMP_ACT_ERRNO', errnoRet: 1, args: [{ index: 0, value: 17, op: 'SCMP_CMP_EQ' }] },
  ],
}

let namespace: string
let work: Workplace
let sink: string

beforeAll(async () => {
  work = await openWorkplace()
  namespace = await createNamespace('share')
  await apply([
    clientManifest(namespace),
    podManifest(namespace, 'web'),
    podManifest(namespace, 'full', {
      image: images.capture,
      command: ['sh', '-c', 'head -c 85000000 /dev/zero >/tmp/data && exec iperf3 -s'],
      container: { resources: { limits: { 'ephemeral-storage': '100M' } } },
    }),
  ])
  ;[sink = ''] = await podAddresses(namespace, 'full', 'web', 'client')
}, 120_000)

afterAll(async () => {
  await deleteNamespace(namespace)
  await work?.close()
}, 30_000)

it('a capture adds at most 1,000 bytes to the spec of the pod', async () => {
  const size = async (): Promise<{ spec: number; all: number }> => {
    const pod = JSON.parse(await kubectl(['-n', namespace, 'get', 'pod', 'web', '-o', 'json'])) as { spec: object }
    return { spec: JSON.stringify(pod.spec).length, all: JSON.stringify(pod).length }
  }
  const before = await size()
  const run = await work.run({ pod: 'web', namespace, duration: '1s', filter: 'tcp port 9', 'if-empty': 'ignore' })
  expect(run.main.exitCode).toBe(0)
  const [name] = await ephemeralNames(namespace, 'web')
  await until(
    'the end of the container in the status',
    15_000,
    async () =>
      (await getPod(namespace, 'web')).status.ephemeralContainerStatuses?.find((one) => one.name === name)?.state
        .terminated,
  )
  const after = await size()
  const [spec, all] = [after.spec - before.spec, after.all - before.all]
  console.info(`pod object: ${String(spec)} bytes of the spec for one capture, ${String(all)} with its status`)
  expect(spec).toBeLessThan(1_000)
}, 60_000)

it('a pod whose application has written 85 % of its ephemeral-storage limit survives a full spool', async () => {
  const kubeconfig = kubeconfigWith({})
  const { clusters } = JSON.parse(kubeconfig) as { clusters: { cluster: { server: string } }[] }
  const server = new URL(clusters[0]?.cluster.server ?? '')
  const proxy = await startSlowProxy(server, 300e3)
  try {
    const run = work.start({
      ...{ pod: 'full', namespace, filter: 'tcp port 5201', duration: '25s', 'if-incomplete': 'ignore' },
      kubeconfig: kubeconfigWith({
        cluster: { server: `https://127.0.0.1:${String(proxy.port)}`, 'tls-server-name': server.hostname },
      }),
    })
    await run.capturing()
    const load = ['iperf3', '-c', sink, '-b', '80M', '-t', '20']
    await kubectl(['-n', namespace, 'exec', 'client', '--', ...load], { timeout: 60_000 })
    await delay(12_000) // the kubelet measures the disk every 10 s
    const { status } = await getPod(namespace, 'full')
    expect(status).toMatchObject({ phase: 'Running' })
    run.main.kill('SIGTERM')
    await run.finished
    expect(run.main.log()).toMatch(/Spool: at most 10(\.0)? MB of the node's disk/)
  } finally {
    await proxy.stop()
  }
}, 150_000)

itWith(
  testClusterState === undefined ? 'a cluster whose node is this machine; .ci/run' : undefined,
  'an interface that comes and goes during a capture is listed with the seconds in which it was there',
  async () => {
    const run = work.start({ pod: 'web', namespace, duration: '12s', filter: 'tcp port 9', 'if-empty': 'ignore' })
    await run.capturing()
    const [, name = ''] = await run.main.waitForLog(/ephemeral container (\S+) to pod/, 10_000)
    const inPod = (...argv: string[]): Promise<string> =>
      command('nsenter', ['--target', String(recorderOf(name)), '--net', '--', ...argv])
    await delay(2_500)
    await inPod('ip', 'link', 'add', 'late0', 'type', 'veth', 'peer', 'name', 'late1')
    await delay(3_000)
    await inPod('ip', 'link', 'delete', 'late0')
    const { main } = await run.finished
    const { captures } = JSON.parse(main.outputs['result'] ?? '{}') as {
      captures: { capture: { interfaces: { name: string; fromSeconds: number; untilSeconds?: number }[] } }[]
    }
    const interfaces = captures[0]?.capture.interfaces ?? []
    const [eth0] = interfaces.filter((one) => one.name === 'eth0')
    expect(eth0).toMatchObject({ fromSeconds: 0 })
    expect(eth0).not.toHaveProperty('untilSeconds')
    const late = interfaces.find((one) => one.name === 'late0')
    expect(late?.fromSeconds).toBeGreaterThanOrEqual(2)
    expect(late?.untilSeconds).toBeGreaterThan(late?.fromSeconds ?? Infinity)
  },
  60_000,
)

itWith(
  testClusterState === undefined ? 'a cluster whose node is this machine; .ci/run' : undefined,
  'a pod whose own seccomp profile forbids packet sockets is captured',
  async () => {
    const folder = join(testClusterState ?? '', 'kubelet/seccomp', namespace)
    mkdirSync(folder, { recursive: true })
    try {
      writeFileSync(join(folder, 'no-packet-sockets.json'), JSON.stringify(noPacketSockets))
      const localhostProfile = `${namespace}/no-packet-sockets.json`
      await apply([
        podManifest(namespace, 'seccomp', {
          image: images.capture,
          command: ['sh', '-c', 'while :; do echo | nc -w 1 127.0.0.1 9; sleep 0.2; done'],
          spec: { securityContext: { seccompProfile: { type: 'Localhost', localhostProfile } } },
        }),
      ])
      await podAddresses(namespace, 'seccomp')
      const inPod = ['-n', namespace, 'exec', 'seccomp', '--', 'tcpdump', '-i', 'any', '-c', '1']
      await expect(kubectl(inPod)).rejects.toThrow(/not permitted/)
      const { main } = await work.run({ pod: 'seccomp', namespace, duration: '2s', filter: 'tcp port 9' })
      expect(main).toMatchObject({ exitCode: 0, annotations: [], outputs: { verdict: 'complete' } })
      const { spec } = JSON.parse(await kubectl(['-n', namespace, 'get', 'pod', 'seccomp', '-o', 'json'])) as {
        spec: { ephemeralContainers: object[] }
      }
      expect(spec.ephemeralContainers).toMatchObject([
        { securityContext: { seccompProfile: { type: 'RuntimeDefault' } } },
      ])
    } finally {
      rmSync(folder, { recursive: true })
    }
  },
  60_000,
)

describe('where a policy denies exec', () => {
  const policy = 'packet-capture-e2e-no-exec'
  beforeAll(async () => {
    await apply([
      {
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: 'ValidatingAdmissionPolicy',
        metadata: { name: policy },
        spec: {
          failurePolicy: 'Fail',
          matchConstraints: {
            namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
            resourceRules: [
              { apiGroups: [''], apiVersions: ['v1'], operations: ['CONNECT'], resources: ['pods/exec'] },
            ],
          },
          validations: [{ expression: 'false', message: 'exec is not allowed here' }],
        },
      },
      {
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: 'ValidatingAdmissionPolicyBinding',
        metadata: { name: policy },
        spec: { policyName: policy, validationActions: ['Deny'] },
      },
    ])
    await until('the policy is in force', 30_000, async () => {
      const answer = await kubectl(['-n', namespace, 'exec', 'client', '--', 'true']).catch((error: unknown) =>
        String(error),
      )
      return answer.includes('exec is not allowed here') || undefined
    })
  }, 60_000)
  afterAll(async () => {
    for (const kind of ['validatingadmissionpolicybinding', 'validatingadmissionpolicy'])
      await kubectl(['delete', kind, policy, '--ignore-not-found'])
  }, 30_000)

  it('the run fails with the words of the policy, and nothing was recorded', async () => {
    const run = await work.run({ pod: 'web', namespace, duration: '60s' })
    expect(run.main.exitCode).toBe(1)
    expect(run.main.outputs).toMatchObject({ 'error-code': 'E_EXEC_REFUSED' })
    expect(run.lines.map(({ text }) => text).join('\n')).toContain('exec is not allowed here')
    expect(run.capture).toBeUndefined()
    const seconds = ((run.lines.at(-1)?.at ?? 0) - (run.lines[0]?.at ?? 0)) / 1000
    expect(seconds).toBeLessThan(15)
  }, 60_000)
})
