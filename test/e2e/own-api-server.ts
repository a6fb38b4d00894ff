import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { get } from 'node:https'
import { join } from 'node:path'
import { endChild } from '../support/processes.ts'
import { until } from './cluster.ts'

/** A real API server for one test, next to that of the test cluster. */
export interface OwnApiServer {
  /** HOST:PORT */
  readonly address: string
  /** PEM */
  readonly certificateAuthority: string
  /** kills it with SIGKILL and starts it again at the same address */
  restart(): Promise<void>
  stop(): Promise<void>
}

const addressOfStore = 'http://127.0.0.1:23790'

/** With a separate etcd: it has no nodes and does not affect the test cluster. The kubeconfig of its admin is in the folder. */
export async function startLoneApiServer(
  state: string,
  folder: string,
  flags: readonly string[],
): Promise<OwnApiServer & { readonly kubeconfig: string }> {
  const pki = join(folder, 'pki')
  mkdirSync(pki)
  execFileSync('openssl', ['genrsa', '-out', join(pki, 'sa.key'), '2048'], { stdio: 'ignore' })
  writeFileSync(join(pki, 'tokens.csv'), 'of-the-administrator,admin,admin,"system:masters"\n')
  const peer = 'http://127.0.0.1:23800'
  const log = openSync(join(folder, 'etcd.log'), 'a')
  const etcd = spawn(
    'etcd',
    [
      ...['--data-dir', join(folder, 'etcd'), '--listen-client-urls', addressOfStore, '--listen-peer-urls', peer],
      ...['--advertise-client-urls', addressOfStore, '--initial-advertise-peer-urls', peer],
      ...['--initial-cluster', `default=${peer}`],
    ],
    { stdio: ['ignore', log, log] },
  )
  try {
    const server = await startApiServer({
      ...{ state, pki, store: addressOfStore, port: 16444, log: join(folder, 'apiserver.log') },
      // No controller creates the service accounts of namespaces.
      flags: [`--token-auth-file=${pki}/tokens.csv`, '--disable-admission-plugins=ServiceAccount', ...flags],
    })
    const kubeconfig = join(folder, 'admin.kubeconfig')
    const cluster = {
      server: `https://${server.address}`,
      'certificate-authority-data': Buffer.from(server.certificateAuthority).toString('base64'),
    }
    const config = {
      ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'own' },
      clusters: [{ name: 'own', cluster }],
      users: [{ name: 'admin', user: { token: 'of-the-administrator' } }],
      contexts: [{ name: 'own', context: { cluster: 'own', user: 'admin' } }],
    }
    writeFileSync(kubeconfig, JSON.stringify(config))
    const stop = async (): Promise<void> => {
      await server.stop()
      await endChild(etcd)
    }
    return { ...server, kubeconfig, stop }
  } catch (error) {
    await endChild(etcd)
    throw error
  }
}

/** With the etcd, keys and nodes of the test cluster: a second API server of the same cluster. */
export async function startSecondApiServer(
  state: string,
  folder: string,
  flags: readonly string[],
): Promise<OwnApiServer> {
  const store = 'http://127.0.0.1:2379'
  return startApiServer({
    ...{ state, pki: join(state, 'pki'), store, port: 16443, log: join(folder, 'apiserver.log'), flags },
  })
}

interface Settings {
  /** the state folder of the test cluster, which contains the path of the program */
  readonly state: string
  readonly pki: string
  readonly store: string
  readonly port: number
  readonly log: string
  readonly flags: readonly string[]
}

async function startApiServer({ state, pki, store, port, log, flags }: Settings): Promise<OwnApiServer> {
  const [, program = ''] = /^KUBE=(.*)$/m.exec(readFileSync(join(state, 'env'), 'utf8')) ?? []
  const all = [
    ...['kube-apiserver', `--etcd-servers=${store}`, `--cert-dir=${pki}`, '--bind-address=127.0.0.1'],
    ...[`--secure-port=${String(port)}`, '--advertise-address=127.0.0.1', '--external-hostname=127.0.0.1'],
    ...['--endpoint-reconciler-type=none', '--kubelet-preferred-address-types=Hostname', '--authorization-mode=RBAC'],
    ...[`--service-account-key-file=${pki}/sa.key`, `--service-account-signing-key-file=${pki}/sa.key`],
    ...['--service-account-issuer=https://kubernetes.default.svc', '--service-cluster-ip-range=10.96.0.0/16'],
    ...['--allow-privileged=true', ...flags],
  ]
  let child: ChildProcess | undefined
  const start = async (): Promise<void> => {
    const out = openSync(log, 'a')
    const started = spawn(program, all, { stdio: ['ignore', out, out] })
    child = started
    await until(`a second API server (see ${log})`, 90_000, () => ready(port))
  }
  const stop = async (): Promise<void> => {
    if (child !== undefined) await endChild(child, 'SIGKILL')
  }
  try {
    await start()
  } catch (error) {
    await stop()
    throw error
  }
  return {
    address: `127.0.0.1:${String(port)}`,
    certificateAuthority: readFileSync(join(pki, 'apiserver.crt'), 'utf8'),
    restart: async () => {
      await stop()
      await start()
    },
    stop,
  }
}

/** /readyz needs no credentials. The certificate may not be written yet, so it is not checked. */
function ready(port: number): Promise<true | undefined> {
  return new Promise((resolve) => {
    const options = {
      host: '127.0.0.1',
      port,
      path: '/readyz',
      rejectUnauthorized: false,
      agent: false,
      timeout: 2_000,
    }
    get(options, (answer) => {
      answer.resume()
      resolve(answer.statusCode === 200 ? true : undefined)
    }).on('error', () => resolve(undefined))
  })
}
