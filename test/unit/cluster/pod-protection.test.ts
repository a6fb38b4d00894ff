import type { Container, Pod } from '../../../src/cluster/pod.ts'
import { podProtection } from '../../../src/cluster/pod-protection.ts'

type Spec = NonNullable<Pod['spec']>
const pod = (spec: Spec, container: Partial<Container> = {}): Pod => ({
  spec: { containers: [{ name: 'app', ...container }], ...spec },
})
const root = { securityContext: { runAsUser: 0 } }
const user = { securityContext: { runAsUser: 1_000 } }

describe('a recorder in the pod', () => {
  it.each<[string, Spec, Partial<Container>, string]>([
    ['of root', { shareProcessNamespace: true }, root, 'the container app shares the process namespace as root'],
    [
      'of an unknown user',
      { shareProcessNamespace: true },
      {},
      'the container app shares the process namespace and may run as root',
    ],
    [
      'of root, by the context of the pod',
      { shareProcessNamespace: true, securityContext: { runAsUser: 0 } },
      {},
      'the container app shares the process namespace as root',
    ],
    [
      'of root in its own context, against that of the pod',
      { shareProcessNamespace: true, securityContext: { runAsUser: 5, runAsNonRoot: true } },
      root,
      'the container app shares the process namespace as root',
    ],
    [
      'of root in a user namespace',
      { shareProcessNamespace: true, hostUsers: false },
      root,
      'the container app shares the process namespace as root',
    ],
    [
      'that sees the processes of the node',
      { hostPID: true },
      root,
      'the container app shares the process namespace of the node (hostPID) as root',
    ],
    [
      'that is privileged',
      {},
      { securityContext: { ...user.securityContext, privileged: true } },
      'the container app is privileged',
    ],
    [
      'with SYS_ADMIN',
      {},
      { securityContext: { runAsUser: 0, capabilities: { add: ['NET_RAW', 'CAP_SYS_ADMIN'] } } },
      'the container app has the capability SYS_ADMIN',
    ],
    [
      'with the root of the node',
      { volumes: [{ name: 'host', hostPath: { path: '/' } }] },
      { ...root, volumeMounts: [{ name: 'host' }] },
      'the container app mounts / of the node (hostPath)',
    ],
    [
      'with the socket of the container runtime, read-only',
      { volumes: [{ name: 'host', hostPath: { path: '/run/containerd/containerd.sock' } }] },
      { volumeMounts: [{ name: 'host', readOnly: true }] },
      'the container app mounts /run/containerd/containerd.sock of the node (hostPath)',
    ],
  ])('is not protected from a container %s', (_what, spec, container, expected) => {
    expect(podProtection(pod(spec, container)).inPod).toBe(expected)
  })

  it.each<[string, Spec, Partial<Container>]>([
    ['of root with processes of its own', {}, root],
    ['of another user that shares the process namespace', { shareProcessNamespace: true }, user],
    ['that must not run as root', { shareProcessNamespace: true }, { securityContext: { runAsNonRoot: true } }],
    [
      'of another user, by the context of the pod',
      { shareProcessNamespace: true, securityContext: { runAsUser: 7 } },
      {},
    ],
    ['of another user with the processes of the node', { hostPID: true }, user],
    ['that is privileged in a user namespace', { hostUsers: false }, { securityContext: { privileged: true } }],
    ['with NET_ADMIN', {}, { securityContext: { runAsUser: 0, capabilities: { add: ['NET_ADMIN'] } } }],
    [
      'with the logs of the node',
      { volumes: [{ name: 'logs', hostPath: { path: '/var/log' } }] },
      { ...root, volumeMounts: [{ name: 'logs' }] },
    ],
    [
      'with /etc of the node, read-only',
      { volumes: [{ name: 'etc', hostPath: { path: '/etc' } }] },
      { ...root, volumeMounts: [{ name: 'etc', readOnly: true }] },
    ],
  ])('is protected from a container %s', (_what, spec, container) => {
    expect(podProtection(pod(spec, container)).inPod).toBeUndefined()
  })

  it('is not protected from root in any container when its spool is in the /dev/shm of the pod', () => {
    expect(podProtection(pod({}, root))).toMatchObject({
      inPod: undefined,
      inSharedMemory: 'the container app shares /dev/shm, where the recorder had to put its spool, as root',
    })
    expect(podProtection(pod({}, user)).inSharedMemory).toBeUndefined()
  })

  it('is not protected from a sidecar, and is from an init container that has ended', () => {
    const spec = (restartPolicy?: string): Spec => ({
      shareProcessNamespace: true,
      initContainers: [{ name: 'init', ...root, ...(restartPolicy === undefined ? {} : { restartPolicy }) }],
    })
    expect(podProtection(pod(spec('Always'), user)).inPod).toMatch(/^the container init /)
    expect(podProtection(pod(spec(), user)).inPod).toBeUndefined()
  })
})

it('a recorder on the node is not protected from a pod with the power of the node, and is from the rest', () => {
  expect(podProtection(pod({ hostPID: true }, root)).onNode).toMatch(/hostPID/)
  expect(podProtection(pod({}, { securityContext: { privileged: true } })).onNode).toMatch(/privileged/)
  expect(podProtection(pod({ shareProcessNamespace: true }, root)).onNode).toBeUndefined()
})

it('bounds the names, and reads objects that are no pods', () => {
  const named = podProtection(pod({ shareProcessNamespace: true }, { name: `\u202e${'x'.repeat(900)}` })).inPod
  expect(named).toMatch(/^the container x{63} shares/)
  for (const containers of ['x', 7, {}, [null], [undefined, 5], null]) {
    const broken = {
      spec: { shareProcessNamespace: true, containers, initContainers: containers, volumes: containers },
    }
    expect(() => podProtection(broken as unknown as Pod)).not.toThrow()
  }
})

describe('a writable mount of the node as root', () => {
  const onNode = (path: string): string | undefined =>
    podProtection(
      pod({ volumes: [{ name: 'node', hostPath: { path } }] }, { ...root, volumeMounts: [{ name: 'node' }] }),
    ).onNode

  it.each([
    ...[
      '/',
      '/etc/kubernetes/manifests',
      '/etc/cron.d',
      '/root/.ssh',
      '/usr/bin',
      '/var/lib/kubelet',
      '/proc/1',
      '/opt/cni/bin',
    ],
    ...['/var/../etc', '/run/systemd', '/var/spool/cron', '/var/lib', '/var/lib/containerd/x', '/lib/modules'],
  ])('%s has power over the node', (path) => {
    expect(onNode(path)).toMatch(/ mounts \/\S* of the node/)
  })

  it.each(['/etc/localtime', '/etc/ssl/certs', '/usr/share/zoneinfo', '/var/log', '/data', '/var/lib/mysql'])(
    '%s has none',
    (path) => {
      expect(onNode(path)).toBeUndefined()
    },
  )
})

it('compares capabilities without their case', () => {
  const container = { ...root, securityContext: { runAsUser: 0, capabilities: { add: ['cap_sys_admin'] } } }
  expect(podProtection(pod({}, container)).onNode).toMatch(/capability SYS_ADMIN/)
})
