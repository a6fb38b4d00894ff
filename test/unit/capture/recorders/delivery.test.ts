import { jest } from '@jest/globals'
import { recorderPayload } from '../../../../src/capture/payload.ts'
import { containerEndpoint } from '../../../../src/capture/recorders/container-endpoint.ts'
import { deliverRecorder, startAndDeliver } from '../../../../src/capture/recorders/delivery.ts'
import { NothingDelivered, NothingRecorded } from '../../../../src/capture/recorders/start-failure.ts'
import { Cancelled } from '../../../../src/common/errors.ts'
import { startServer, status, success, type Answer, type Server } from '../../../support/api-server.ts'
import { useFastClock } from '../../../support/fast-clock.ts'
import { recordFor } from '../../../support/target.ts'
import { until } from '../../../support/until.ts'

useFastClock()

const record = recordFor()
let server: Server
let state: object

beforeEach(async () => {
  server = await startServer()
  state = { running: {} }
  server.answer = (): Answer => ({
    status: 200,
    body: {
      metadata: { uid: record.target.kind === 'pod' ? record.target.uid : '' },
      status: { ephemeralContainerStatuses: [{ name: record.captureId, state }] },
    },
  })
})
afterEach(() => {
  jest.useRealTimers()
  return server.stop()
})

const deliver = (cancel = new AbortController().signal): Promise<unknown> => {
  const { connection } = server
  const target = record.target.kind === 'pod' ? record.target : undefined
  const source = { connection, namespace: target?.namespace ?? '', pod: target?.pod ?? '', uid: target?.uid ?? '' }
  return deliverRecorder(containerEndpoint({ ...source, container: record.captureId }), record, cancel)
}
const thrown = (): Promise<unknown> =>
  deliver().then(
    () => undefined,
    (error: unknown) => error,
  )

it('sends the recorder through the stdin of the first exec, and one line more, which the sed of busybox waits for', async () => {
  server.deliver = (session) => {
    session.onLine = (line) => {
      if (line === '#end') session.stderr('delivered\n')
    }
  }
  await deliver()
  const { text } = recorderPayload(record.captureId, record.plan, record.deadlineSeconds)
  await until('the last line', () => (server.deliveries[0]?.stdin.length ?? 0) > text.split('\n').length)
  expect(server.deliveries[0]?.stdin).toEqual([...text.split('\n'), ''])
  expect(server.deliveries[0]?.command.slice(-2)).toEqual([`/tmp/${record.captureId}`, `/dev/shm/${record.captureId}`])
})

it.each([403, 400, 405])('takes a refusal with %i as the answer, with the message of the server', async (code) => {
  let attempts = 0
  server.refuse = () => {
    attempts += 1
    return { status: code, body: status('Forbidden', 'admission webhook "no-exec" denied the request') }
  }
  const error = (await thrown()) as NothingDelivered
  expect(error).toBeInstanceOf(NothingDelivered)
  expect(error.message).toContain('admission webhook "no-exec" denied the request')
  expect(error.problems.map((problem) => problem.code)).toEqual(['E_EXEC_REFUSED'])
  expect(attempts).toBe(1)
})

it('takes the same 5xx three times as the answer', async () => {
  let attempts = 0
  server.refuse = () => {
    attempts += 1
    return { status: 500, body: status('InternalError', 'error dialing backend: remote error: tls: internal error') }
  }
  const error = (await thrown()) as NothingDelivered
  expect(error.problems.map((problem) => problem.code)).toEqual(['E_EXEC_FAILED'])
  expect(error.message).toContain('error dialing backend: remote error: tls: internal error')
  expect(attempts).toBe(3)
})

it('tries again after one 5xx, and after a connection that is cut before the answer', async () => {
  let attempts = 0
  server.refuse = () => (++attempts === 1 ? { status: 503, body: status('ServiceUnavailable', 'starting') } : undefined)
  server.deliver = (session, number) => (number === 0 ? session.cut() : session.stderr('delivered\n'))
  await deliver()
  expect(server.deliveries).toHaveLength(2)
})

it('reports a tool that the image lacks, from the script or from the end of the container', async () => {
  server.deliver = (session) => session.stderr('error tools the image has no tcpdump\n')
  expect(await thrown()).toMatchObject({ problems: [{ code: 'E_IMAGE_TOOLS_MISSING' }] })
  server.deliver = (session) => session.end(success)
  state = {
    terminated: { exitCode: 1, reason: 'Error', message: 'error space neither /tmp nor /dev/shm can be written\n' },
  }
  const error = await thrown()
  expect(error).toBeInstanceOf(NothingRecorded)
  expect(error).toMatchObject({ problems: [{ code: 'E_SPOOL_NOT_WRITABLE' }] })
})

it('does not say that nothing was recorded where the exec was opened and gave no answer', async () => {
  server.deliver = (session) => session.end(success)
  const error = await thrown()
  expect(error).toMatchObject({ problems: [{ code: 'E_EXEC_FAILED' }] })
  expect(error).not.toBeInstanceOf(NothingRecorded)
})

it('ends with the cancel of the run', async () => {
  const cancel = new AbortController()
  server.deliver = (session) => {
    cancel.abort()
    session.cut()
  }
  await expect(deliver(cancel.signal)).rejects.toBeInstanceOf(Cancelled)
})

describe('before the container is reported as running', () => {
  const events = {
    onTouchingNode: () => undefined,
    onCreated: () => undefined,
    onCaution: () => undefined,
    onWaiting: () => undefined,
    onListening: () => undefined,
    onReconnecting: () => undefined,
    onRemoteLine: () => undefined,
  }
  const start = (): Promise<unknown> => {
    const { connection } = server
    const target = record.target.kind === 'pod' ? record.target : undefined
    const source = { connection, namespace: target?.namespace ?? '', pod: target?.pod ?? '', uid: target?.uid ?? '' }
    const endpoint = containerEndpoint({ ...source, container: record.captureId })
    return startAndDeliver(endpoint, record, events, new AbortController().signal)
  }
  const notFound = { status: 500, body: 'container not found ("packet-capture-x")\n' }
  beforeEach(() => {
    state = { waiting: { reason: 'ContainerCreating' } }
  })

  it('delivers as soon as the container takes an exec, and once', async () => {
    let attempts = 0
    server.refuse = () => (++attempts < 4 ? notFound : undefined)
    server.deliver = (session) => {
      session.stderr('delivered\n')
      state = { running: {} }
    }
    await start()
    expect(attempts).toBe(4)
    expect(server.deliveries).toHaveLength(1)
  })

  it('waits for the report where the exec reached the container and gave no answer', async () => {
    server.deliver = (session, number) => {
      if (number > 0) return session.stderr('delivered\n')
      session.end(success)
      setTimeout(() => (state = { running: {} }), 1_000)
    }
    await start()
    expect(server.deliveries).toHaveLength(2)
  })

  it('reports a refusal once the container runs', async () => {
    server.refuse = () => {
      state = { running: {} }
      return { status: 403, body: status('Forbidden', 'no exec') }
    }
    await expect(start()).rejects.toMatchObject({ problems: [{ code: 'E_EXEC_REFUSED' }] })
  })

  it('reports why the container ended, where it ends between two tries', async () => {
    server.refuse = () => notFound
    setTimeout(() => {
      state = { terminated: { exitCode: 1, reason: 'Error', message: 'error filter syntax error\n' } }
    }, 500)
    await expect(start()).rejects.toMatchObject({ problems: [{ code: 'E_FILTER_REJECTED' }] })
  })

  it('stops to try where the container takes long, and delivers once it runs', async () => {
    let attempts = 0
    server.refuse = () => {
      attempts += 1
      return 'running' in state ? undefined : notFound
    }
    setTimeout(() => (state = { running: {} }), 8_000)
    await start()
    expect(attempts).toBeLessThan(30)
    expect(server.deliveries).toHaveLength(1)
  })
})
