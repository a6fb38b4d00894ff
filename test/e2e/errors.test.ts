import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openWorkplace, type RunResult, type RunOptions, type Workplace } from './action.ts'
import {
  apply,
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
  type Manifest,
} from './cluster.ts'
import { images } from './images.ts'
import { discardPort } from './traffic.ts'
import { startSilentServer } from './silent-server.ts'

/** A filter that no packet matches. */
const nothing = `udp port ${String(discardPort)}`

let namespace: string
let work: Workplace
let folder: string

beforeAll(async () => {
  work = await openWorkplace()
  folder = mkdtempSync(join(tmpdir(), 'packet-capture-errors-'))
  namespace = await createNamespace('errors')
  const onNoNode = { nodeName: 'no-such-node' }
  await apply([
    podManifest(namespace, 'web'),
    podManifest(namespace, 'payments'),
    podManifest(namespace, 'slow'),
    podManifest(namespace, 'without-net-raw'),
    podManifest(namespace, 'done', { command: ['true'], spec: { restartPolicy: 'Never' } }),
    podManifest(namespace, 'stuck', { spec: { nodeSelector: { 'no-such': 'label' } } }),
    podManifest(namespace, 'node-wide', { command: ['sleep', '1000000'], spec: { hostNetwork: true } }),
    podManifest(namespace, 'windows', { spec: { ...onNoNode, nodeSelector: { 'kubernetes.io/os': 'windows' } } }),
  ])
  await podAddresses(namespace, 'web', 'payments', 'slow', 'without-net-raw', 'node-wide')
  await until('the end of pod done', 30_000, async () =>
    (await getPod(namespace, 'done')).status.phase === 'Succeeded' ? true : undefined,
  )
}, 120_000)

afterAll(async () => {
  await deleteNamespace(namespace)
  rmSync(folder, { recursive: true, force: true })
  await work?.close()
}, 30_000)

/** The message of a failed step. Checks that it has no other annotation, no stack trace and no artifact, and that it ends immediately. */
function failure({ main, post }: RunResult): string {
  expect(main.exitCode).toBe(1)
  expect(main.annotations.map(({ level }) => level)).toEqual(['error'])
  expect(`${main.stdout}${main.stderr}`).not.toMatch(/^\s+at .*[:(]\d/m)
  expect(main.outputs['artifact-id'] ?? '').toBe('')
  expect(main.endedAfterLastLineMs).toBeLessThan(5_000)
  expect(post.exitCode).toBe(0)
  return main.annotations[0]?.message ?? ''
}

/** Runs with an invalid input and checks that the pod does not change. */
async function refused(inputs: Record<string, string>, options?: RunOptions): Promise<string> {
  const pod = inputs['pod'] ?? 'web'
  const inside = inputs['namespace'] ?? namespace
  const look = (): Promise<unknown> => ephemeralNames(inside, pod).catch(() => 'no such pod')
  const before = await look()
  const message = failure(await work.run({ pod, namespace, duration: '1s', ...inputs }, options))
  expect(await look()).toEqual(before)
  return message
}

/** Runs with an error that only the pod can detect. The error must name the ephemeral container that stays, in the given state. */
async function refusedInPod(
  inputs: Record<string, string>,
  left: 'waiting' | 'terminated',
  options?: RunOptions,
): Promise<string> {
  const pod = inputs['pod'] ?? 'web'
  const message = failure(await work.run({ pod, namespace, duration: '1s', ...inputs }, options))
  const container = /packet-capture-[0-9a-f]+-[0-9a-f]+/.exec(message)?.[0] ?? 'none is named'
  const status = await until(`the state ${left} of ${container}`, 15_000, async () => {
    const now = (await getPod(namespace, pod)).status
    const found = now.ephemeralContainerStatuses?.find(({ name }) => name === container)
    return found?.state[left] === undefined ? undefined : found
  })
  expect(status.restartCount).toBe(0)
  return message
}

describe('invalid inputs', () => {
  it('are all reported at once, before anything is contacted', async () => {
    const message = await refused(
      { pod: 'Web!', duration: '7h', level: 'cluster', 'if-empty': 'fail' },
      { env: { KUBECONFIG: join(folder, 'is-never-read') } },
    )
    for (const name of ['pod', 'duration', 'level', 'if-empty'])
      expect(message).toMatch(new RegExp(`^- ${name}: ".*" is not valid`, 'm'))
  })
})

describe('a pod', () => {
  it('that does not exist is reported with similar names', async () => {
    expect(await refused({ pod: 'payment' })).toMatch(
      /^pod: there is no pod "payment" in .* Pods with similar names: payments/,
    )
  })
  it('of a deployment that does not exist is reported with the permission to find it', async () => {
    expect(await refused({ pod: 'deployment/shop' })).toMatch(/^pod: there is no deployment "shop"[^]*get deployments/)
  })
  it('that is completed is rejected', async () => {
    expect(await refused({ pod: 'done' })).toMatch(
      /^pod: "done" has ended \(Succeeded\)[^]*No resources were created\./,
    )
  })
  it('that is pending is rejected', async () => {
    expect(await refused({ pod: 'stuck' })).toMatch(/^pod: "stuck" is not running \(Pending\)[^]*describe pod stuck/)
  })
  it('with three problems is rejected with all of them at once', async () => {
    const spec = { nodeSelector: { 'no-such': 'label' }, hostNetwork: true }
    await apply([podManifest(namespace, 'stuck-wide', { spec })])
    const label = 'pod-security.kubernetes.io/enforce'
    await kubectl(['label', 'namespace', namespace, `${label}=restricted`])
    try {
      const message = await refused({ pod: 'stuck-wide' })
      expect(message).toMatch(/^Preflight failed with 3 problems\. No resources were created\.\n/)
      for (const words of ['is not running (Pending)', 'uses the network of its node', 'violates PodSecurity'])
        expect(message).toContain(words)
    } finally {
      await kubectl(['label', 'namespace', namespace, `${label}-`])
    }
  })
  it('on a Windows node is rejected', async () => {
    await pretendRunning('windows')
    expect(await refused({ pod: 'windows' })).toMatch(/^pod: "windows" runs on a Windows node/)
  })
  it('that is static is rejected', async () => {
    // Looks like the mirror pod of a static pod, on a node without a kubelet that would delete it.
    const pod = podManifest(namespace, 'static', { spec: { nodeName: 'no-such-node' } })
    Object.assign(pod['metadata'] as Manifest, { annotations: { 'kubernetes.io/config.mirror': 'hash' } })
    await apply([pod])
    await pretendRunning('static')
    expect(await refused({ pod: 'static' })).toMatch(/^pod: "static" is a static pod/)
  })
  it('with the network of its node is rejected, and captured with allow-host-network', async () => {
    expect(await refused({ pod: 'node-wide' })).toMatch(
      /^pod: "node-wide" uses the network of its node[^]*allow-host-network: true/,
    )
    const { main } = await work.run({
      ...{ pod: 'node-wide', namespace, duration: '1s', filter: nothing, 'if-empty': 'ignore' },
      'allow-host-network': 'true',
    })
    expect(main).toMatchObject({ exitCode: 0, annotations: [] })
  }, 30_000)

  /** Sets the phase, because the pod's node does not exist and has no kubelet. */
  async function pretendRunning(pod: string): Promise<void> {
    const patch = JSON.stringify({ status: { phase: 'Running' } })
    await kubectl(['-n', namespace, 'patch', 'pod', pod, '--subresource=status', '--type=merge', '-p', patch])
  }
})

describe('Pod Security', () => {
  const restricted = {
    ...{ runAsNonRoot: true, runAsUser: 1000, allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
    seccompProfile: { type: 'RuntimeDefault' },
  }
  it.each([
    ['restricted', {}, /pod-security\.kubernetes\.io\/enforce=baseline/],
    ['restricted', { capabilities: 'NET_RAW' }, /=baseline on the namespace and leave the input `capabilities` empty/],
    ['baseline', { capabilities: 'NET_RAW' }, /Leave the input `capabilities` empty(?![^]*=baseline)/],
  ])(
    '%s is reported with the message of the API server and the fix',
    async (level, inputs, fix) => {
      const strict = await createNamespace(level, { 'pod-security.kubernetes.io/enforce': level })
      try {
        await apply([podManifest(strict, 'web', { container: { securityContext: restricted } })])
        await podAddresses(strict, 'web')
        const message = await refused({ namespace: strict, ...inputs })
        expect(message).toMatch(new RegExp(`^namespace: "${strict}" enforces`))
        expect(message).toContain(`violates PodSecurity "${level}:latest"`)
        expect(message).toMatch(fix)
        expect(message).toContain('No resources were created.')
      } finally {
        await deleteNamespace(strict)
      }
    },
    60_000,
  )

  it('baseline allows a capture, as documented', async () => {
    const base = await createNamespace('baseline', { 'pod-security.kubernetes.io/enforce': 'baseline' })
    try {
      await apply([podManifest(base, 'web')])
      await podAddresses(base, 'web')
      const { main } = await work.run({
        ...{ pod: 'web', namespace: base, duration: '1s', filter: nothing, 'if-empty': 'ignore' },
      })
      expect(main).toMatchObject({ exitCode: 0, annotations: [], outputs: { verdict: 'empty' } })
    } finally {
      await deleteNamespace(base)
    }
  }, 60_000)
})

describe('a missing permission', () => {
  const rules = [
    { right: 'get pods', apiGroups: [''], resources: ['pods'], verbs: ['get'] },
    {
      right: 'patch pods/ephemeralcontainers',
      apiGroups: [''],
      resources: ['pods/ephemeralcontainers'],
      verbs: ['patch'],
    },
    { right: 'get pods/exec', apiGroups: [''], resources: ['pods/exec'], verbs: ['get'] },
    { right: 'create pods/exec', apiGroups: [''], resources: ['pods/exec'], verbs: ['create'] },
  ]

  /** The kubeconfig of a service account with exactly these permissions. */
  async function userWith(name: string, allowed: readonly (typeof rules)[number][]): Promise<string> {
    const metadata = { name, namespace }
    const api = 'rbac.authorization.k8s.io'
    await apply([
      { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
      {
        apiVersion: `${api}/v1`,
        kind: 'Role',
        metadata,
        rules: allowed.map(({ apiGroups, resources, verbs }) => ({ apiGroups, resources, verbs })),
      },
      {
        ...{ apiVersion: `${api}/v1`, kind: 'RoleBinding', metadata },
        roleRef: { apiGroup: api, kind: 'Role', name },
        subjects: [{ kind: 'ServiceAccount', name, namespace }],
      },
    ])
    const token = (await kubectl(['-n', namespace, 'create', 'token', name])).trim()
    const first = allowed[0]
    if (first) {
      const [verb = '', resource = ''] = first.right.split(' ')
      const who = `--as=system:serviceaccount:${namespace}:${name}`
      await until(`the permissions of ${name}`, 15_000, async () => {
        const [plain = '', subresource = ''] = resource.split('/')
        const question = ['auth', 'can-i', verb, plain, `--subresource=${subresource}`, who]
        const answer = await kubectl(['-n', namespace, ...question]).catch(() => 'no')
        return answer.trim() === 'yes' ? true : undefined
      })
    }
    return kubeconfigWith({ user: { token }, namespace })
  }

  it.each(rules.map((rule, i) => [rule.right, rule, i] as const))(
    '%s is reported',
    async (right, missing, i) => {
      const kubeconfig = await userWith(
        `without-${String(i)}`,
        rules.filter((rule) => rule !== missing),
      )
      const message = await refused({ kubeconfig })
      expect(message).toMatch(/^kubeconfig: its user "system:serviceaccount:/)
      expect(message).toContain(`lacks permissions in the namespace "${namespace}":\n    ${right}\n`)
      expect(message).toMatch(/Role/)
    },
    30_000,
  )

  it('is not reported with all of them: the action needs no others', async () => {
    const kubeconfig = await userWith('with-all', rules)
    const { main } = await work.run(
      { pod: 'web', filter: nothing, duration: '1s', 'if-empty': 'ignore', kubeconfig },
      { withoutKubeconfig: true },
    )
    expect(main).toMatchObject({ exitCode: 0, annotations: [], outputs: { verdict: 'empty' } })
  }, 30_000)

  it('for the deployment is reported', async () => {
    const kubeconfig = await userWith('without-deployments', rules)
    const message = failure(await work.run({ pod: 'deployment/shop', namespace, kubeconfig }))
    expect(message).toMatch(
      /^kubeconfig: its user "\S+" lacks permissions in the namespace "\S+":\n *list pods\n *get deployments\n[^]*Role/,
    )
  }, 30_000)
})

describe('a kubeconfig is rejected if it', () => {
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }

  it('does not exist in the default location', async () => {
    const message = await refused({}, { withoutKubeconfig: true })
    expect(message).toMatch(/^kubeconfig: there is no file ".*\/\.kube\/config"\. Set the input `kubeconfig`/)
  })
  it('does not exist at the path of the input', async () => {
    const path = join(folder, 'missing')
    expect(await refused({ kubeconfig: path })).toMatch(/^kubeconfig: there is no file ".*\/missing"/)
  })
  it('does not exist at the path in KUBECONFIG', async () => {
    const message = await refused({}, { env: { KUBECONFIG: join(folder, 'missing') } })
    expect(message).toMatch(/^kubeconfig: there is no file ".*\/missing" \(KUBECONFIG\)/)
  })
  it.each([
    ['is not YAML', 'clusters: [\n  nothing closes this'],
    ['is YAML but not a kubeconfig', '- a\n- list\n'],
    ['has no clusters', 'apiVersion: v1\nkind: Config\n'],
  ])('%s', async (name, text) => {
    for (const kubeconfig of [text, file(name.replace(/\W/g, '-'), text)]) {
      expect(await refused({ kubeconfig })).toMatch(/^kubeconfig: /)
    }
  })
  it('does not have the context', async () => {
    expect(await refused({ context: 'production' })).toMatch(
      /^context: .* has no context "production"\. Its contexts are: \w+/,
    )
  })
  it('needs a missing exec plugin, which is named with its installation', async () => {
    const user = {
      exec: {
        apiVersion: 'client.authentication.k8s.io/v1',
        command: 'gke-gcloud-auth-plugin',
        interactiveMode: 'Never',
      },
    }
    const message = await refused({ kubeconfig: kubeconfigWith({ user }) }, { env: { PATH: folder } })
    expect(message).toMatch(/^kubeconfig: .*`gke-gcloud-auth-plugin`[^]*gcloud components install/)
  })
  it('has an exec plugin that fails, with the output of the plugin', async () => {
    const user = {
      exec: {
        apiVersion: 'client.authentication.k8s.io/v1',
        command: 'sh',
        args: ['-c', 'echo log in first >&2; exit 1'],
        interactiveMode: 'Never',
      },
    }
    expect(await refused({ kubeconfig: kubeconfigWith({ user }) })).toMatch(/^kubeconfig: .*`sh`[^]*log in first/)
  })
  it('names an API server that does not respond', async () => {
    const kubeconfig = kubeconfigWith({ cluster: { server: 'https://127.0.0.1:1' } })
    expect(await refused({ kubeconfig })).toMatch(
      /^kubeconfig: the API server 127\.0\.0\.1:1 .*cannot be reached \(.*ECONNREFUSED/,
    )
  })
  it('trusts another certificate authority than that of the API server', async () => {
    const cluster = { 'certificate-authority': undefined, 'certificate-authority-data': undefined }
    expect(await refused({ kubeconfig: kubeconfigWith({ cluster }) })).toMatch(
      /^kubeconfig: .*certificate-authority-data/,
    )
  })
  it('has a token that has expired or belongs to another cluster', async () => {
    const kubeconfig = kubeconfigWith({ user: { token: 'of-another-cluster' } })
    const run = await work.run({ pod: 'web', namespace, kubeconfig })
    expect(failure(run)).toMatch(/^kubeconfig: .*rejects the credentials \(401/)
    expect(run.main.log).not.toContain('of-another-cluster')
  })
})

describe('an invalid filter', () => {
  it('is rejected on a runner with tcpdump, before anything is created', async () => {
    const message = await refused({ filter: 'tcp prot 80' })
    expect(message).toMatch(
      /^filter: tcpdump rejects "tcp prot 80" for the interface [^]*syntax error[^]*No resources were created/,
    )
  })
  it('is checked for the link type of the interface', async () => {
    const filter = 'ether host 02:00:00:00:00:01'
    expect(await refused({ filter })).toMatch(/^filter: tcpdump rejects "ether host 02:00:00:00:00:01"/)
    const { main } = await work.run({
      pod: 'web',
      namespace,
      filter,
      interface: 'eth0',
      duration: '1s',
      'if-empty': 'ignore',
    })
    expect(main).toMatchObject({ exitCode: 0, annotations: [] })
  }, 30_000)
  it('is rejected by tcpdump in the pod where the runner has no tcpdump', async () => {
    const message = await refusedInPod({ filter: 'tcp prot 80' }, 'terminated', { env: { PATH: folder } })
    expect(message).toMatch(
      /^filter: the tcpdump in the pod rejects "tcp prot 80": [^]*syntax error[^]*pcap-filter\(7\)/,
    )
  }, 30_000)
})

describe('an error that only the pod can detect', () => {
  it('is an interface that the pod does not have', async () => {
    const message = await refusedInPod({ interface: 'nope0' }, 'terminated')
    expect(message).toMatch(
      /^interface: tcpdump cannot record on "nope0"[^]*the interfaces are: eth0 lo\. Use any, or one of the interfaces of the pod/,
    )
  }, 30_000)

  it('is an image without tcpdump, or without a shell', async () => {
    const [noTcpdump, noShell] = await Promise.all([
      refusedInPod({ image: images.app }, 'terminated'),
      refusedInPod({ image: images.distroless, pod: 'payments' }, 'waiting'),
    ])
    expect(noTcpdump).toMatch(/^image: "[^"]+" cannot record: the image has no tcpdump[^]*Use an image/)
    expect(noShell).toMatch(/^image: .*"sh"/s)
  }, 30_000)

  it('is an image that cannot be pulled', async () => {
    const message = await refusedInPod({ image: '127.0.0.1:1/none:1' }, 'waiting')
    expect(message).toMatch(
      /^image: node \S+ cannot start "127\.0\.0\.1:1\/none:1" \((ErrImagePull|ImagePullBackOff): [^]*pull secrets/,
    )
  }, 120_000)

  const elsewhere =
    testClusterState === undefined ? ' (skipped: TESTCLUSTER_RUN is not set; the node must be this machine)' : ''
  const here = elsewhere === '' ? it : it.skip
  here(
    `is a container that does not start within start-timeout${elsewhere}`,
    async () => {
      const registry = await startSilentServer()
      try {
        const image = `127.0.0.1:${String(registry.port)}/large:1`
        const message = await refusedInPod({ image, 'start-timeout': '5s', pod: 'slow' }, 'waiting')
        expect(message).toMatch(
          /^start-timeout: the recorder packet-capture-\S+ did not start within 5 s[^]*Raise `start-timeout`/,
        )
      } finally {
        registry.close()
      }
    },
    60_000,
  )

  it('is a runtime that does not grant NET_RAW', async () => {
    const policy = await withoutNetRaw()
    if (policy === undefined) return // logged in withoutNetRaw
    try {
      const message = await refusedInPod({ pod: 'without-net-raw' }, 'terminated')
      expect(message).toMatch(/^capabilities: tcpdump may not open a packet socket[^]*Set `capabilities: NET_RAW`/)
    } finally {
      await policy()
    }
  }, 60_000)
})

/**
 * Simulates a runtime whose default capabilities do not include NET_RAW: an admission policy drops it from the first ephemeral container of
 * each pod in the namespace.
 * @returns a function that removes the policy; undefined if the API server does not support such policies
 */
async function withoutNetRaw(): Promise<(() => Promise<void>) | undefined> {
  const versions = await kubectl(['api-versions'])
  const version = ['v1', 'v1beta1']
    .map((one) => `admissionregistration.k8s.io/${one}`)
    .find((one) => versions.includes(`${one}\n`))
  const known = await kubectl(['api-resources', '--api-group=admissionregistration.k8s.io', '-o', 'name'])
  if (version === undefined || !known.includes('mutatingadmissionpolicies')) {
    console.info('errors: a missing NET_RAW is not tested: this API server has no mutating admission policies')
    return undefined
  }
  const name = `no-net-raw-${namespace}`
  await apply([
    {
      ...{ apiVersion: version, kind: 'MutatingAdmissionPolicy', metadata: { name } },
      spec: {
        failurePolicy: 'Fail',
        reinvocationPolicy: 'Never',
        matchConstraints: {
          resourceRules: [
            { apiGroups: [''], apiVersions: ['v1'], operations: ['UPDATE'], resources: ['pods/ephemeralcontainers'] },
          ],
        },
        mutations: [
          {
            patchType: 'JSONPatch',
            jsonPatch: {
              expression:
                '[JSONPatch{op: "add", path: "/spec/ephemeralContainers/0/securityContext/capabilities", ' +
                'value: Object.spec.ephemeralContainers.securityContext.capabilities{drop: ["NET_RAW"]}}]',
            },
          },
        ],
      },
    },
    {
      ...{ apiVersion: version, kind: 'MutatingAdmissionPolicyBinding', metadata: { name } },
      spec: {
        policyName: name,
        matchResources: { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } } },
      },
    },
  ])
  // A policy becomes active shortly after its creation.
  const path = `/api/v1/namespaces/${namespace}/pods/without-net-raw`
  const trial = {
    name: 'trial',
    image: 'trial',
    terminationMessagePolicy: 'File',
    imagePullPolicy: 'Always',
    securityContext: {},
  }
  await until('the policy', 30_000, async () => {
    const pod = JSON.parse(await kubectl(['get', '--raw', path])) as { spec: Manifest }
    pod.spec['ephemeralContainers'] = [trial]
    const dryRun = ['replace', '--raw', `${path}/ephemeralcontainers?dryRun=All`, '-f', '-']
    return (await kubectl(dryRun, { input: JSON.stringify(pod) })).includes('NET_RAW') ? true : undefined
  })
  return async () => {
    for (const kind of ['mutatingadmissionpolicybinding', 'mutatingadmissionpolicy']) {
      await kubectl(['delete', kind, name, '--ignore-not-found'])
    }
  }
}
