/**
 * How fast the committed dist starts, each time a new process: until a bad input is answered (at most 150 ms), and until the first request
 * reaches the API server (at most 400 ms). Medians of 15. Needs no cluster.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generate } from 'selfsigned'
import { median } from './median.ts'

const times = 15
const limits = { badInput: 150, firstRequest: 400 }
const dist = join(import.meta.dirname, '../dist/index.js')
const folder = mkdtempSync(join(tmpdir(), 'packet-capture-bench-'))

let onRequest = (): void => undefined
const pems = await generate([{ name: 'commonName', value: 'localhost' }])
const server = createServer({ key: pems.private, cert: pems.cert }, (_request, response) => {
  onRequest()
  response.writeHead(404, { 'content-type': 'application/json' }).end('{}')
})
server.listen(0, '127.0.0.1')
await once(server, 'listening')
const kubeconfig = join(folder, 'kubeconfig')
writeFileSync(
  kubeconfig,
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: 'bench',
        cluster: {
          server: `https://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
          'insecure-skip-tls-verify': true,
        },
      },
    ],
    users: [{ name: 'bench', user: { token: 'bench' } }],
    contexts: [{ name: 'bench', context: { cluster: 'bench', user: 'bench' } }],
    'current-context': 'bench',
  }),
)

/** Runs the action with a pod's name; ms until its first request, NaN where it made none, and until its end. */
async function start(pod: string): Promise<{ request: number; end: number }> {
  const began = performance.now()
  let request = NaN
  onRequest = () => {
    if (Number.isNaN(request)) request = performance.now() - began
  }
  const child = spawn(process.execPath, [dist], {
    stdio: 'ignore',
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: folder,
      RUNNER_TEMP: folder,
      KUBECONFIG: kubeconfig,
      INPUT_POD: pod,
      INPUT_FILTER: '',
    },
  })
  await once(child, 'exit')
  return { request, end: performance.now() - began }
}

try {
  const badInput: number[] = []
  const firstRequest: number[] = []
  for (let i = 0; i < times; i += 1) {
    const bad = await start('Not A Pod')
    if (!Number.isNaN(bad.request)) throw new Error('a bad input was not told before the API server was asked')
    badInput.push(bad.end)
    firstRequest.push((await start('web')).request)
  }
  const results = [
    ['a bad input until the end of the process', median(badInput), limits.badInput],
    ['start to first API request', median(firstRequest), limits.firstRequest],
  ] as const
  for (const [what, value, limit] of results) {
    console.log(`${what}: ${value.toFixed(0)} ms (at most ${String(limit)})`)
    if (!(value <= limit)) process.exitCode = 1
  }
} finally {
  server.close()
  rmSync(folder, { recursive: true, force: true })
}
