import { execFile, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { generate } from 'selfsigned'
import { call } from '../../../../src/cluster/api.ts'
import { connectKubeconfig } from '../../../../src/cluster/kubeconfig/connect.ts'
import { startIdentityServer, type IdentityServer } from '../../../support/identity-server.ts'
import { kubectlLack } from '../../../support/kubectl.ts'
import { describeWith, firstLack, itWith, needsProgram } from '../../../support/needs.ts'
import { isExecutable } from '../../../support/processes.ts'
import { clusterRows } from './kubectl-cluster-rows.ts'
import { base64, kubeconfigRows, type Row, type Setting } from './kubectl-rows.ts'

/** The real kubectl. That of the Google Cloud CLI only chooses one of those beside it, by a request of its own. */
function findKubectl(): string {
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  const found = folders.map((folder) => join(folder, 'kubectl')).find(isExecutable)
  if (found === undefined) return 'kubectl'
  const folder = dirname(realpathSync(found))
  const versions = readdirSync(folder).filter((name) => /^kubectl\.1\.\d+$/.test(name))
  const [newest] = versions.sort((one, other) => Number(other.slice(10)) - Number(one.slice(10)))
  return newest === undefined ? found : join(folder, newest)
}
const kubectl = findKubectl()

/** Mounts a folder as the service account of a pod, for one program. */
const inPod = [
  ...['unshare', '--mount', '--map-root-user', 'sh', '-c'],
  'mount -t tmpfs tmpfs /run && mkdir -p /run/secrets/kubernetes.io && cp -r "$0" /run/secrets/kubernetes.io/serviceaccount && exec "$@"',
] as const
const needsMounts = (): string | undefined => {
  const [program, ...args] = inPod
  const tried = spawnSync(program, [...args, '/etc/hostname', 'test', '-e', '/var/run/secrets/kubernetes.io'])
  return tried.status === 0
    ? undefined
    : 'mounts in a user namespace; run it as root, or where the kernel allows user namespaces'
}

describeWith(kubectlLack([kubectl]), 'the action and kubectl', () => {
  let server: IdentityServer
  let pairs: Pick<Setting, 'dev' | 'rsa'>
  let root: string
  let rowCount = 0
  const name = (value: string): { name: string; value: string }[] => [{ name: 'commonName', value }]

  beforeAll(async () => {
    server = await startIdentityServer()
    pairs = { dev: await generate(name('dev'), { keyType: 'ec' }), rsa: await generate(name('rsa')) }
    root = mkdtempSync(join(tmpdir(), 'kubectl-rules-'))
  })
  afterAll(async () => {
    rmSync(root, { recursive: true })
    await server.stop()
  })

  /** Writes the files of a row into a folder of its own. */
  function prepare(row: Row): { setting: Setting; env: NodeJS.ProcessEnv } {
    rowCount += 1
    const folder = join(root, String(rowCount))
    const url = `https://127.0.0.1:${String(server.ports.tls)}/row-${String(rowCount)}`
    const setting: Setting = { server, url, folder, ...pairs }
    mkdirSync(folder)
    for (const [path, content] of Object.entries(row.files(setting))) {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), content)
    }
    const env = { PATH: process.env['PATH'], HOME: folder, KUBECONFIG: join(folder, 'config'), ...row.env?.(setting) }
    return { setting, env }
  }

  /** What the server got from a program; [] where it refused to ask. */
  async function askedBy(argv: readonly string[], env: NodeJS.ProcessEnv, cwd: string): Promise<readonly string[]> {
    const [program = '', ...args] = argv
    await new Promise<void>((resolve) => {
      const options = { env, cwd, timeout: 10_000, killSignal: 'SIGKILL' as const }
      execFile(program, args, options, () => resolve()).stdin?.end()
    })
    return server.take()
  }
  const askedByKubectl = [kubectl, 'version'] // get --raw leaves out the path of the server; --request-timeout turns off the service account
  const askedByAction = [process.execPath, join(import.meta.dirname, '../../../support/ask-version.ts')]

  async function askedInProcess(env: NodeJS.ProcessEnv): Promise<readonly string[]> {
    try {
      const maskSecret = (): void => undefined
      const connection = await connectKubeconfig({ source: { kind: 'default' }, context: undefined, env, maskSecret })
      await call(connection, 'GET', '/version')
    } catch {
      // refused, or not reached
    }
    return server.take()
  }

  describe('ask the same server with the same identity, or both refuse:', () => {
    it.each([...kubeconfigRows, ...clusterRows].map((row) => [row.title, row] as const))('%s', async (_title, row) => {
      const { setting, env } = prepare(row)
      const theirs = await askedBy(askedByKubectl, env, setting.folder)
      const ours = row.isIsolated ? await askedBy(askedByAction, env, setting.folder) : await askedInProcess(env)
      if (row.difference === undefined) expect(ours).toEqual(theirs)
      else
        expect([ours.length > 0, theirs.length > 0]).toEqual(
          row.difference.action === 'asks' ? [true, false] : [false, true],
        )
    })
  })

  describe('use the service account in a pod:', () => {
    const lack = firstLack(needsProgram('unshare'), needsMounts())
    const podEnv = (): NodeJS.ProcessEnv => ({
      ...{ KUBECONFIG: '', KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: String(server.ports.tls) },
    })
    const account = (ca: string): Record<string, string> => ({
      'pod/token': 'pod-token\n',
      'pod/ca.crt': ca,
      'pod/namespace': 'x',
    })
    const podRows: readonly Row[] = [
      { title: 'without a kubeconfig', files: () => account(server.certificate.cert), env: podEnv },
      {
        title: 'with a kubeconfig that is missing',
        files: () => account(server.certificate.cert),
        env: () => ({ ...podEnv(), KUBECONFIG: '/none' }),
      },
      {
        title: 'with an empty kubeconfig',
        files: () => ({ ...account(server.certificate.cert), config: '# x\n' }),
        env: (setting) => ({ ...podEnv(), KUBECONFIG: join(setting.folder, 'config') }),
      },
      {
        title: 'with a kubeconfig, which has priority',
        files: (setting) => ({
          ...account(server.certificate.cert),
          config: JSON.stringify({
            ...{ 'current-context': 'c' },
            clusters: [
              {
                name: 'c',
                cluster: { server: setting.url, 'certificate-authority-data': base64(server.certificate.cert) },
              },
            ],
            users: [{ name: 'u', user: { token: 'other' } }],
            contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
          }),
        }),
        env: (setting) => ({ ...podEnv(), KUBECONFIG: join(setting.folder, 'config') }),
      },
      {
        title: 'not without KUBERNETES_SERVICE_PORT',
        files: () => account(server.certificate.cert),
        env: () => ({ ...podEnv(), KUBERNETES_SERVICE_PORT: '' }),
      },
      { title: 'not when ca.crt is of another cluster', files: (setting) => account(setting.dev.cert), env: podEnv },
      {
        title: 'not when the token is empty',
        files: () => ({ ...account(server.certificate.cert), 'pod/token': '' }),
        env: podEnv,
      },
    ]
    for (const row of podRows) {
      itWith(lack, row.title, async () => {
        const { setting, env } = prepare(row)
        const pod = [...inPod, join(setting.folder, 'pod')]
        const theirs = await askedBy([...pod, ...askedByKubectl], env, setting.folder)
        expect(await askedBy([...pod, ...askedByAction], env, setting.folder)).toEqual(theirs)
        expect(theirs.length > 0).toBe(!row.title.startsWith('not'))
      })
    }
  })
})
