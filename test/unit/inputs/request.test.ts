import { readFileSync } from 'node:fs'
import { load } from 'js-yaml'
import { ConfigurationError, renderProblem } from '../../../src/common/errors.ts'
import { toolboxCommand } from '../../../src/capture/recorders/ssh/toolbox.ts'
import { readRequest, type Request } from '../../../src/inputs/request.ts'
import { thrownBy } from '../../support/refusal.ts'

interface ActionFile {
  name: string
  description: string
  branding: { icon: string; color: string }
  inputs: Record<string, { description?: string; required?: boolean; default?: string | number | boolean }>
  outputs: Record<string, { description?: string; value?: unknown }>
  runs: { using: string; main: string; post: string }
}
const actionText = readFileSync(new URL('../../../action.yml', import.meta.url), 'utf8')
const action = load(actionText) as ActionFile

/** The request of a workflow that sets only `inputs`; the defaults come from the code, not from action.yml. */
const read = (inputs: Record<string, string>): Request =>
  readRequest((name) => ({ pod: 'web-1', ...inputs })[name] ?? '')

const refused = (inputs: Record<string, string>): ConfigurationError => thrownBy(() => read(inputs))

describe('defaults', () => {
  it('apply when only the pod is given', () => {
    expect(read({})).toMatchObject({
      target: { kind: 'pod', name: 'web-1' },
      namespace: undefined,
      level: 'pod',
      nodeMethod: 'auto',
      nodeNamespace: 'packet-capture',
      limits: { durationSeconds: 60, maxBytes: 1_000_000_000, maxPackets: undefined },
      filter: undefined,
      interface: 'any',
      snaplen: 262144,
      image:
        'docker.io/nicolaka/netshoot:v0.14@sha256:7f08c4aff13ff61a35d30e30c5c1ea8396eac6ab4ce19fd02d5a4b3b5d0d09a2',
      capabilities: [],
      allowHostNetwork: false,
      access: { kind: 'kubeconfig', source: { kind: 'default' }, context: undefined, pluginVariables: [] },
      preflight: 'on',
      startTimeoutSeconds: 120,
      heartbeatTimeoutSeconds: 60,
      spoolLimitBytes: 256_000_000,
      artifactName: undefined,
      retentionDays: undefined,
      ifIncomplete: 'warn',
      ifEmpty: 'warn',
    })
  })

  it('are the same in action.yml and for an empty input, so that a workflow can pass an empty input', () => {
    const declared = Object.fromEntries(
      Object.entries(action.inputs).map(([name, input]) => [name, String(input.default ?? '')]),
    )
    const given = readRequest((name) => (name === 'pod' ? 'web-1' : (declared[name] ?? '')))
    const empty = readRequest((name) => (name === 'pod' ? 'web-1' : ''))
    expect(given).toEqual(empty)
  })

  it('belong to a request that is frozen', () => {
    const request = read({})
    expect(Object.isFrozen(request)).toBe(true)
    expect(Object.isFrozen(request.limits)).toBe(true)
    expect(() => Object.assign(request.limits, { durationSeconds: 1 })).toThrow(TypeError)
  })
})

describe('accepts', () => {
  it.each<[string, string, Partial<Request>]>([
    ['pod', 'pod/web-1', { target: { kind: 'pod', name: 'web-1' } }],
    ['pod', 'pods/web-1.blue', { target: { kind: 'pod', name: 'web-1.blue' } }],
    ['pod', 'deployment/checkout', { target: { kind: 'deployment', name: 'checkout' } }],
    ['pod', 'deploy/checkout', { target: { kind: 'deployment', name: 'checkout' } }],
    ['pod', 'deployments/checkout', { target: { kind: 'deployment', name: 'checkout' } }],
    ['pod', 'deployment.apps/checkout', { target: { kind: 'deployment', name: 'checkout' } }],
    ['pod', 'deployments.apps/checkout', { target: { kind: 'deployment', name: 'checkout' } }],
    ['pod', 'deploy.apps/checkout', { target: { kind: 'deployment', name: 'checkout' } }],
    ['pod', 'deployments.v1.apps/checkout', { target: { kind: 'deployment', name: 'checkout' } }],
    ['pod', 'Deployment/checkout', { target: { kind: 'deployment', name: 'checkout' } }],
    ['pod', 'po/web-1', { target: { kind: 'pod', name: 'web-1' } }],
    ['pod', 'Pod/web-1', { target: { kind: 'pod', name: 'web-1' } }],
    ['pod', 'pods.v1./web-1', { target: { kind: 'pod', name: 'web-1' } }],
    ['pod', `deployment/${'a'.repeat(253)}`, { target: { kind: 'deployment', name: 'a'.repeat(253) } }],
    ['pod', 'a'.repeat(253), { target: { kind: 'pod', name: 'a'.repeat(253) } }],
    ['namespace', 'shop-2', { namespace: 'shop-2' }],
    ['level', 'pod', { level: 'pod' }],
    ['level', 'node', { level: 'node' }],
    ['node-method', 'auto', { nodeMethod: 'auto' }],
    ['node-namespace', 'packet-capture', { nodeNamespace: 'packet-capture' }],
    ['filter', 'tcp port 8080 and host 10.0.0.1', { filter: 'tcp port 8080 and host 10.0.0.1' }],
    ['filter', '$(reboot); `id`', { filter: '$(reboot); `id`' }],
    ['filter', 'tcp port 8080\nand (\n    host 10.0.0.1\n  )\n', { filter: 'tcp port 8080 and ( host 10.0.0.1 )' }],
    ['filter', 'tcp \r\n\r\n\tport 80\r\n', { filter: 'tcp port 80' }],
    ['filter', 'x'.repeat(4096), { filter: 'x'.repeat(4096) }],
    ['interface', 'eth0', { interface: 'eth0' }],
    ['interface', 'eth0.100', { interface: 'eth0.100' }],
    ['interface', 'a23456789012345', { interface: 'a23456789012345' }],
    ['snaplen', '64', { snaplen: 64 }],
    ['snaplen', '262144', { snaplen: 262144 }],
    ['image', 'registry.example:5000/team/tools:1', { image: 'registry.example:5000/team/tools:1' }],
    ['image', 'tools', { image: 'tools' }],
    ['image', `a/b@sha256:${'0'.repeat(64)}`, { image: `a/b@sha256:${'0'.repeat(64)}` }],
    ['capabilities', 'NET_RAW', { capabilities: ['NET_RAW'] }],
    ['capabilities', 'NET_RAW, NET_ADMIN', { capabilities: ['NET_RAW', 'NET_ADMIN'] }],
    ['capabilities', 'net_raw\nNET_RAW', { capabilities: ['NET_RAW'] }],
    ['allow-host-network', 'true', { allowHostNetwork: true }],
    ['allow-host-network', 'TRUE', { allowHostNetwork: true }],
    ['allow-host-network', 'False', { allowHostNetwork: false }],
    [
      'kubeconfig',
      'ci/kubeconfig.yaml',
      {
        access: {
          kind: 'kubeconfig',
          source: { kind: 'path', path: 'ci/kubeconfig.yaml' },
          context: undefined,
          pluginVariables: [],
        },
      },
    ],
    [
      'context',
      'prod eu/1',
      { access: { kind: 'kubeconfig', source: { kind: 'default' }, context: 'prod eu/1', pluginVariables: [] } },
    ],
    ['preflight', 'only', { preflight: 'only' }],
    ['preflight', 'on', { preflight: 'on' }],
    ['start-timeout', '5', { startTimeoutSeconds: 5 }],
    ['start-timeout', '1h', { startTimeoutSeconds: 3600 }],
    ['heartbeat-timeout', '20', { heartbeatTimeoutSeconds: 20 }],
    ['heartbeat-timeout', '1h', { heartbeatTimeoutSeconds: 3600 }],
    ['spool-limit', '8MB', { spoolLimitBytes: 8_000_000 }],
    ['spool-limit', '10GB', { spoolLimitBytes: 10_000_000_000 }],
    ['artifact-name', 'incident-17', { artifactName: 'incident-17' }],
    ['artifact-name', 'incident-17.pcap', { artifactName: 'incident-17' }],
    ['retention-days', '1', { retentionDays: 1 }],
    ['retention-days', '400', { retentionDays: 400 }],
    ['if-incomplete', 'error', { ifIncomplete: 'error' }],
    ['if-incomplete', 'ignore', { ifIncomplete: 'ignore' }],
    ['if-empty', 'error', { ifEmpty: 'error' }],
    ['if-empty', 'ignore', { ifEmpty: 'ignore' }],
  ])('%s: %s', (name, text, expected) => {
    expect(read({ [name]: text })).toMatchObject(expected)
  })

  it.each([
    ['duration', '1', 1],
    ['duration', '90s', 90],
    ['duration', '1h30m', 5400],
    ['duration', '6h', 21_600],
    ['max-size', '1KB', 1000],
    ['max-size', '64MiB', 67_108_864],
    ['max-packets', '1', 1],
    ['max-packets', '2147483647', 2_147_483_647],
  ])('%s: %s', (name, text, value) => {
    const { durationSeconds, maxBytes, maxPackets } = read({ [name]: text }).limits
    expect({ duration: durationSeconds, 'max-size': maxBytes, 'max-packets': maxPackets }[name]).toBe(value)
  })
})

describe('a target of a kind that is not supported is rejected with the kind and the way to capture it', () => {
  it.each([
    ['statefulset/db', 'statefulset'],
    ['statefulset.apps/db', 'statefulset'],
    ['sts/db', 'statefulset'],
    ['daemonsets.v1.apps/agent', 'daemonset'],
    ['replicaset.apps/web-7d9f', 'replicaset'],
    ['job.batch/migrate', 'job'],
    ['cronjobs/report', 'cronjob'],
    ['rc/old', 'replicationcontroller'],
    ['svc/web', 'service'],
  ])('%s', (pod, kind) => {
    expect(refused({ pod }).message).toBe(
      `pod: names a ${kind}, which is not supported. Name one of its pods (\`kubectl get pods\`), or deployment/NAME. No resources were created.`,
    )
  })

  it('node/a leads to the input node', () => {
    expect(refused({ pod: 'node/a' }).message).toMatch(/^pod: names a node.* Set the input `node` with `level: node`/)
  })
})

describe('rejects an invalid input with its name, its value and the fix', () => {
  it.each([
    ['pod', ''],
    ['pod', 'Web_1'],
    ['pod', 'a/b/c'],
    ['pod', 'deployment/'],
    ['pod', 'deployment.batch/web'],
    ['pod', 'pods.apps/web-1'],
    ['pod', 'pod.v1/web-1'],
    ['pod', 'ingress/web'],
    ['pod', '-web'],
    ['pod', 'web..1'],
    ['pod', '../secrets/x'],
    ['pod', 'web?x=1'],
    ['pod', 'a'.repeat(254)],
    ['namespace', 'Shop'],
    ['namespace', 'shop.eu'],
    ['namespace', 'a'.repeat(64)],
    ['level', 'cluster'],
    ['node-method', 'telnet'],
    ['node-namespace', 'Shop'],
    ['duration', '0'],
    ['duration', '6h1s'],
    ['duration', '1.5m'],
    ['duration', 'forever'],
    ['filter', 'tcp\n\u0007port 80'],
    ['filter', 'tcp port 1)\nor (tcp port 8080'],
    ['filter', 'tcp port 1) or (tcp port 8080'],
    ['filter', '(tcp'],
    ['filter', 'tcp\u0000'],
    ['filter', 'x'.repeat(4097)],
    ['interface', '-i'],
    ['interface', 'eth0/1'],
    ['interface', 'a234567890123456'],
    ['interface', 'eth0 lo'],
    ['snaplen', '63'],
    ['snaplen', '262145'],
    ['snaplen', 'all'],
    ['max-size', '999'],
    ['max-size', '10TB'],
    ['max-size', '-1GB'],
    ['max-packets', '0'],
    ['max-packets', '2147483648'],
    ['image', 'has space'],
    ['image', '-flag'],
    ['image', 'a'.repeat(513)],
    ['capabilities', 'SYS_ADMIN'],
    ['capabilities', 'NET_RAW,ALL'],
    ['allow-host-network', 'yes'],
    ['allow-host-network', '1'],
    ['start-timeout', '4'],
    ['start-timeout', '1h1s'],
    ['heartbeat-timeout', '19'],
    ['heartbeat-timeout', '1h1s'],
    ['spool-limit', '7MB'],
    ['spool-limit', '11GB'],
    ['spool-limit', 'all'],
    ['artifact-name', 'a:b'],
    ['artifact-name', 'a/b'],
    ['artifact-name', 'a\nb'],
    ['artifact-name', '.hidden'],
    ['artifact-name', 'a'.repeat(201)],
    ['retention-days', '0'],
    ['retention-days', '401'],
    ['if-incomplete', 'fail'],
    ['if-empty', 'Error'],
    ['preflight', 'off'],
  ])('%s: %j', (name, text) => {
    const { problems, stage, message } = refused({ [name]: text })
    expect(problems).toHaveLength(1)
    expect(problems[0]).toMatchObject({ code: text === '' ? 'E_INPUT_MISSING' : 'E_INPUT_INVALID', input: name })
    expect(problems[0].problem).toContain(
      text === '' ? 'is not set' : JSON.stringify(text).slice(0, 100).replace(/"$/, ''),
    )
    expect(problems[0].fix).toMatch(/^Use .*\.$/)
    expect(stage).toBe('inputs')
    expect(message.split('\n')).toHaveLength(1)
    expect(message).toMatch(/ No resources were created\.$/)
  })

  it('and all other invalid inputs together', () => {
    const wrong = {
      pod: '',
      namespace: 'X',
      level: 'cluster',
      'node-method': 'x',
      'node-namespace': 'X',
      duration: 'x',
      filter: '\u0001',
      interface: '-',
      snaplen: '1',
    }
    const more = { 'max-size': 'x', 'max-packets': 'x', image: ' x', capabilities: 'X', 'allow-host-network': 'x' }
    const times = { 'start-timeout': 'x', 'heartbeat-timeout': 'x', 'retention-days': 'x' }
    const rest = { 'spool-limit': 'x', 'artifact-name': '/', 'if-incomplete': 'x', 'if-empty': 'x', preflight: 'x' }
    const access = { cluster: 'Shop', endpoint: 'x' }
    const all = { ...wrong, ...more, ...times, ...rest, ...access }
    const { problems, message } = refused(all)
    expect(message).toMatch(/^24 inputs are invalid\. No resources were created\.\n/)
    expect(problems.map(({ input }) => input).sort()).toEqual(Object.keys(all).sort())
    for (const problem of problems) expect(message).toContain(`\n- ${renderProblem(problem)}`)
  })

  it('and shortens a long value', () => {
    expect(refused({ image: 'é'.repeat(10_000) }).message.length).toBeLessThan(1000)
  })
})

describe('the input node', () => {
  const readNode = (inputs: Record<string, string>): Request => readRequest((name) => inputs[name] ?? '')

  it('replaces the input pod', () => {
    expect(readNode({ level: 'node', node: 'gke-a-1.internal' }).target).toEqual({
      kind: 'node',
      name: 'gke-a-1.internal',
    })
  })

  it.each([
    [{ node: 'a' }, 'node: has no effect without `level: node`'],
    [{ level: 'node', node: 'a', pod: 'web-1' }, 'pod, node: both name what to capture'],
    [{ level: 'node', node: 'A b' }, 'node: "A b" is not valid. Use the name of a node.'],
    [{ level: 'node' }, 'pod: is not set'],
  ])('is rejected in %j: %s', (inputs, expected) => {
    expect(() => readNode(inputs)).toThrow(expected)
  })
})

describe('an input of a capture at node level', () => {
  it.each([
    ['node-method', 'ssh', { nodeMethod: 'ssh' }],
    ['node-method', 'pod', { nodeMethod: 'pod' }],
    ['node-namespace', 'net-ops', { nodeNamespace: 'net-ops' }],
    ['toolbox-image', 'gcr.io/x/tools:1', { toolboxImage: 'gcr.io/x/tools:1' }],
  ])('%s: %s is accepted, and rejected at pod level with the fix', (name, text, expected) => {
    expect(read({ level: 'node', [name]: text })).toMatchObject(expected)
    const problems = [
      {
        ...{ code: 'E_INPUT_UNUSED', input: name, problem: 'has no effect without `level: node`' },
        fix: `Set \`level: node\`, or remove \`${name}\`.`,
      },
    ]
    expect(refused({ [name]: text }).problems).toEqual(problems)
    expect(refused({ level: 'pod', [name]: text }).problems).toEqual(problems)
    expect(refused({ level: 'cluster', [name]: text }).message).not.toContain(name)
  })

  it('rejects toolbox-image when no toolbox is used', () => {
    const image = { level: 'node', 'toolbox-image': 'tools:1' }
    expect(refused({ ...image, 'node-method': 'pod' }).problems).toMatchObject([
      { code: 'E_INPUT_UNUSED', input: 'toolbox-image', problem: 'has no effect with `node-method: pod`' },
    ])
    for (const method of ['', 'auto', 'ssh'])
      expect(read({ ...image, 'node-method': method }).toolboxImage).toBe('tools:1')
  })

  it.each(['tools', 'tools:1', 'host:5000/a/b_c__d-e.f:V1.2_x', 'localhost/x', '10.0.0.1:5000/x'])(
    'accepts toolbox-image: %s in the input and in the toolbox command',
    (image) => {
      expect(read({ level: 'node', 'toolbox-image': image }).toolboxImage).toBe(image)
      const tool = { kind: 'toolbox', path: '/t', image } as const
      const [name, tag] = toolboxCommand({ root: 'already', tool, argv: [] }).slice(5)
      expect(`${String(name)}:${String(tag)}`).toBe(image.replace(/^[^:]*$|\/x$/, '$&:latest'))
    },
  )

  it.each([
    ...[
      'Gcr.IO/x:Y',
      'Tools',
      'a/B',
      `a/b@sha256:${'0'.repeat(64)}`,
      `a:1@sha256:${'0'.repeat(64)}`,
      'a:sha256:0',
      '-a',
    ],
    ...['a b', 'a:$(id)', 'a//b', 'a/', 'a:', 'a'.repeat(513)],
  ])('rejects toolbox-image: %s in the input and in the toolbox command', (image) => {
    expect(refused({ level: 'node', 'toolbox-image': image }).problems).toMatchObject([
      { code: 'E_INPUT_INVALID', input: 'toolbox-image' },
    ])
    const tool = { kind: 'toolbox', path: '/t', image } as const
    expect(() => toolboxCommand({ root: 'already', tool, argv: [] })).toThrow(/^toolbox-image: /)
  })
})

describe('action.yml', () => {
  it('is a node24 action with main and post, a branding and no local address', () => {
    expect(action.runs).toEqual({ using: 'node24', main: 'dist/index.js', post: 'dist/post.js' })
    expect(action.branding).toEqual({ icon: expect.any(String) as string, color: expect.any(String) as string })
    expect(action.name.length).toBeGreaterThan(5)
    expect(action.description.length).toBeLessThanOrEqual(125)
    expect(actionText).not.toMatch(/\/work\/|localhost|127\.0\.0\.1/)
  })

  it('describes every input and every output in complete sentences', () => {
    for (const [name, { description = '' }] of Object.entries({ ...action.inputs, ...action.outputs })) {
      expect({ name, ends: /^[A-Z`].*[.]$/s.test(description.trim()) }).toEqual({ name, ends: true })
    }
    expect(Object.keys(action.outputs)).toEqual([
      ...['verdict', 'verdict-reason', 'stop-reason', 'packets', 'bytes', 'dropped', 'pcap-path'],
      ...['artifact-id', 'artifact-url', 'artifact-digest'],
      ...['diagnosis', 'culprit', 'severity', 'findings', 'findings-path', 'result', 'error-code'],
    ])
  })

  it('requires no single input (a pod or a node), and has only strings as defaults', () => {
    const required = Object.keys(action.inputs).filter((name) => action.inputs[name]?.required === true)
    expect(required).toEqual([])
    for (const [name, input] of Object.entries(action.inputs)) {
      expect({ name, type: typeof input.default }).toEqual({ name, type: 'string' })
    }
  })

  it('declares the same inputs as the code reads', () => {
    const asked = new Set<string>()
    for (const selector of ['kubeconfig', 'api-server', 'cluster']) {
      const ask = (name: string): string => {
        asked.add(name)
        return (
          {
            pod: 'web-1',
            [selector]: selector === 'api-server' ? 'https://k8s.example' : 'projects/p/locations/l/clusters/c',
            token: selector === 'api-server' ? 't' : '',
          }[name] ?? ''
        )
      }
      readRequest(ask)
    }
    expect([...asked].sort()).toEqual(Object.keys(action.inputs).sort())
  })
})
