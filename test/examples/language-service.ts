/**
 * GitHub's own checks of workflow and action files, offline: `node language-service.ts FILE…` prints what it finds, and
 * `--json` prints it as JSON. Runs in a separate process, because the package imports JSON without an import attribute,
 * which Node rejects; the hook below adds the attribute.
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

/** Reads this action from the working tree, so that an unknown input is found; does not check other actions. */
const fetchActionMetadata = ({ name }: ActionReference): Promise<ActionMetadata> =>
  Promise.resolve(
    name === 'kubernetes-packet-capture'
      ? (load(readFileSync(join(import.meta.dirname, '../../action.yml'), 'utf8')) as ActionMetadata)
      : { name, description: '' },
  )

const json = process.argv.includes('--json')
const problems: Problem[] = []
for (const file of process.argv.slice(2).filter((argument) => argument !== '--json')) {
  // The service detects an action by its file name, and a workflow by its folder.
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
