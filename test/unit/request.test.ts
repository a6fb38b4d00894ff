import { readFileSync } from 'node:fs'
import { load } from 'js-yaml'
import { ConfigurationError } from '../../src/errors.ts'
import { toolboxCommand, type NodeFacts } from '../../src/google/node-tools.ts'
import { readRequest, type Request } from '../../src/request.ts'

interface ActionFile {
  name: string
  description: string
  branding: { icon: string; color: string }
  inputs: Record<string, { description?: string; required?: boolean; default?: string | number | boolean }>
  outputs: Record<string, { description?: string; value?: unknown }>
  runs: { using: string; main: string; post: string }
}
const actionText = readFileSync(new URL('../../action.yml', import.meta.url), 'utf8')
const action = load(actionText) as ActionFile

/** The request of a workflow that says `inputs` and nothing else; the defaults are not action.yml's but the code's own. */
const read = (inputs: Record<string, string>): Request =>
  readRequest((name) => ({ pod: 'web-1', ...inputs })[name] ?? '')

const refusal = (inputs: Record<string, string>): string => {
  try {
    read(inputs)
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigurationError)
    return (error as Error).message
  }
  throw new Error(`accepted: ${JSON.stringify(inputs)}`)
}

describe('defaults', () => {
  it('are what the issue says when nothing but the pod is given', () => {
    expect(read({})).toMatchObject({
      target: { kind: 'pod', name: 'web-1' },
      namespace: undefined,
      level: 'pod',
      nodeMethod: 'auto',
      nodeNamespace: 'packet-capture',
      limits: { duration: 60, size: 1_000_000_000, packets: undefined },
      filter: '',
      interface: 'any',
      snaplen: 262144,
      image:
        'docker.io/nicolaka/netshoot:v0.14@sha256:7f08c4aff13ff61a35d30e30c5c1ea8396eac6ab4ce19fd02d5a4b3b5d0d09a2',
      capabilities: [],
      allowHostNetwork: false,
      access: { kind: 'kubeconfig', source: { kind: 'default' }, context: undefined },
      preflight: 'on',
      startTimeout: 120,
      ownerTimeout: 60,
      spoolLimit: 64_000_000,
      artifactName: undefined,
      retentionDays: undefined,
      ifIncomplete: 'warn',
      ifEmpty: 'warn',
    })
  })

  it('are the same in action.yml and for an empty input, so that a workflow can hand on an input of its own that is empty', () => {
    const declared = Object.fromEntries(
      Object.entries(action.inputs).map(([name, input]) => [name, String(input.default ?? '')]),
    )
    const given = readRequest((name) => (name === 'pod' ? 'web-1' : (declared[name] ?? '')))
    const empty = readRequest((name) => (name === 'pod' ? 'web-1' : ''))
    expect(given).toEqual(empty)
  })

  it('cannot be changed afterwards', () => {
    const request = read({})
    expect(Object.isFrozen(request)).toBe(true)
    expect(Object.isFrozen(request.limits)).toBe(true)
    expect(() => Object.assign(request.limits, { duration: 1 })).toThrow(TypeError)
  })
})

describe('accepted', () => {
  it.each<[string, string, Partial<Request>]>([
    ['pod', 'pod/web-1', { target: { kind: 'pod', name: 'web-1' } }],
    ['pod', 'pods/web-1.blue', { target: { kind: 'pod', name: 'web-1.blue' } }],
    ['pod', 'deployment/checkout', { target: { kind: 'deployment', name: 'checkout' } }],
    ['pod', 'deploy/checkout', { target: { kind: 'deployment', name: 'checkout' } }],
    ['pod', 'deployments/checkout', { target: { kind: 'deployment', name: 'checkout' } }],
    ['pod', 'a'.repeat(253), { target: { kind: 'pod', name: 'a'.repeat(253) } }],
    ['namespace', 'shop-2', { namespace: 'shop-2' }],
    ['level', 'pod', { level: 'pod' }],
    ['level', 'node', { level: 'node' }],
    ['node-method', 'auto', { nodeMethod: 'auto' }],
    ['node-namespace', 'packet-capture', { nodeNamespace: 'packet-capture' }],
    ['filter', 'tcp port 8080 and host 10.0.0.1', { filter: 'tcp port 8080 and host 10.0.0.1' }],
    ['filter', '$(reboot); `id`', { filter: '$(reboot); `id`' }],
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
      { access: { kind: 'kubeconfig', source: { kind: 'path', path: 'ci/kubeconfig.yaml' }, context: undefined } },
    ],
    ['context', 'prod eu/1', { access: { kind: 'kubeconfig', source: { kind: 'default' }, context: 'prod eu/1' } }],
    ['preflight', 'only', { preflight: 'only' }],
    ['preflight', 'on', { preflight: 'on' }],
    ['start-timeout', '5', { startTimeout: 5 }],
    ['start-timeout', '1h', { startTimeout: 3600 }],
    ['owner-timeout', '20', { ownerTimeout: 20 }],
    ['owner-timeout', '1h', { ownerTimeout: 3600 }],
    ['spool-limit', '8MB', { spoolLimit: 8_000_000 }],
    ['spool-limit', '10GB', { spoolLimit: 10_000_000_000 }],
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
    const { duration, size, packets } = read({ [name]: text }).limits
    expect({ duration, 'max-size': size, 'max-packets': packets }[name]).toBe(value)
  })
})

describe('refused, with the name, what it got and what it takes', () => {
  it.each([
    ['pod', ''],
    ['pod', 'Web_1'],
    ['pod', 'a/b/c'],
    ['pod', 'statefulset/db'],
    ['pod', 'deployment/'],
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
    ['filter', 'tcp\nport 80'],
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
    ['owner-timeout', '19'],
    ['owner-timeout', '1h1s'],
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
    const message = refusal({ [name]: text })
    expect(message).toMatch(/^An input is wrong; nothing was contacted\.\n/)
    const got = text === '' ? 'nothing' : text.length > 200 ? text.slice(0, 50) : JSON.stringify(text)
    expect(message).toContain(`  ${name}: got `)
    expect(message).toContain(got)
    expect(message).toContain(', takes ')
    expect(message.split('\n')).toHaveLength(2)
  })

  it('all of them at once', () => {
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
    const times = { 'start-timeout': 'x', 'owner-timeout': 'x', 'retention-days': 'x' }
    const rest = { 'spool-limit': 'x', 'artifact-name': '/', 'if-incomplete': 'x', 'if-empty': 'x', preflight: 'x' }
    const access = { cluster: 'Shop', endpoint: 'x' }
    const all = { ...wrong, ...more, ...times, ...rest, ...access }
    const message = refusal(all)
    expect(message).toMatch(/^24 inputs are wrong; nothing was contacted\.\n/)
    for (const name of Object.keys(all)) expect(message).toContain(`\n  ${name}: got `)
  })

  it('a long text is not repeated whole', () => {
    expect(refusal({ image: 'é'.repeat(10_000) }).length).toBeLessThan(1000)
  })
})

describe('a node by its own name', () => {
  const readNode = (inputs: Record<string, string>): Request => readRequest((name) => inputs[name] ?? '')

  it('stands in the place of a pod', () => {
    expect(readNode({ level: 'node', node: 'gke-a-1.internal' }).target).toEqual({
      kind: 'node',
      name: 'gke-a-1.internal',
    })
  })

  it.each([
    [{ node: 'a' }, 'node: goes with `level: node`'],
    [{ level: 'node', node: 'a', pod: 'web-1' }, 'pod, node: each of them names what to capture'],
    [{ level: 'node', node: 'A b' }, 'node: got "A b", takes the name of a node'],
    [{ level: 'node' }, 'pod: got nothing'],
  ])('%j is refused: %s', (inputs, words) => {
    expect(() => readNode(inputs)).toThrow(words)
  })
})

describe('an input of a capture at node level', () => {
  it.each([
    ['node-method', 'ssh', { nodeMethod: 'ssh' }],
    ['node-method', 'pod', { nodeMethod: 'pod' }],
    ['node-namespace', 'net-ops', { nodeNamespace: 'net-ops' }],
    ['toolbox-image', 'gcr.io/x/tools:1', { toolboxImage: 'gcr.io/x/tools:1' }],
  ])('%s: %s is taken there, and refused at pod level with the fix', (name, text, expected) => {
    expect(read({ level: 'node', [name]: text })).toMatchObject(expected)
    const words = `An input is wrong; nothing was contacted.\n  ${name}: goes with \`level: node\`, which is not set; set it, or leave ${name} out`
    expect(refusal({ [name]: text })).toBe(words)
    expect(refusal({ level: 'pod', [name]: text })).toBe(words)
    expect(refusal({ level: 'cluster', [name]: text })).not.toContain(name)
  })

  it('toolbox-image is refused where no toolbox is used', () => {
    const image = { level: 'node', 'toolbox-image': 'tools:1' }
    expect(refusal({ ...image, 'node-method': 'pod' })).toMatch(
      /\n {2}toolbox-image: goes with `node-method` ssh or auto/,
    )
    for (const method of ['', 'auto', 'ssh'])
      expect(read({ ...image, 'node-method': method }).toolboxImage).toBe('tools:1')
  })

  it.each(['tools', 'tools:1', 'host:5000/a/b_c__d-e.f:V1.2_x', 'localhost/x', '10.0.0.1:5000/x'])(
    'toolbox-image: %s is taken, and is what the toolbox takes',
    (image) => {
      expect(read({ level: 'node', 'toolbox-image': image }).toolboxImage).toBe(image)
      const facts = { root: 'already' } as NodeFacts
      const [name, tag] = toolboxCommand(facts, { kind: 'toolbox', path: '/t', image }, []).slice(5)
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
  ])('toolbox-image: %s is refused before anything is made', (image) => {
    expect(refusal({ level: 'node', 'toolbox-image': image })).toContain('  toolbox-image: got ')
    const facts = { root: 'already' } as NodeFacts
    expect(() => toolboxCommand(facts, { kind: 'toolbox', path: '/t', image }, [])).toThrow(/^toolbox-image: /)
  })
})

describe('action.yml', () => {
  it('is a node24 action with both doors, a branding and no machine in it', () => {
    expect(action.runs).toEqual({ using: 'node24', main: 'dist/index.js', post: 'dist/post.js' })
    expect(action.branding).toEqual({ icon: expect.any(String) as string, color: expect.any(String) as string })
    expect(action.name.length).toBeGreaterThan(5)
    expect(action.description.length).toBeLessThanOrEqual(125)
    expect(actionText).not.toMatch(/\/work\/|localhost|127\.0\.0\.1/)
  })

  it('describes every input and every output', () => {
    for (const [name, { description = '' }] of Object.entries({ ...action.inputs, ...action.outputs })) {
      expect({ name, ends: /^[A-Z`].*[.]$/s.test(description.trim()) }).toEqual({ name, ends: true })
    }
    expect(Object.keys(action.outputs)).toEqual([
      ...['verdict', 'verdict-reason', 'stop-reason', 'packets', 'bytes', 'dropped', 'pcap-path'],
      ...['artifact-id', 'artifact-url', 'artifact-digest', 'result'],
    ])
  })

  it('requires nothing by itself (a pod or a node), and only texts stand as defaults', () => {
    const required = Object.keys(action.inputs).filter((name) => action.inputs[name]?.required === true)
    expect(required).toEqual([])
    for (const [name, input] of Object.entries(action.inputs)) {
      expect({ name, type: typeof input.default }).toEqual({ name, type: 'string' })
    }
  })

  it('declares exactly the inputs that the code reads', () => {
    const asked = new Set<string>()
    for (const way of ['kubeconfig', 'api-server', 'cluster']) {
      const ask = (name: string): string => {
        asked.add(name)
        return (
          {
            pod: 'web-1',
            [way]: way === 'api-server' ? 'https://k8s.example' : 'projects/p/locations/l/clusters/c',
            token: way === 'api-server' ? 't' : '',
          }[name] ?? ''
        )
      }
      readRequest(ask)
    }
    expect([...asked].sort()).toEqual(Object.keys(action.inputs).sort())
  })
})
