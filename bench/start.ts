/**
 * The start time of the committed dist, as a ratio to an empty Node script in the same run: until an invalid input is answered (at most 3 x) and
 * until the first request reaches the API server (at most 7 x). Medians of 15 runs, which alternate so that load on the machine affects all alike.
 * Needs no cluster.
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

const runCount = 15
const maxRatios = { invalidInput: 3, firstRequest: 7 }
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
const empty = join(folder, 'empty.mjs')
writeFileSync(empty, '')
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

/** Runs the action with a pod's name. Returns ms until its first request, NaN if there was none, and ms until its end. */
async function start(pod: string): Promise<{ requestMs: number; endMs: number }> {
  const startedAt = performance.now()
  let requestMs = NaN
  onRequest = () => {
    if (Number.isNaN(requestMs)) requestMs = performance.now() - startedAt
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
  return { requestMs, endMs: performance.now() - startedAt }
}

/** Runs an empty script. Returns ms until its end: the time of Node itself. */
async function startEmpty(): Promise<number> {
  const startedAt = performance.now()
  await once(spawn(process.execPath, [empty], { stdio: 'ignore' }), 'exit')
  return performance.now() - startedAt
}

try {
  const emptyMs: number[] = []
  const invalidInputMs: number[] = []
  const firstRequestMs: number[] = []
  for (let i = 0; i < runCount; i += 1) {
    emptyMs.push(await startEmpty())
    const invalid = await start('Not A Pod')
    if (!Number.isNaN(invalid.requestMs))
      throw new Error('the API server was asked before the invalid input was reported')
    invalidInputMs.push(invalid.endMs)
    firstRequestMs.push((await start('web')).requestMs)
  }
  const base = median(emptyMs)
  console.log(`an empty Node script: ${base.toFixed(0)} ms`)
  const results = [
    ['an invalid input until the end of the process', median(invalidInputMs), maxRatios.invalidInput],
    ['start to first API request', median(firstRequestMs), maxRatios.firstRequest],
  ] as const
  for (const [what, ms, maxRatio] of results) {
    const ratio = ms / base
    console.log(`${what}: ${ms.toFixed(0)} ms, ${ratio.toFixed(1)} x an empty script (at most ${String(maxRatio)} x)`)
    if (!(ratio <= maxRatio)) process.exitCode = 1
  }
} finally {
  server.close()
  rmSync(folder, { recursive: true, force: true })
}
