import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { uploadFile, type UploadContext } from '../../../src/app/upload.ts'
import { Cancelled, type Problem } from '../../../src/common/errors.ts'
import type { ArtifactReport } from '../../../src/report/report.ts'
import { UploadError, type UploadedArtifact } from '../../../src/runner/artifact.ts'
import { readJob } from '../../../src/runner/job.ts'
import type { Log } from '../../../src/runner/log.ts'
import { useFastClock } from '../../support/fast-clock.ts'

useFastClock(1_000)

let folder: string
let path: string
let lines: string[]
/** for each try, in order; undefined: it succeeds */
let answers: (Error | undefined)[]
let tries: { readonly name: string; readonly atMs: number }[]
/** of the artifacts of the run, and of uploads that did not end */
let taken: Set<string>
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'upload-'))
  path = join(folder, 'web.pcap')
  writeFileSync(path, 'packets')
  lines = []
  answers = []
  tries = []
  taken = new Set()
})
afterEach(() => rmSync(folder, { recursive: true }))

const log: Log = {
  info: (text) => void lines.push(text),
  notice: (text) => void lines.push(text),
  warning: (text) => void lines.push(text),
  failure: (text) => void lines.push(text),
  group: (_title, body) => body(),
}

/** As the service does: CreateArtifact takes the name, then the data is sent. */
async function fakeUpload(file: string, name: string): Promise<UploadedArtifact> {
  expect(existsSync(file)).toBe(true)
  tries.push({ name, atMs: Date.now() })
  if (taken.has(name)) throw new UploadError(new Error('(409) Conflict: an artifact with this name already exists'))
  taken.add(name)
  const error = answers.shift()
  if (error !== undefined) throw new UploadError(error)
  return Promise.resolve({ id: 7, name, digest: 'd', sizeBytes: 7 })
}

const status = (statusCode: number): Error => Object.assign(new Error(''), { name: 'RestError', statusCode })

async function upload(
  more: Partial<UploadContext> = {},
): Promise<{ readonly artifact?: ArtifactReport; readonly problem?: Problem }> {
  return uploadFile(path, {
    job: readJob({}),
    log,
    retentionDays: undefined,
    isPost: false,
    beganMs: Date.now(),
    uploadFile: fakeUpload,
    ...more,
  })
}

it.each([408, 429, 500, 502, 503, 504])('%s is tried again after 2 s, under another name', async (code) => {
  answers = [status(code)]
  const { artifact, problem } = await upload()
  expect(problem).toBeUndefined()
  expect(artifact?.name).toBe('web-2.pcap')
  expect(existsSync(path)).toBe(true)
  expect(readdirSync(folder)).toEqual(['web.pcap'])
  expect(tries.map(({ name }) => name)).toEqual(['web.pcap', 'web.pcap', 'web-2.pcap'])
  expect(lines).toEqual([
    expect.stringMatching(
      new RegExp(`^The upload failed: artifact-name: the blob store did not accept the data: ${code} `),
    ),
    'It is tried again in 2 s',
  ])
})

it('waits longer each time, and reports the third failure with the file', async () => {
  answers = [status(502), status(502), status(504)]
  const { artifact, problem } = await upload()
  expect(artifact).toBeUndefined()
  expect(problem).toMatchObject({ code: 'E_ARTIFACT_UPLOAD', message: '504 Gateway Timeout' })
  expect(existsSync(path)).toBe(true)
  expect(readdirSync(folder)).toEqual(['web.pcap'])
  const [first, second, third, fourth] = tries.filter(({ name }, i) => name !== tries[i - 1]?.name || i === 0)
  expect([first?.name, second?.name, third?.name, fourth]).toEqual(['web.pcap', 'web-2.pcap', 'web-3.pcap', undefined])
  expect((second?.atMs ?? 0) - (first?.atMs ?? 0)).toBeGreaterThanOrEqual(2_000)
  expect((third?.atMs ?? 0) - (second?.atMs ?? 0)).toBeGreaterThanOrEqual(10_000)
})

it('waits as long as the server asks', async () => {
  const headers = { get: (name: string) => (name === 'retry-after' ? '30' : undefined) }
  answers = [Object.assign(status(429), { response: { headers } })]
  await upload()
  expect(lines).toContain('It is tried again in 30 s')
})

it('is not tried again where no other try changes the answer', async () => {
  answers = [status(413)]
  expect((await upload()).problem?.message).toBe('413 Payload Too Large')
  expect(tries).toHaveLength(1)
})

it('does not take another name where another capture has it', async () => {
  taken.add('web.pcap')
  const { problem } = await upload()
  expect(problem?.code).toBe('E_ARTIFACT_NAME_TAKEN')
  expect(existsSync(path)).toBe(true)
})

it('takes another name in post, where an upload of main was cut off', async () => {
  taken.add('web.pcap')
  answers = [status(502)]
  expect((await upload({ isPost: true })).artifact?.name).toBe('web-post-2.pcap')
})

it('begins no try more than 10 minutes after the first', async () => {
  answers = [status(502)]
  const slow = async (file: string, name: string) => {
    await new Promise((resolve) => setTimeout(resolve, 601_000))
    return fakeUpload(file, name)
  }
  expect((await upload({ uploadFile: slow })).problem?.code).toBe('E_ARTIFACT_UPLOAD')
  expect(tries).toHaveLength(1)
})

it('leaves the upload to post when a cancel comes between two tries', async () => {
  answers = [status(502)]
  const cancel = new AbortController()
  setTimeout(() => cancel.abort(), 500)
  await expect(upload({ cancel: cancel.signal })).rejects.toBeInstanceOf(Cancelled)
  expect(tries).toHaveLength(1)
  expect(readdirSync(folder)).toEqual(['web.pcap']) // under the name that post knows
})
