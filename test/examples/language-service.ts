/**
 * GitHub's own checks of workflow and action files, offline: `node language-service.ts FILE…` prints what it finds, and
 * `--json` gives it to a program. A process of its own, because the package imports JSON without saying that it is
 * JSON, which Node refuses; the hook below says it.
 */
import { readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { basename, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { load } from 'js-yaml'
import type { ActionMetadata, ActionReference } from '@actions/languageservice/action'

export interface Problem {
  file: string
  /** Counted from 1. */
  line: number
  message: string
}

registerHooks({
  load: (url, context, next) =>
    url.endsWith('.json') ? next(url, { ...context, importAttributes: { type: 'json' } }) : next(url, context),
})
const { validate } = await import('@actions/languageservice')
const { FeatureFlags } = await import('@actions/expressions')
const { TextDocument } = await import('vscode-languageserver-textdocument')

/** Our own action is known from the working tree, so that a wrong input is found; of others nothing is checked. */
const fetchActionMetadata = ({ name }: ActionReference): Promise<ActionMetadata> =>
  Promise.resolve(
    name === 'kubernetes-packet-capture'
      ? (load(readFileSync(join(import.meta.dirname, '../../action.yml'), 'utf8')) as ActionMetadata)
      : { name, description: '' },
  )

const json = process.argv.includes('--json')
const problems: Problem[] = []
for (const file of process.argv.slice(2).filter((argument) => argument !== '--json')) {
  // The service takes a file for an action by its name, and for a workflow by its folder.
  const name = /^action\.ya?ml$/.test(basename(file)) ? file : `/.github/workflows/${basename(file)}`
  const document = TextDocument.create(pathToFileURL(name).href, 'yaml', 1, readFileSync(file, 'utf8'))
  const found = await validate(document, {
    featureFlags: new FeatureFlags({ all: true }),
    actionsMetadataProvider: { fetchActionMetadata },
  })
  for (const { range, message } of found) {
    problems.push({ file, line: range.start.line + 1, message: typeof message === 'string' ? message : message.value })
  }
}
if (json) console.log(JSON.stringify(problems))
else for (const { file, line, message } of problems) console.log(`${file}:${String(line)}: ${message}`)
process.exitCode = json || problems.length === 0 ? 0 : 1
