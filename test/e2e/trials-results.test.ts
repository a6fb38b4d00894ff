import { existsSync } from 'node:fs'
import { apply, createNamespace, deleteNamespace, podAddresses } from './cluster.ts'
import type { ResultsFaults } from '../sandbox/results/start.ts'
import { seconds, soundPackets } from './trials/check.ts'
import { sideBySide, trials, type Trial } from './trials/ledger.ts'
import { captureOf, createSteps } from './trials/step.ts'
import { createSink, sourceManifest } from './trials/stream.ts'

trials('the results service', (group) => {
  const steps = createSteps()
  let namespace: string

  // Simultaneous patches of the ephemeral containers of one pod would conflict.
  const names = [
    'refused',
    'unwilling',
    'taken',
    'full',
    'away-once',
    'away',
    'reset-once',
    'reset',
    'stall',
    'truncated',
  ]

  beforeAll(async () => {
    namespace = await createNamespace('trial-results')
    const sink = await createSink(namespace)
    await apply(names.map((name) => sourceManifest(namespace, name, sink, { talk: true })))
    await podAddresses(namespace, ...names)
  }, 120_000)

  afterAll(async () => {
    await steps.close()
    await deleteNamespace(namespace)
  }, 60_000)

  /** A 2 s capture with these faults of the service. Without `says`, the upload must succeed despite the faults. */
  const against = (
    pod: string,
    [name, done]: readonly [name: string, done: string],
    faults: ResultsFaults,
    says?: RegExp,
    env: Record<string, string> = {},
  ): Trial => ({
    name,
    done,
    timeout: 240_000,
    body: async () => {
      const step = await steps.start(
        { pod, namespace, duration: '2s' },
        { env, before: (results) => Object.assign(results.faults, faults) },
      )
      const main = await step.main.done
      const post = await step.post()
      const { verdict } = captureOf(main)
      const path = main.outputs['pcap-path'] ?? ''
      expect(main.signal).toBeNull()
      expect(main.endedAfterLastLineMs).toBeLessThan(5_000)
      expect(post).toMatchObject({ exitCode: 0, log: '' }) // main has done everything, so post has nothing to do
      expect(verdict.verdict).toBe('complete')
      expect(existsSync(path)).toBe(true)
      const packets = await soundPackets(main)
      expect(main.log).toContain(path)
      const figures = `exit code ${String(main.exitCode)}, ${String(packets)} packets kept, the step took ${seconds(main.durationMs / 1000)} and ended ${seconds(main.endedAfterLastLineMs / 1000)} after its last line`
      if (says === undefined) {
        expect(main).toMatchObject({ exitCode: 0 })
        expect(step.results.captures).toHaveLength(1)
        return { result: 'uploaded', figures }
      }
      expect(main.exitCode).toBe(1)
      expect(step.results.artifacts).toEqual([])
      const error = main.annotations.find(({ level }) => level === 'error')?.message ?? ''
      expect(error).toMatch(says)
      expect(error).toContain(`The file stays on the runner: ${path}`)
      return { result: 'the step fails, the file is kept, the log contains its path', figures }
    },
  })

  sideBySide(group, [
    against(
      'refused',
      ['401', 'CreateArtifact responds with 401'],
      { create: 'unauthorized' },
      /rejects the token of the job/,
    ),
    against(
      'unwilling',
      ['403', 'CreateArtifact responds with 403'],
      { create: 'forbidden' },
      /rejects the token of the job/,
    ),
    against(
      'taken',
      ['409', 'An artifact with this name exists'],
      { create: 'conflict' },
      /exists in this run already/,
    ),
    against('full', ['quota', 'The storage quota is used up'], { create: 'quota' }, /storage of the account/),
    against('away-once', ['503 once', 'CreateArtifact responds with 503 once'], { create: 'unavailable-once' }),
    against(
      'away',
      ['503 always', 'CreateArtifact always responds with 503'],
      { create: 'unavailable' },
      /was not uploaded/,
    ),
    against('reset-once', ['one connection reset', 'The connection is reset for one block'], { blob: 'reset-once' }),
    against(
      'reset',
      ['every connection reset', 'The connection is reset for all blocks'],
      { blob: 'reset' },
      /was not uploaded/,
    ),
    against(
      'stall',
      ['a stall', 'The blob store does not respond; the time limit of @actions/artifact is set from 5 minutes to 3 s'],
      { blob: 'stall' },
      /was not uploaded/,
      { ACTIONS_ARTIFACT_UPLOAD_TIMEOUT_MS: '3000' },
    ),
    against(
      'truncated',
      ['a truncated block list', 'The blob store loses the last block'],
      { blob: 'truncated-block-list' },
      /was not uploaded/,
    ),
  ])
})
