import { spawn, type ChildProcess } from 'node:child_process'
import { openSync, readFileSync } from 'node:fs'
import { get } from 'node:https'
import { join } from 'node:path'
import { until } from './cluster.ts'

/** A second API server of the test cluster, with flags of its own: same etcd, same keys, same nodes. The shared one is left alone. */
export interface OwnApiServer {
  /** HOST:PORT */
  readonly address: string
  /** PEM */
  readonly certificateAuthority: string
  /** kills it hard, and starts it again at the same address */
  restart(): Promise<void>
  stop(): Promise<void>
}

const port = 16443

/** `state`: the test cluster's folder; `log`: where the server writes. */
export async function startApiServer(state: string, log: string, flags: readonly string[]): Promise<OwnApiServer> {
  const [, program = ''] = /^KUBE=(.*)$/m.exec(readFileSync(join(state, 'env'), 'utf8')) ?? []
  const pki = join(state, 'pki')
  const certificateAuthority = readFileSync(join(pki, 'apiserver.crt'), 'utf8')
  const all = [
    ...['kube-apiserver', '--etcd-servers=http://127.0.0.1:2379', `--cert-dir=${pki}`, '--bind-address=127.0.0.1'],
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
    await until(`an API server of our own (see ${log})`, 90_000, () => {
      if (started.exitCode !== null) throw new Error(`it ended with ${String(started.exitCode)}`)
      return ready(certificateAuthority)
    })
  }
  const stop = async (): Promise<void> => {
    const running = child
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return
    const ended = new Promise((resolve) => running.once('exit', resolve))
    running.kill('SIGKILL')
    await ended
  }
  try {
    await start()
  } catch (error) {
    await stop()
    throw error
  }
  return {
    address: `127.0.0.1:${String(port)}`,
    certificateAuthority,
    restart: async () => {
      await stop()
      await start()
    },
    stop,
  }
}

/** /readyz is open to everybody. */
function ready(ca: string): Promise<true | undefined> {
  return new Promise((resolve) => {
    get({ host: '127.0.0.1', port, path: '/readyz', ca, agent: false, timeout: 2_000 }, (answer) => {
      answer.resume()
      resolve(answer.statusCode === 200 ? true : undefined)
    }).on('error', () => resolve(undefined))
  })
}
