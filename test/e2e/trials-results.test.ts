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

  // Patches of one pod's ephemeral containers at the same time would contend.
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

  /** A run of 2 s against a service with the faults. Without `says` the upload must succeed in spite of them. */
  const against = (
    pod: string,
    name: string,
    done: string,
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
      expect(post).toMatchObject({ exitCode: 0, log: '' }) // main has done it all, well or badly
      expect(verdict.verdict).toBe('complete')
      expect(existsSync(path)).toBe(true)
      const packets = await soundPackets(main)
      expect(main.log).toContain(path)
      const figures = `exit code ${String(main.exitCode)}, ${String(packets)} packets kept, step took ${seconds(main.durationMs / 1000)}, ended ${seconds(main.endedAfterLastLineMs / 1000)} after its last line`
      if (says === undefined) {
        expect(main).toMatchObject({ exitCode: 0 })
        expect(step.results.artifacts).toHaveLength(1)
        return { result: 'uploaded all the same', figures }
      }
      expect(main.exitCode).toBe(1)
      expect(step.results.artifacts).toEqual([])
      const error = main.annotations.find(({ level }) => level === 'error')?.message ?? ''
      expect(error).toMatch(says)
      expect(error).toContain(`The file stays on the runner: ${path}`)
      return { result: 'the step fails, the file is kept, its path is told', figures }
    },
  })

  sideBySide(group, [
    against(
      'refused',
      '401',
      'CreateArtifact answers 401',
      { create: 'unauthorized' },
      /does not accept the job's token/,
    ),
    against(
      'unwilling',
      '403',
      'CreateArtifact answers 403',
      { create: 'forbidden' },
      /does not accept the job's token/,
    ),
    against('taken', '409', 'The name is taken', { create: 'conflict' }, /exists in this run already/),
    against('full', 'quota', 'The account is full', { create: 'quota' }, /storage of the account/),
    against('away-once', '503 once', 'CreateArtifact answers 503 once', { create: 'unavailable-once' }),
    against('away', '503 always', 'CreateArtifact answers 503 always', { create: 'unavailable' }, /was not uploaded/),
    against('reset-once', 'a reset', 'One block is answered by a reset', { blob: 'reset-once' }),
    against('reset', 'resets', 'Every block is answered by a reset', { blob: 'reset' }, /was not uploaded/),
    against(
      'stall',
      'a stall',
      'The blob store takes nothing; the limit of @actions/artifact set from 5 minutes to 3 s',
      { blob: 'stall' },
      /was not uploaded/,
      { ACTIONS_ARTIFACT_UPLOAD_TIMEOUT_MS: '3000' },
    ),
    against(
      'truncated',
      'a truncated block list',
      'The store forgets the last block',
      { blob: 'truncated-block-list' },
      /was not uploaded/,
    ),
  ])
})
