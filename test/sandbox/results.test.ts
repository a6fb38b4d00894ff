import { fork, type ChildProcess } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { endChild } from '../support/processes.ts'
import type { ClientAnswer, ClientCall, Method } from './results/client.ts'
import { startResults, type ResultsService } from './results/start.ts'
import { issueToken } from './results/token.ts'

const TWIRP = '/twirp/github.actions.results.api.v1.ArtifactService'

let directory: string
let results: ResultsService

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'results-'))
  results = await startResults({ directory: join(directory, 'store') })
})

afterEach(async () => {
  await results.stop()
  await rm(directory, { recursive: true })
})

interface Answer {
  result?: { id?: number; size?: number; digest?: string; artifacts?: { name: string; size: number; digest: string }[] }
  error?: { name: string; message: string; status?: number }
  log: string
}

let artifacts: ChildProcess
beforeAll(() => {
  artifacts = fork(join(import.meta.dirname, 'results/client.ts'), { env: { PATH: process.env.PATH } })
})
afterAll(() => endChild(artifacts, 'SIGKILL'))

let calls = 0
/** Calls the real client in the environment that a runner provides to an action. */
async function client(
  [method, ...parameters]: [Method, ...unknown[]],
  env: Record<string, string> = {},
): Promise<Answer> {
  const id = (calls += 1)
  const call: ClientCall = { id, method, parameters, env: { ...results.env(), ...env } }
  const answered = new Promise<ClientAnswer>((resolve, reject) => {
    const settle = (answer: unknown): void => {
      if ((answer as ClientAnswer).id !== id) return
      artifacts.off('message', settle).off('exit', fail)
      resolve(answer as ClientAnswer)
    }
    const fail = (): void => reject(new Error('the client ended'))
    artifacts.on('message', settle).once('exit', fail)
  })
  artifacts.send(call)
  return (await answered) as Answer
}

async function file(name: string, bytes: number): Promise<{ path: string; sha256: string }> {
  const content = randomBytes(bytes)
  const path = join(directory, name)
  await writeFile(path, content)
  return { path, sha256: createHash('sha256').update(content).digest('hex') }
}

const uploadRaw = (path: string, env?: Record<string, string>): Promise<Answer> =>
  client(['uploadArtifact', 'ignored', [path], directory, { skipArchive: true }], env)

async function twirp(method: string, body: unknown, authorization?: string): Promise<{ status: number; msg: string }> {
  const response = await fetch(`${results.url}${TWIRP}/${method}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(authorization === undefined ? {} : { authorization }) },
    body: JSON.stringify(body),
  })
  const { msg } = (await response.json()) as { msg?: string }
  return { status: response.status, msg: msg ?? '' }
}

/** Sends a CreateArtifact as the client does, with one field changed. */
function create(change: Record<string, unknown> = {}): Promise<{ status: number; msg: string }> {
  const token = results.env().ACTIONS_RUNTIME_TOKEN
  const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { scp: string }
  const [, run, job] = /Actions\.Results:(\S+):(\S+)/.exec(claims.scp) ?? []
  const body = { workflow_run_backend_id: run, workflow_job_run_backend_id: job, name: 'a.pcap', version: 7, ...change }
  return twirp('CreateArtifact', body, `Bearer ${token}`)
}

describe('the real @actions/artifact', () => {
  it('uploads one raw file of several blocks', async () => {
    const { path, sha256 } = await file('capture.pcap', 20_000_000)
    const { result, log } = await uploadRaw(path)

    expect(result).toEqual({ id: 1000, size: 20_000_000, digest: sha256 })
    expect(results.artifacts).toEqual([
      {
        id: 1000,
        name: 'capture.pcap',
        size: 20_000_000,
        digest: `sha256:${sha256}`,
        mimeType: 'application/octet-stream',
        path: expect.any(String) as string,
      },
    ])
    const stored = await readFile(results.artifacts[0]?.path ?? '')
    expect(createHash('sha256').update(stored).digest('hex')).toBe(sha256)
    expect(results.calls.map((call) => call.operation)).toEqual([
      'CreateArtifact',
      'PutBlock',
      'PutBlock',
      'PutBlock',
      'PutBlockList',
      'FinalizeArtifact',
    ])
    // The client masks the signature of the upload URL.
    expect(log).toContain('::add-mask::')
    expect(await readdir(join(directory, 'store', 'staged'))).toEqual([])
  })

  it('uploads a zip, lists it, downloads it and deletes it', async () => {
    const { path } = await file('capture.pcap', 100_000)
    const { result } = await client(['uploadArtifact', 'captures', [path], directory, { retentionDays: 3 }])
    expect(results.artifacts[0]).toMatchObject({ name: 'captures', mimeType: 'application/zip', size: result?.size })
    expect(Date.parse(results.artifacts[0]?.expiresAt ?? '') - Date.now()).toBeGreaterThan(2 * 86_400_000)

    const list = await client(['listArtifacts'])
    expect(list.result?.artifacts).toMatchObject([{ name: 'captures', size: result?.size }])

    const target = join(directory, 'downloaded')
    await client(['downloadArtifact', 1000, { path: target, expectedHash: results.artifacts[0]?.digest }])
    expect(await readFile(join(target, 'capture.pcap'))).toEqual(await readFile(path))

    await client(['deleteArtifact', 'captures'])
    expect(results.artifacts).toEqual([])
  })

  it('rejects the same name from two jobs of one run', async () => {
    const { path } = await file('capture.pcap', 1000)
    await uploadRaw(path)
    const { error } = await uploadRaw(path, results.env('another-job'))
    expect(error?.message).toMatch(/409.*already exists/)
    expect(results.artifacts).toHaveLength(1)
  })

  it.each([
    ['unauthorized', /non-retryable error: Failed request: \(401\)/],
    ['forbidden', /non-retryable error: Failed request: \(403\)/],
    ['conflict', /non-retryable error: Failed request: \(409\).*already exists/],
    ['quota', /storage quota has been hit/],
  ] as const)('reports the error %s', async (fault, pattern) => {
    results.faults.create = fault
    const { path } = await file('capture.pcap', 1000)
    expect((await uploadRaw(path)).error?.message).toMatch(pattern)
    expect(results.artifacts).toEqual([])
  })

  it('retries after one 503', async () => {
    results.faults.create = 'unavailable-once'
    const { path } = await file('capture.pcap', 1000)
    const { result, log } = await uploadRaw(path)
    expect(result).toMatchObject({ id: 1000, size: 1000 })
    expect(log).toMatch(/Attempt 1 of 5 failed.*503/)
  })

  it('fails when the blob store answers 403', async () => {
    results.faults.blob = 'forbidden'
    const { path } = await file('capture.pcap', 1000)
    expect((await uploadRaw(path)).error).toMatchObject({ name: 'RestError', status: 403 })
  })

  it('recovers from a connection that is reset once', async () => {
    results.faults.blob = 'reset-once'
    const { path, sha256 } = await file('capture.pcap', 1000)
    expect((await uploadRaw(path)).result?.digest).toBe(sha256)
  })

  it('fails when the blob store stalls', async () => {
    results.faults.blob = 'stall'
    const { path } = await file('capture.pcap', 1000)
    const { error } = await uploadRaw(path, { ACTIONS_ARTIFACT_UPLOAD_TIMEOUT_MS: '500' })
    expect(error?.message).toContain('Upload progress stalled')
  })

  it('rejects an artifact whose last bytes are lost', async () => {
    results.faults.blob = 'truncated-block-list'
    const { path } = await file('capture.pcap', 10_000_000)
    expect((await uploadRaw(path)).error?.message).toMatch(/size 10000000 does not match the stored 8388608 bytes/)
    expect(results.artifacts).toEqual([])
  })
})

describe('the artifact service', () => {
  it('requires a token that it issued', async () => {
    expect(await twirp('ListArtifacts', {})).toMatchObject({ status: 401 })
    const foreign = issueToken('another key', { run: 'r', job: 'j' })
    expect(await twirp('ListArtifacts', {}, `Bearer ${foreign}`)).toMatchObject({ status: 401 })
  })

  it.each([
    ['another run', { workflow_run_backend_id: 'x' }, 403, ''],
    ['a colon in the name', { name: 'a:b.pcap' }, 400, 'name is not valid'],
    ['a slash in the name', { name: '../a.pcap' }, 400, 'name is not valid'],
    ['no name', { name: '' }, 400, 'name is not valid'],
    ['an old version', { version: 4 }, 400, 'expected 7'],
  ])('rejects %s', async (_, change, status, message) => {
    const answer = await create(change)
    expect(answer.status).toBe(status)
    expect(answer.msg).toContain(message)
  })

  it('lists an artifact only after Finalize, and accepts each name once', async () => {
    expect(await create()).toMatchObject({ status: 200 })
    expect((await client(['listArtifacts'])).result?.artifacts).toEqual([])
    expect(await create()).toMatchObject({ status: 409 })
  })

  it('joins the blocks in the order of the block list', async () => {
    await create()
    const { signed_upload_url: url } = await signed()
    const put = (query: string, body: string): Promise<Response> => fetch(`${url}&${query}`, { method: 'PUT', body })
    for (const [id, text] of Object.entries({ b: 'two', a: 'one', c: 'unused' }))
      await put(`comp=block&blockid=${id}`, text)
    const list = (...ids: string[]): string => ids.map((id) => `<Latest>${id}</Latest>`).join('')

    expect((await put('comp=blocklist', `<BlockList>${list('a', 'x')}</BlockList>`)).status).toBe(400)
    expect((await put('comp=blocklist', `<BlockList>${list('a', 'b')}</BlockList>`)).status).toBe(201)
    expect(await readFile(join(directory, 'store', '1001-b.pcap'), 'utf8')).toBe('onetwo')
    expect((await fetch(url.replace(/sig=.*/, 'sig=x'), { method: 'PUT', body: 'x' })).status).toBe(403)
  })

  async function signed(): Promise<{ signed_upload_url: string }> {
    const token = results.env().ACTIONS_RUNTIME_TOKEN
    const response = await fetch(`${results.url}${TWIRP}/CreateArtifact`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify({
        workflowRunBackendId: 'ce7f54c7-61c7-4aae-887f-30da475f5f1a',
        workflowJobRunBackendId: 'ca395085-040a-526b-2ce8-bdc85f692774',
        name: 'b.pcap',
        version: 7,
      }),
    })
    return (await response.json()) as { signed_upload_url: string }
  }
})
