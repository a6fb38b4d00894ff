import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { load, loadAll } from 'js-yaml'
import { readAccess } from '../../src/access-input.ts'
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

it('are seven, one for each way, and each waits for a reviewer', () => {
  expect(workflows).toHaveLength(7)
  for (const workflow of workflows) {
    const { capture } = (load(workflow) as Workflow).jobs
    expect(capture).toMatchObject({ environment: 'packet-capture' })
    for (const { run = '' } of capture?.steps ?? []) expect(run).not.toMatch(/\$\{\{/)
    // A job has an id token or a secret, never both.
    const secret = workflow.includes('${{ secrets.')
    expect(capture?.permissions).toEqual(secret ? undefined : { 'id-token': 'write' })
  }
  expect(workflows.filter((workflow) => workflow.includes('${{ secrets.'))).toHaveLength(1)
})

it('enter by inputs that the action takes together', () => {
  for (const workflow of workflows) {
    const step = (load(workflow) as Workflow).jobs['capture']?.steps.at(-1)
    const problems: string[] = []
    const example = (text = ''): string =>
      text
        .replace('NUMBER', '1')
        .replaceAll('PROJECT', 'shop-prod')
        .replace('CLUSTER', 'shop')
        .replace(/\$\{\{.*/, 'x')
    readAccess(
      (name) => example(step?.with?.[name]),
      (problem) => problems.push(problem),
    )
    expect(problems).toEqual([])
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
  metadata: { name: string }
  rules?: unknown
  roleRef?: unknown
  subjects?: { kind: string; name: string }[]
}
const rbac = (name: string): Rbac[] => loadAll(readFileSync(join(root, 'docs/rbac', name), 'utf8')) as Rbac[]

it.each([
  ['google-service-account.yaml', 'packet-capture-google', /@PROJECT\.iam\.gserviceaccount\.com$/],
  ['github-oidc.yaml', 'packet-capture-github', /^github:repo:OWNER\/REPOSITORY:environment:packet-capture$/],
])('docs/rbac/%s grants what developer.yaml grants, under the name %s, to one user', (file, name, subject) => {
  const [role, binding] = rbac(file)
  const [developer] = rbac('developer.yaml')
  expect(role?.rules).toEqual(developer?.rules)
  expect(binding?.roleRef).toMatchObject({ kind: 'Role', name })
  expect(binding?.subjects).toEqual([
    expect.objectContaining({ kind: 'User', name: expect.stringMatching(subject) as string }),
  ])
})

it('no file of docs/rbac takes back in a namespace what another one has granted there', () => {
  const files = ['developer.yaml', 'github-oidc.yaml', 'google-service-account.yaml', 'platform.yaml']
  const names = files.flatMap((file) => rbac(file).map(({ kind, metadata }) => `${kind} ${metadata.name}`))
  expect(new Set(names).size).toBe(names.length)
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
  expect(jwt?.claimValidationRules).toContainEqual({ claim: 'repository_owner_id', requiredValue: '65' })
  const name = `${jwt?.claimMappings.username.prefix ?? ''}${jwt?.claimValidationRules[0]?.requiredValue ?? ''}`
  expect(
    rbac('github-oidc.yaml')
      .at(-1)
      ?.subjects?.map((subject) => subject.name),
  ).toEqual([name])
})

it("the Terraform turns on every API that the document names for it, and the node's for level: node", () => {
  const enabled = [...text.matchAll(/^gcloud services enable (.*)$/gm)].map(([, names = '']) => names.split(' '))
  const [always = [], , node = []] = enabled
  const apisIn = (path: string): string[] =>
    [...readFileSync(join(root, 'docs/terraform', path), 'utf8').matchAll(/"(\w+\.googleapis\.com)"/g)].map(
      ([, name = '']) => name,
    )
  expect(always).toHaveLength(4)
  expect(apisIn('main.tf')).toEqual(expect.arrayContaining(always))
  expect(apisIn('node/main.tf').toSorted()).toEqual(node.toSorted())
})
