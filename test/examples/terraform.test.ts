import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { itWith, needsProgram } from '../support/needs.ts'

/**
 * docs/terraform, evaluated by the real terraform as far as that needs no provider: the variables, their validation and the local values. The
 * provider is in a registry, so the resources are only compared as text.
 */

const folder = join(import.meta.dirname, '../../docs/terraform')
const main = readFileSync(join(folder, 'main.tf'), 'utf8')
const node = readFileSync(join(folder, 'node/main.tf'), 'utf8')
const noTerraform = needsProgram('terraform', 'https://developer.hashicorp.com/terraform/install')

interface Locals {
  pool_id: string
  role_id: string
  subjects: Record<string, string>
  attribute_condition: string
}

/** The blocks of one kind, as terraform formats them: each ends with a brace at the start of a line. */
const blocks = (text: string, kind: string): string[] => text.match(new RegExp(`^${kind} [^]*?^}$`, 'gm')) ?? []

/** The local values for these variables, or the error. */
function evaluate(variables: Record<string, unknown>): Locals | string {
  const temp = mkdtempSync(join(tmpdir(), 'terraform-'))
  try {
    const output = 'output "locals" {\n  value = local\n}\n'
    const names = ['pool_id', 'role_id', 'subjects', 'attribute_condition']
    const values = names.map((name) => `    ${name} = local.${name}`).join('\n')
    const text = [
      ...blocks(main, 'variable'),
      ...blocks(main, 'locals'),
      output.replace('local\n', `{\n${values}\n  }\n`),
    ]
    writeFileSync(join(temp, 'main.tf'), text.join('\n\n'))
    const given = { project: 'shop', repository: 'octocat/shop', owner_id: '65', ...variables }
    writeFileSync(join(temp, 'terraform.tfvars.json'), JSON.stringify(given))
    const env = { ...process.env, TF_CLI_CONFIG_FILE: undefined, CHECKPOINT_DISABLE: '1' }
    const run = (...args: string[]): string =>
      spawnSync('terraform', args, { cwd: temp, env, encoding: 'utf8' }).stderr.replace(/\s*[│╷╵]\s*/g, ' ')
    const problem = run('apply', '-auto-approve', '-no-color', '-input=false')
    if (problem.includes('Error:')) return problem
    const { stdout } = spawnSync('terraform', ['output', '-json', 'locals'], { cwd: temp, env, encoding: 'utf8' })
    return JSON.parse(stdout) as Locals
  } finally {
    rmSync(temp, { recursive: true })
  }
}

itWith(noTerraform, 'admits each environment of the list and no other', () => {
  expect(evaluate({ environments: ['production', 'packet-capture'] })).toEqual({
    pool_id: 'github-packet-capture',
    role_id: 'packet_capture',
    subjects: {
      production: 'repo:octocat/shop:environment:production',
      'packet-capture': 'repo:octocat/shop:environment:packet-capture',
    },
    attribute_condition:
      "assertion.sub in ['repo:octocat/shop:environment:packet-capture', 'repo:octocat/shop:environment:production'] && assertion.repository_owner_id == '65'",
  })
})

itWith(noTerraform, 'gives two setups in one project different names, which Google accepts', () => {
  const longest = evaluate({ name: `packet-capture-${'x'.repeat(10)}` }) as Locals
  expect(longest.pool_id).toHaveLength(32)
  expect(longest.pool_id).toMatch(/^[a-z0-9-]+$/)
  expect(longest.role_id).toMatch(/^\w{3,64}$/)
  const other = evaluate({}) as Locals
  expect(other.pool_id).not.toBe(longest.pool_id)
  expect(other.role_id).not.toBe(longest.role_id)
})

itWith(noTerraform, 'refuses a name that Google refuses, and an environment that could change the condition', () => {
  for (const name of ['short', '1packet-capture', 'packet-capture-', 'x'.repeat(26)])
    expect(evaluate({ name })).toMatch(/The name needs 6 to 25/)
  for (const environments of [[], ["x' || true || '"], ['a\\'], ['a:b']])
    expect(evaluate({ environments })).toMatch(/At least one environment is needed/)
})

it('has no fixed name of a resource that exists once in a project', () => {
  const names = [main, node].flatMap((text) => [
    ...text.matchAll(/^ +(?:workload_identity_pool_id|account_id|role_id|name) += (.*)$/gm),
  ])
  expect(names.length).toBeGreaterThanOrEqual(7)
  for (const [, value] of names) expect(value).toMatch(/\b(?:local|var|google_\w+\.\w+)\./)
})

itWith(noTerraform, 'is formatted', () => {
  const { stdout } = spawnSync('terraform', ['fmt', '-check', '-recursive', folder], { encoding: 'utf8' })
  expect(stdout).toBe('')
})
