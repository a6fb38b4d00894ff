import { newCaptureId } from '../../../src/capture/plan.ts'
import { recorderContainer } from '../../../src/capture/recorder-container.ts'
import { stopStaleRecorder, findStaleRecorders } from '../../../src/capture/leftovers.ts'
import type { Pod } from '../../../src/cluster/pod.ts'
import { startServer, status, success } from '../../support/api-server.ts'
import { plan, target } from '../../support/target.ts'

const now = Date.parse('2026-11-22T12:00:00Z')
const captureId = newCaptureId('octocat/shop')

const recorderCommand = (deadline: number): string[] =>
  recorderContainer(captureId, plan({}), deadline)['command'] as string[]

function pod({ name = captureId, deadline = now / 1000 - 1, running = true }): Pod {
  return {
    spec: { ephemeralContainers: [{ name, command: recorderCommand(deadline) }] },
    status: { ephemeralContainerStatuses: [{ name, state: running ? { running: {} } : { terminated: {} } }] },
  }
}
const found = (facts: Pod): readonly string[] => findStaleRecorders(target(facts), 'octocat/shop', now)

describe('a recorder of an earlier run', () => {
  it('is a container of this repository that runs beyond its deadline', () => {
    expect(found(pod({}))).toEqual([captureId])
  })

  it('is not a container of a running capture, another repository or a user, and not a terminated container', () => {
    expect(found(pod({ deadline: now / 1000 + 60 }))).toEqual([])
    expect(found(pod({ name: newCaptureId('octocat/other') }))).toEqual([])
    expect(found(pod({ name: 'debugger-x7k2p' }))).toEqual([])
    expect(found(pod({ running: false }))).toEqual([])
    expect(found(pod({ deadline: Number.NaN }))).toEqual([])
    expect(found({})).toEqual([])
  })

  it('is stopped through its files, and the result is reported', async () => {
    const server = await startServer()
    server.exec = (session) => session.end(success)
    await expect(stopStaleRecorder(server.connection, target(), captureId)).resolves.toMatch(
      /^Stopped .* left running in pod web-1/,
    )
    expect(server.sessions[0]?.query.get('container')).toBe(captureId)
    expect(server.sessions[0]?.command.join(' ')).toContain(`/tmp/${captureId}`)
    server.refuse = () => ({ status: 403, body: status('Forbidden', 'no exec') })
    await expect(stopStaleRecorder(server.connection, target(), captureId)).resolves.toMatch(
      /could not be stopped: no exec/,
    )
    await server.stop()
  })
})
