import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { load, loadAll } from 'js-yaml'
import { readAccess } from '../../src/inputs/access.ts'
import { InputReader } from '../../src/inputs/reader.ts'
import type { Problem } from './language-service.ts'

/** The workflows in docs/access.md, and the files that they use. */

const root = join(import.meta.dirname, '../..')
const text = readFileSync(join(root, 'docs/access.md'), 'utf8')
const workflows = [...text.matchAll(/^```yaml\n([^]*?)^```$/gm)]
  .map((match) => match[1] ?? '')
  .filter((block) => /^jobs:/m.test(block))

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

it('docs/access.md has seven workflows, and each one requires a review', () => {
  expect(workflows).toHaveLength(7)
  for (const workflow of workflows) {
    const { capture } = (load(workflow) as Workflow).jobs
    expect(capture).toMatchObject({ environment: 'packet-capture' })
    for (const { run = '' } of capture?.steps ?? []) expect(run).not.toMatch(/\$\{\{/)
    // A job has an ID token or a secret, never both.
    const secret = workflow.includes('${{ secrets.')
    expect(capture?.permissions).toEqual(secret ? undefined : { 'id-token': 'write' })
  }
  expect(workflows.filter((workflow) => workflow.includes('${{ secrets.'))).toHaveLength(1)
})

it('the inputs of each workflow in docs/access.md are valid together', () => {
  for (const workflow of workflows) {
    const step = (load(workflow) as Workflow).jobs['capture']?.steps.at(-1)
    const example = (given = ''): string =>
      given
        .replace('NUMBER', '1')
        .replaceAll('PROJECT', 'shop-prod')
        .replace('CLUSTER', 'shop')
        .replace(/\$\{\{.*/, 'x')
    const inputs = new InputReader((name) => example(step?.with?.[name]))
    readAccess(inputs)
    expect(inputs.problems).toEqual([])
  }
})

it("GitHub's language service accepts the workflows in docs/access.md", () => {
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
])('docs/rbac/%s grants the permissions of developer.yaml, with the name %s, to one user', (file, name, subject) => {
  const [role, binding] = rbac(file)
  const [developer] = rbac('developer.yaml')
  expect(role?.rules).toEqual(developer?.rules)
  expect(binding?.roleRef).toMatchObject({ kind: 'Role', name })
  expect(binding?.subjects).toEqual([
    expect.objectContaining({ kind: 'User', name: expect.stringMatching(subject) as string }),
  ])
})

it('no file of docs/rbac replaces an object of another file', () => {
  const files = ['developer.yaml', 'github-oidc.yaml', 'google-service-account.yaml', 'platform.yaml']
  const names = files.flatMap((file) => rbac(file).map(({ kind, metadata }) => `${kind} ${metadata.name}`))
  expect(new Set(names).size).toBe(names.length)
})

it('the RoleBinding names the subject that the configuration of the API server creates', () => {
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

it('the Terraform enables the APIs that docs/access.md lists, and the APIs for level: node', () => {
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
