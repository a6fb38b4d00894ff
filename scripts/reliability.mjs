#!/usr/bin/env node
// node scripts/reliability.mjs TRIALS.json: writes the results of the trials to the tables of docs/reliability.md. This command creates the file:
// TRIALS_OUT=TRIALS.json npm run test:e2e -- test/e2e/trials-
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { format, resolveConfig } from 'prettier'

const [source] = process.argv.slice(2)
if (!source) {
  console.error('usage: node scripts/reliability.mjs TRIALS.json')
  process.exit(2)
}
const { machine, rows } = JSON.parse(readFileSync(source, 'utf8'))
const document = join(import.meta.dirname, '../docs/reliability.md')
const markers = ['<!-- trials: written by scripts/reliability.mjs -->', '<!-- end of trials -->']

/** The order of the groups; other groups come last. */
const groups = [
  'the connection',
  '50,000 packets per second',
  'the target, the node and the disk of the runner',
  'cancel',
  'SIGKILL of the action, without post',
  'the results service',
]
const cell = (text) => text.replaceAll('|', '\\|')

const passed = rows.filter((row) => row.passed).length
const lines = [
  `${passed} of ${rows.length} trials passed on ${machine.date}: ${machine.cores} cores, Linux ${machine.kernel}, Node ${machine.node}.`,
]
const found = [...new Set(rows.map(({ group }) => group))]
for (const group of found.sort((a, b) => (groups.indexOf(a) + 1 || 99) - (groups.indexOf(b) + 1 || 99))) {
  lines.push('', `### ${group[0].toUpperCase()}${group.slice(1)}`, '', '| trial | what was done | result | figures |')
  lines.push('| --- | --- | --- | --- |')
  for (const row of rows.filter((one) => one.group === group)) {
    const result = row.passed ? row.result : `**${row.result}**`
    lines.push(`| ${[row.trial, row.done, result, row.figures].map(cell).join(' | ')} |`)
  }
}

const text = readFileSync(document, 'utf8')
const [before, after] = [text.indexOf(markers[0]), text.indexOf(markers[1])]
if (before === -1 || after === -1) throw new Error(`${document} does not contain the markers`)
const written = `${text.slice(0, before)}${markers[0]}\n\n${lines.join('\n')}\n\n${text.slice(after)}`
const options = await resolveConfig(document)
writeFileSync(document, await format(written, { ...options, parser: 'markdown' }))
console.log(`${document}: ${passed} of ${rows.length} trials passed`)
