import { ConfigurationError } from '../../common/errors.ts'
import { textOf, type Entry, type UserEntry } from './entry.ts'
import type { Kubeconfig } from './read-kubeconfig.ts'

/** A context with the cluster and the user that it names. */
export interface ChosenContext {
  readonly context: Entry
  readonly cluster: Entry
  readonly user: UserEntry
}

/**
 * The context of the input, else the current context.
 * @throws ConfigurationError where it does not exist, or its cluster or user does not
 */
export function chooseContext(kubeconfig: Kubeconfig, wanted: string | undefined): ChosenContext {
  const { currentContext, contexts, clusters, users } = kubeconfig
  const name = wanted ?? currentContext
  const context = name === undefined ? undefined : contexts.get(name)
  if (!context) throw noContext(kubeconfig, wanted)
  const clusterName = textOf(context.fields['cluster'])
  const cluster = clusterName === undefined ? undefined : clusters.get(clusterName)
  if (!cluster) throw noEntry(kubeconfig, context, 'cluster', clusterName)
  const userName = textOf(context.fields['user'])
  const user = userName === undefined ? { name: undefined, fields: {}, folder: undefined } : users.get(userName)
  if (!user) throw noEntry(kubeconfig, context, 'user', userName)
  return { context, cluster, user }
}

function noContext({ origin, currentContext, contexts }: Kubeconfig, wanted: string | undefined): ConfigurationError {
  const code = 'E_KUBECONFIG_CONTEXT'
  if (wanted !== undefined) {
    return new ConfigurationError({
      code,
      input: 'context',
      problem: `${origin} has no context ${JSON.stringify(wanted)}`,
      fix: `Its contexts are: ${namesOf(contexts)}.`,
    })
  }
  const missing = currentContext === undefined ? '' : ` (${JSON.stringify(currentContext)} does not exist)`
  return new ConfigurationError({
    code,
    input: 'kubeconfig',
    problem: `${origin} has no usable current context${missing}`,
    fix: `Set the input \`context\` to one of: ${namesOf(contexts)}.`,
  })
}

function noEntry(
  { origin, clusters, users }: Kubeconfig,
  context: Entry,
  kind: 'cluster' | 'user',
  name: string | undefined,
): ConfigurationError {
  const named = name === undefined ? `no ${kind}` : `the ${kind} ${JSON.stringify(name)}, which does not exist`
  return new ConfigurationError({
    code: 'E_KUBECONFIG_CONTEXT',
    input: 'kubeconfig',
    problem: `the context ${JSON.stringify(context.name)} of ${origin} names ${named}`,
    fix: `Correct the kubeconfig, whose ${kind}s are: ${namesOf(kind === 'cluster' ? clusters : users)}; or set the input \`context\` to another context.`,
  })
}

function namesOf(entries: ReadonlyMap<string, Entry>): string {
  return [...entries.keys()].join(', ') || '(none)'
}
