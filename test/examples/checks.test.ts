import { execFileSync } from 'node:child_process'
import { accessSync, constants, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { load } from 'js-yaml'
import type { Problem } from './language-service.ts'

const root = join(import.meta.dirname, '../..')
const list = (folder: string): string[] =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.yml'))
    .map((name) => join(root, folder, name))
const examples = list('docs/examples')
const workflows = list('.github/workflows')

function problemsOf(files: string[]): Problem[] {
  const script = join(import.meta.dirname, 'language-service.ts')
  const env = { ...process.env, NODE_OPTIONS: '' }
  return JSON.parse(
    execFileSync(process.execPath, [script, '--json', ...files], { env, encoding: 'utf8' }),
  ) as Problem[]
}

interface Workflow {
  permissions?: unknown
  concurrency?: unknown
  jobs: Record<string, { needs?: string[]; permissions?: unknown; 'timeout-minutes'?: number; steps: Step[] }>
}

interface Step {
  uses?: string
  run?: string
  with?: Record<string, unknown>
}

const read = (file: string): Workflow => load(readFileSync(file, 'utf8')) as Workflow
const stepsOf = (file: string): Step[] => Object.values(read(file).jobs).flatMap((job) => job.steps)

describe("GitHub's language service", () => {
  it('finds no problem in the examples, the workflows and action.yml', () => {
    expect(problemsOf([...examples, ...workflows, join(root, 'action.yml')])).toEqual([])
  })

  it('finds an unknown input of this action, an unknown key and an unknown context', () => {
    const folder = mkdtempSync(join(tmpdir(), 'workflow-'))
    const file = join(folder, 'wrong.yml')
    const wrong = readFileSync(join(root, 'docs/examples/incident.yml'), 'utf8')
      .replace('filter: ${{ inputs.filter }}', 'fliter: ${{ inputs.filter }}')
      .replace('timeout-minutes', 'timeout-mintues')
      .replace('inputs.duration', 'inputs.druation')
    writeFileSync(file, wrong)
    const messages = problemsOf([file]).map((problem) => problem.message)
    rmSync(folder, { recursive: true })
    expect(messages.toSorted()).toEqual([
      'Context access might be invalid: druation',
      "Invalid action input 'fliter'",
      "Unexpected value 'timeout-mintues'",
    ])
  })
})

describe.each([...examples, ...workflows].map((file) => [basename(file), file]))('%s', (_, file) => {
  it('grants no permissions at the top level, and sets a time limit for each job', () => {
    const { permissions, concurrency, jobs } = read(file)
    expect(permissions).toEqual({})
    expect(concurrency).toHaveProperty('group')
    for (const job of Object.values(jobs)) expect(job['timeout-minutes']).toBeGreaterThan(0)
  })

  it('pins each action to a commit, with the version in a comment', () => {
    const uses = readFileSync(file, 'utf8').match(/uses: .*/g) ?? []
    for (const line of uses) expect(line).toMatch(/^uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d/)
  })

  it('uses no expression in a shell script', () => {
    for (const { run = '' } of stepsOf(file)) expect(run).not.toMatch(/\$\{\{/)
  })

  it('stores no token in the checkout', () => {
    const checkouts = stepsOf(file).filter((step) => step.uses?.startsWith('actions/checkout@'))
    for (const step of checkouts) expect(step.with).toMatchObject({ 'persist-credentials': false })
  })
})

describe.each(workflows.map((file) => [basename(file), file]))('the workflow %s', (_, file) => {
  it('calls scripts that exist', () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: object }
    const text = stepsOf(file)
      .map((step) => step.run)
      .join('\n')
    for (const [, name = ''] of text.matchAll(/npm run ([\w:-]+)/g)) expect(Object.keys(scripts)).toContain(name)
    for (const [, path = ''] of text.matchAll(/^(\S+\.sh)\b/gm)) accessSync(join(root, path), constants.X_OK)
  })

  it('has a last job that needs all other jobs', () => {
    const { all, ...others } = read(file).jobs
    expect(all?.needs?.toSorted()).toEqual(Object.keys(others).toSorted())
  })
})
