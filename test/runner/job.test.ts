import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { condition, interpolate, type Scope } from './expressions.ts'
import { runJob, type JobOptions, type JobResult } from './job.ts'

let temp: string

beforeEach(() => {
  temp = mkdtempSync(join(tmpdir(), 'job-'))
})

afterEach(() => {
  rmSync(temp, { recursive: true })
})

const workflow = (steps: string): string => `
name: Capture
on:
  workflow_dispatch:
    inputs:
      pod: { type: string, required: true }
      level: { type: choice, options: [pod, node], default: pod }
env:
  FROM_WORKFLOW: workflow
jobs:
  capture:
    runs-on: ubuntu-latest
    env:
      FROM_JOB: \${{ inputs.pod }}
    steps:
${steps.replace(/^/gm, '      ')}
`

function run(steps: string, options: Partial<JobOptions> = {}): Promise<JobResult> {
  const path = join(temp, 'workflow.yml')
  writeFileSync(path, workflow(steps))
  const actionPath = join(import.meta.dirname, 'fixture')
  return runJob(path, { actionPath, temp, inputs: { pod: 'web' }, ...options })
}

describe('a job', () => {
  it('runs its steps in order and the post steps in reverse', async () => {
    const { conclusion, steps, log } = await run(`
- uses: actions/checkout@v6
- id: first
  uses: OWNER/kubernetes-packet-capture@v1
  with: { scenario: commands }
  continue-on-error: true
- uses: OWNER/kubernetes-packet-capture@v1
  with: { scenario: environment }
- name: Read for \${{ inputs.pod }}
  env:
    JSON: \${{ steps.first.outputs.json }}
  run: |
    echo "json=$JSON $FROM_WORKFLOW $FROM_JOB $EXPORTED \${PATH%%:*} \${ACTIONS_RUNTIME_TOKEN-no token}"
    echo outcome=\${{ steps.first.outcome }},\${{ steps.first.conclusion }}
`)
    expect(conclusion).toBe('success')
    expect(steps.map((step) => [step.outcome, step.conclusion])).toEqual([
      ['success', 'success'],
      ['failure', 'success'],
      ['success', 'success'],
      ['success', 'success'],
    ])
    expect(steps[3]?.main?.log).toBe('json={"a":1} workflow web yes /opt/tool/bin no token\noutcome=failure,success')
    expect(log.match(/^=== .*/gm)).toEqual([
      '=== actions/checkout@v6',
      '=== OWNER/kubernetes-packet-capture@v1',
      '=== OWNER/kubernetes-packet-capture@v1',
      '=== Read for web',
      '=== Post OWNER/kubernetes-packet-capture@v1',
      '=== Post OWNER/kubernetes-packet-capture@v1',
    ])
    expect(steps[1]?.post?.stdout).toContain('"STATE_token":"kept hunter2"')
  })

  it('continues after a failure only in steps that request it', async () => {
    const { conclusion, steps } = await run(`
- id: rollout
  run: "false | true; exit 3"
- run: echo unreached
- if: failure() && steps.rollout.outcome == 'failure'
  run: echo diagnosis
- if: always()
  run: echo end
- if: success()
  run: echo no
`)
    expect(conclusion).toBe('failure')
    expect(steps.map((step) => step.outcome)).toEqual(['failure', 'skipped', 'success', 'success', 'skipped'])
  })

  it('masks the secrets in all logs', async () => {
    const step = '- env: { TOKEN: "${{ secrets.TOKEN }}" }\n  run: echo "$TOKEN is ${#TOKEN} long"'
    const { log } = await run(step, { secretValues: { TOKEN: 'hunter22' } })
    expect(log).toContain('*** is 8 long')
    expect(log).not.toContain('hunter22')
  })

  it('is cancelled with its running step; then only always() steps and post steps run', async () => {
    const abort = new AbortController()
    const { conclusion, steps } = await run(
      `
- uses: OWNER/kubernetes-packet-capture@v1
  with: { scenario: waiting }
- run: echo unreached
- if: always()
  run: echo reached
`,
      {
        signal: abort.signal,
        onLine: (line) => {
          if (line === 'ready') abort.abort()
        },
      },
    )
    expect(conclusion).toBe('cancelled')
    expect(steps[0]?.post?.stdout).toContain('"STATE_stopped":"by SIGINT"')
    expect(steps[1]?.outcome).toBe('skipped')
    expect(steps[2]?.main?.log).toBe('reached')
  })

  it('stops a step at its time limit', async () => {
    const { conclusion, steps } = await run('- run: exec sleep 60\n  timeout-minutes: 0.005')
    expect(conclusion).toBe('failure')
    expect(steps[0]?.main?.signal).toBe('SIGINT')
  })

  it.each([
    [{}, /required input 'pod' not provided/],
    [{ pod: 'web', level: 'cluster' }, /'cluster' is not an option of 'level'/],
    [{ pod: 'web', namspace: 'shop' }, /unexpected inputs: namspace/],
  ])('rejects the form %j', async (inputs, pattern) => {
    await expect(run('- run: "true"', { inputs })).rejects.toThrow(pattern)
  })

  it('runs the action from any folder', async () => {
    cpSync(join(import.meta.dirname, 'fixture'), join(temp, 'copy'), { recursive: true })
    const steps = '- uses: OWNER/kubernetes-packet-capture@v1\n  with: { scenario: malformed }'
    const {
      steps: [step],
    } = await run(steps, { actionPath: join(temp, 'copy') })
    // Outside of this repository the fixture finds no @actions/core.
    expect(step?.main?.stderr).toContain("Cannot find package '@actions/core'")
  })
})

describe('expressions', () => {
  const scope: Scope = {
    status: 'failure',
    contexts: { inputs: { pod: 'web', deep: { list: [1, 2] } }, steps: {}, github: { run_id: '5' } },
  }

  it.each([
    ['${{ inputs.pod }}-${{github.run_id}}', 'web-5'],
    ["${{ inputs.none || 'default' }}", 'default'],
    ["${{ format('{0}}}', inputs.pod) }}", 'web}'],
    ["${{ contains(inputs.pod, 'e') && steps.x.outputs.y }}", ''],
    ['${{ toJSON(inputs.deep.list[1]) }}', '2'],
    ['$HOME ${x} {{ }}', '$HOME ${x} {{ }}'],
  ])('evaluates %j to %j', (text, expected) => {
    expect(interpolate(text, scope)).toBe(expected)
  })

  it.each([
    [undefined, false],
    ['failure()', true],
    ['${{ always() }}', true],
    ["inputs.pod == 'WEB'", false],
    ["!cancelled() && inputs.pod == 'WEB'", true],
    ['success() || failure()', true],
    ['cancelled()', false],
  ])('evaluates the condition %j to %j after a failure', (text, expected) => {
    expect(condition(text, scope)).toBe(expected)
  })
})
