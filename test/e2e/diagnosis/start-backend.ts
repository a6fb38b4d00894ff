import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { processIds } from '../../runner/processes.ts'
import type { Certificate } from '../../support/certificates.ts'
import { endChild } from '../../support/processes.ts'
import { getPod, until } from '../cluster.ts'
import type { BackendSettings } from './backend.ts'

export interface Backend {
  /** PEM, for `serverName`: of the server with a valid certificate, and of those whose certificate has expired */
  readonly authorities: { readonly valid: string; readonly expired: string }
  /** how often it did this for the client with this address, see backend.ts */
  count(did: string, client: string): number
  stop(): Promise<void>
}

/** The name in the certificates. */
export const serverName = 'backend.example'

/**
 * Starts backend.ts in the network namespace of a pod on this machine, so that the pod needs no image with Node.js. `address`: the answer to DNS
 * queries.
 */
export async function startBackend(namespace: string, pod: string, address: string): Promise<Backend> {
  const [valid, expired] = await Promise.all([makeCertificate(-1, 60), makeCertificate(-60, -1)])
  const settings: BackendSettings = { address, valid, expired }
  const pid = String(await processIn(namespace, pod))
  const program = [process.execPath, join(import.meta.dirname, 'backend.ts')]
  const child = spawn('nsenter', ['--target', pid, '--net', '--', ...program], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { BACKEND: JSON.stringify(settings), NODE_NO_WARNINGS: '1' },
  })
  const counts = new Map<string, number>()
  createInterface({ input: child.stdout }).on('line', (line) => {
    const { did, client = '' } = JSON.parse(line) as { did: string; client?: string }
    const key = `${client} ${did}`
    counts.set(key, (counts.get(key) ?? 0) + 1)
  })
  const count: Backend['count'] = (did, client) => counts.get(`${client} ${did}`) ?? 0
  await until('the start of the backend', 20_000, () => Promise.resolve(count('start', '') > 0 ? true : undefined))
  return { authorities: { valid: valid.cert, expired: expired.cert }, count, stop: () => endChild(child) }
}

/** A self-signed certificate that is valid between two days, counted from today. */
async function makeCertificate(firstDay: number, lastDay: number): Promise<Certificate> {
  const { generate } = await import('selfsigned')
  const date = (day: number): Date => new Date(Date.now() + day * 86_400_000)
  return generate([{ name: 'commonName', value: serverName }], {
    ...{ keyType: 'ec', algorithm: 'sha256', notBeforeDate: date(firstDay), notAfterDate: date(lastDay) },
    extensions: [
      { name: 'basicConstraints', cA: true },
      { name: 'subjectAltName', altNames: [{ type: 2, value: serverName }] },
    ],
  })
}

/** A process of the pod's container, on a node that is this machine. */
async function processIn(namespace: string, pod: string): Promise<number> {
  const { status } = await getPod(namespace, pod)
  const id = status.containerStatuses?.[0]?.containerID?.split('//')[1]
  const pid = id === undefined ? undefined : processIds().find((one) => controlGroup(one).includes(id))
  if (pid === undefined) throw new Error(`no process of the pod ${pod} was found on this machine`)
  return pid
}

function controlGroup(pid: number): string {
  try {
    return readFileSync(`/proc/${String(pid)}/cgroup`, 'utf8')
  } catch {
    return '' // the process has ended meanwhile
  }
}
