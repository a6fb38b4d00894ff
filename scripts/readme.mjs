// Writes the tables of inputs and outputs in README.md from action.yml, between their markers. `--check` only compares them.
import { readFileSync, writeFileSync } from 'node:fs'
import { load } from 'js-yaml'
import { format, resolveConfig } from 'prettier'

const root = new URL('../', import.meta.url)
const action = load(readFileSync(new URL('action.yml', root), 'utf8'))
const file = new URL('README.md', root)
const before = readFileSync(file, 'utf8')

const cell = (text) => String(text).trim().replaceAll('|', '\\|').replaceAll('\n', ' ')
const shown = (value) =>
  value === undefined || value === '' ? '' : `\`${value.length > 60 ? `${value.slice(0, 36)}…` : value}\``
const tables = {
  inputs: [
    '| input | default | |',
    '| --- | --- | --- |',
    ...Object.entries(action.inputs).map(
      ([name, { description, required, default: value }]) =>
        `| \`${name}\` | ${required ? '**required**' : shown(value)} | ${cell(description)} |`,
    ),
  ],
  outputs: [
    '| output | |',
    '| --- | --- |',
    ...Object.entries(action.outputs).map(([name, { description }]) => `| \`${name}\` | ${cell(description)} |`),
  ],
}

let after = before
for (const [name, lines] of Object.entries(tables)) {
  const block = new RegExp(`(<!-- ${name} -->)[^]*?(<!-- /${name} -->)`)
  if (!block.test(after)) throw new Error(`README.md has no markers <!-- ${name} --> and <!-- /${name} -->`)
  after = after.replace(block, (_all, open, close) => `${open}\n\n${lines.join('\n')}\n\n${close}`)
}
after = await format(after, { ...(await resolveConfig(file)), parser: 'markdown' })
if (process.argv.includes('--check')) {
  if (after !== before) {
    console.error('README.md: the tables differ from action.yml. Run `npm run readme`.')
    process.exitCode = 1
  }
} else {
  writeFileSync(file, after)
}
