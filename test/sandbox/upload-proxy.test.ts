import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { command } from '../support/command.ts'
import { startSocksServer, type SocksServer } from '../support/socks-server.ts'
import { startResults, type ResultsService } from './results/start.ts'

/** The real @actions/artifact uploads by the action's proxy rules: its own know no SOCKS, and send data for loopback to the proxy. */

let folder: string
let results: ResultsService
let socks: SocksServer
const content = Buffer.alloc(300_000, 7)
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'upload-proxy-'))
  results = await startResults({ directory: join(folder, 'store') })
  socks = await startSocksServer()
})
afterEach(async () => {
  await socks.stop()
  await results.stop()
  rmSync(folder, { recursive: true })
})

async function upload(env: Record<string, string>): Promise<unknown> {
  const path = join(folder, 'web.pcapng')
  writeFileSync(path, content)
  const script = join(import.meta.dirname, 'results/upload-raw.ts')
  const variables = { PATH: process.env['PATH'] ?? '', ...results.env(), ...env }
  const output = await command(process.execPath, [script, path, 'web.pcapng'], { env: variables, timeout: 30_000 })
  return JSON.parse(/^uploaded (.*)$/m.exec(output)?.[1] ?? 'null')
}
const digest = createHash('sha256').update(content).digest('hex')

it('reaches the results service through a SOCKS proxy, and the blob store on loopback directly', async () => {
  const proxy = `socks5://127.0.0.1:${String(socks.port)}`
  const url = results.url.replace(/127\.0\.0\.1|localhost/, 'results.example')
  const artifact = await upload({ HTTPS_PROXY: proxy, HTTP_PROXY: proxy, ACTIONS_RESULTS_URL: `${url}/` })
  expect(artifact).toMatchObject({ name: 'web.pcapng', digest })
  expect(new Set(socks.asked)).toEqual(new Set([new URL(url).host]))
}, 40_000)

it('reaches a blob store on loopback directly, as Go does', async () => {
  expect(await upload({ HTTPS_PROXY: 'http://127.0.0.1:1' })).toMatchObject({ name: 'web.pcapng', digest })
}, 40_000)
