import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { load, loadAll } from 'js-yaml'
import type { Problem } from './language-service.ts'

/** The workflows in docs/access.md, and the files that they stand on. */

const root = join(import.meta.dirname, '../..')
const text = readFileSync(join(root, 'docs/access.md'), 'utf8')
const workflows = [...text.matchAll(/^```yaml\n([^]*?)^```$/gm)].map((match) => match[1] ?? '')

interface Workflow {
  name: string
  jobs: Record<
    string,
    {
      environment?: string
      permissions?: object
      steps: { uses?: string; run?: string; with?: Record<string, string> }[]
    }
  >
}

it('are four, one for each way, and each waits for a reviewer and may have an id token', () => {
  expect(workflows).toHaveLength(4)
  for (const workflow of workflows) {
    const { capture } = (load(workflow) as Workflow).jobs
    expect(capture).toMatchObject({ environment: 'packet-capture', permissions: { 'id-token': 'write' } })
    for (const { run = '' } of capture?.steps ?? []) expect(run).not.toMatch(/\$\{\{/)
  }
})

it("are accepted by GitHub's language service, which knows our inputs", () => {
  const folder = mkdtempSync(join(tmpdir(), 'access-'))
  const files = workflows.map((workflow, i) => {
    const path = join(folder, `${String(i)}.yml`)
    writeFileSync(path, workflow)
    return path
  })
  const script = join(import.meta.dirname, 'language-service.ts')
  const env = { ...process.env, NODE_OPTIONS: '' }
  const answer = execFileSync(process.execPath, [script, '--json', ...files], { env, encoding: 'utf8' })
  rmSync(folder, { recursive: true })
  expect((JSON.parse(answer) as Problem[]).map(({ message }) => message)).toEqual([])
})

interface Rbac {
  kind: string
  rules?: unknown
  roleRef?: unknown
  subjects?: { kind: string; name: string }[]
}
const rbac = (name: string): Rbac[] => loadAll(readFileSync(join(root, 'docs/rbac', name), 'utf8')) as Rbac[]

it.each([
  ['google-service-account.yaml', /@PROJECT\.iam\.gserviceaccount\.com$/],
  ['github-oidc.yaml', /^github:repo:OWNER\/REPOSITORY:environment:packet-capture$/],
])('docs/rbac/%s grants what developer.yaml grants, to one user', (name, subject) => {
  const [role, binding] = rbac(name)
  const [developer, bound] = rbac('developer.yaml')
  expect(role).toEqual(developer)
  expect(binding?.roleRef).toEqual(bound?.roleRef)
  expect(binding?.subjects).toEqual([
    expect.objectContaining({ kind: 'User', name: expect.stringMatching(subject) as string }),
  ])
})

it('the subject of the API server’s configuration is the one that is bound', () => {
  interface Configuration {
    jwt: {
      claimValidationRules: { requiredValue: string }[]
      claimMappings: { username: { prefix: string } }
    }[]
  }
  const path = join(root, 'docs/rbac/authentication-configuration.yaml')
  const [jwt] = (load(readFileSync(path, 'utf8')) as Configuration).jwt
  const name = `${jwt?.claimMappings.username.prefix ?? ''}${jwt?.claimValidationRules[0]?.requiredValue ?? ''}`
  expect(
    rbac('github-oidc.yaml')
      .at(-1)
      ?.subjects?.map((subject) => subject.name),
  ).toEqual([name])
})
