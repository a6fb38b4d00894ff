import { containerName } from '../../../src/capture/container.ts'
import { endRemains, findRemains } from '../../../src/capture/remains.ts'
import type { Pod } from '../../../src/cluster/pod.ts'
import { startServer, status, success } from '../cluster/server.ts'
import { target } from './target.ts'

const now = Date.parse('2026-11-22T12:00:00Z')
const ours = containerName('octocat/shop')

function pod({ name = ours, deadline = now / 1000 - 1, running = true }): Pod {
  return {
    spec: { ephemeralContainers: [{ name, env: [{ name: 'CAPTURE_DEADLINE', value: String(deadline) }] }] },
    status: { ephemeralContainerStatuses: [{ name, state: running ? { running: {} } : { terminated: {} } }] },
  }
}
const found = (facts: Pod): readonly string[] => findRemains(target(facts), 'octocat/shop', now)

describe('what an earlier run left', () => {
  it('is a container of this repository that runs beyond its deadline', () => {
    expect(found(pod({}))).toEqual([ours])
  })

  it('is never one of a capture that goes on, of another repository, of a person, or one that has ended', () => {
    expect(found(pod({ deadline: now / 1000 + 60 }))).toEqual([])
    expect(found(pod({ name: containerName('octocat/other') }))).toEqual([])
    expect(found(pod({ name: 'debugger-x7k2p' }))).toEqual([])
    expect(found(pod({ running: false }))).toEqual([])
    expect(found(pod({ deadline: Number.NaN }))).toEqual([])
    expect(found({})).toEqual([])
  })

  it('is asked to end through its own files, and what came of it is said', async () => {
    const server = await startServer()
    server.exec = (session) => session.end(success)
    await expect(endRemains(server.connection, target(), ours)).resolves.toMatch(/^Ended .* left in pod web-1/)
    expect(server.sessions[0]?.query.get('container')).toBe(ours)
    expect(server.sessions[0]?.command.join(' ')).toContain(`/tmp/${ours}`)
    server.refuse = () => ({ status: 403, body: status('Forbidden', 'no exec') })
    await expect(endRemains(server.connection, target(), ours)).resolves.toMatch(/could not be ended: no exec/)
    await server.stop()
  })
})
