import type { CapturePlan } from '../../../../src/capture/plan.ts'
import { addContainer, ephemeralRecorder } from '../../../../src/capture/recorders/ephemeral-container.ts'
import type { CaptureRecord } from '../../../../src/capture/record.ts'
import { NothingCreated, NothingRecorded } from '../../../../src/capture/recorders/start-failure.ts'
import { ConfigurationError } from '../../../../src/common/errors.ts'
import { startServer, status, type Server } from '../../../support/api-server.ts'
import { plan, recordFor as recordIn } from '../../../support/target.ts'
import { rejection } from '../../../support/refusal.ts'

let server: Server
beforeEach(async () => {
  server = await startServer()
})
afterEach(async () => {
  await server.stop()
})

const recordFor = (changes: Partial<CapturePlan> = {}): CaptureRecord => recordIn({ plan: plan(changes) })

const refused = (dryRun: boolean, changes: Partial<CapturePlan> = {}): Promise<ConfigurationError> =>
  rejection(addContainer(server.connection, recordFor(changes), dryRun))

describe('the fix for a violated Pod Security level', () => {
  const violated = (level: string): void => {
    const remoteMessage = `pods "web-1" is forbidden: violates PodSecurity "${level}:latest": some reason`
    server.answer = () => ({ status: 403, body: status('Forbidden', remoteMessage) })
  }

  it('is the level baseline for restricted', async () => {
    violated('restricted')
    const { message } = await refused(true)
    expect(message).toContain('enforce=baseline')
    expect(message).not.toContain('`capabilities`')
  })

  it('is baseline without capabilities, or privileged, for restricted when capabilities are requested', async () => {
    violated('restricted')
    const { message } = await refused(true, { capabilities: ['NET_RAW'] })
    expect(message).toMatch(
      /enforce=baseline on the namespace and leave the input `capabilities` empty, or,.*=privileged/,
    )
  })

  it('is no capabilities, or privileged, for baseline when capabilities are requested', async () => {
    violated('baseline')
    const { message } = await refused(true, { capabilities: ['NET_RAW'] })
    expect(message).toMatch(/Leave the input `capabilities` empty.*enforce=privileged/)
    expect(message).not.toContain('enforce=baseline')
  })

  it('is another pod, or privileged, for baseline when no capabilities are requested', async () => {
    violated('baseline')
    const { message } = await refused(true)
    expect(message).toMatch(/the pod, or a container that was added to it before, violates it.*enforce=privileged/)
    expect(message).not.toMatch(/enforce=baseline|`capabilities`/)
  })
})

it('reports admission as unknown when a webhook does not support dry run', async () => {
  const remoteMessage = 'admission webhook "policy.example" does not support dry run'
  server.answer = () => ({ status: 400, body: status('BadRequest', remoteMessage) })
  await expect(ephemeralRecorder(server.connection, recordFor()).check()).resolves.toEqual([
    expect.stringMatching(/^Admission: unknown until the start/),
  ])
  // The request without dry run gets the same answer.
  expect((await refused(false)).message).toContain(remoteMessage)
})

it('distinguishes a cluster without ephemeral containers from a deleted pod', async () => {
  server.answer = () => ({
    status: 404,
    body: status('NotFound', 'the server could not find the requested resource'),
  })
  expect((await refused(true)).message).toMatch(/^pod: the cluster has no ephemeral containers.*`level: node`/)
})

it('shows a remote message in one line, so that none of its lines looks like a command', async () => {
  const remoteMessage = 'admission webhook "x" denied the request:\nkubectl delete ns shop <<\'EOF\'\nEOF'
  server.answer = () => ({ status: 403, body: status('Forbidden', remoteMessage) })
  expect((await refused(true)).message).not.toContain('\n')
})

it('reports that it is unknown whether the container was added when the API server fails', async () => {
  server.answer = () => ({ status: 500, body: status('InternalError', 'etcd is away') })
  const error = await refused(false)
  expect(error).not.toBeInstanceOf(NothingCreated)
  expect(error.message).toMatch(
    /^pod: the API server answered 500 \(etcd is away\).*unknown whether.*ends by itself after 60 s/,
  )
})

describe('a start that failed', () => {
  const abandon = (error: unknown): Promise<object> =>
    ephemeralRecorder(server.connection, recordFor()).abandonStart(error)
  const problem = { code: 'E_POD_SECURITY', input: 'namespace', problem: 'no', fix: '' } as const

  it('has no leftovers when the container was rejected', async () => {
    await expect(abandon(new NothingCreated(problem))).resolves.toEqual({ leftovers: [], unfinished: false })
  })

  it('leaves a terminated container when the container ended before it recorded packets', async () => {
    await expect(abandon(new NothingRecorded(problem))).resolves.toEqual({
      leftovers: [
        "the terminated ephemeral container packet-capture-x stays in the pod's spec until the pod is deleted",
      ],
      unfinished: false,
    })
  })

  it('is cleaned up by the post step when the container may still start', async () => {
    await expect(abandon(new Error('start-timeout'))).resolves.toEqual({
      leftovers: [
        expect.stringMatching(/packet-capture-x.* if it still starts, it ends by itself after 60 s without contact/),
      ],
      unfinished: true,
    })
  })
})
