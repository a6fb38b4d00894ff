/** What a field of a kubeconfig must be. Lists and mappings name the type of their items. */
type FieldType =
  | 'text'
  | 'boolean'
  /** base64 in the alphabet with + and /, padded; line breaks are ignored */
  | 'base64'
  | 'anything'
  | { readonly list: FieldType }
  | { readonly mapping: FieldType }
  | { readonly fields: Readonly<Record<string, FieldType>> }

const texts: FieldType = { list: 'text' }
const extensions: FieldType = { list: { fields: { name: 'text', extension: 'anything' } } }

/** The types of client-go, tools/clientcmd/api/v1/types.go. kubectl ignores fields that it does not know. */
const kubeconfigType: FieldType = {
  fields: {
    ...{ kind: 'text', apiVersion: 'text', 'current-context': 'text', extensions },
    preferences: { fields: { colors: 'boolean', extensions } },
    clusters: {
      list: {
        fields: {
          name: 'text',
          cluster: {
            fields: {
              ...{ server: 'text', 'tls-server-name': 'text', 'insecure-skip-tls-verify': 'boolean' },
              ...{ 'certificate-authority': 'text', 'certificate-authority-data': 'base64' },
              ...{ 'proxy-url': 'text', 'disable-compression': 'boolean', extensions },
            },
          },
        },
      },
    },
    contexts: {
      list: {
        fields: { name: 'text', context: { fields: { cluster: 'text', user: 'text', namespace: 'text', extensions } } },
      },
    },
    users: {
      list: {
        fields: {
          name: 'text',
          user: {
            fields: {
              ...{ 'client-certificate': 'text', 'client-certificate-data': 'base64' },
              ...{ 'client-key': 'text', 'client-key-data': 'base64' },
              ...{ token: 'text', tokenFile: 'text', username: 'text', password: 'text' },
              ...{ as: 'text', 'as-uid': 'text', 'as-groups': texts, 'as-user-extra': { mapping: texts } },
              'auth-provider': { fields: { name: 'text', config: { mapping: 'text' } } },
              exec: {
                fields: {
                  ...{ command: 'text', args: texts, env: { list: { fields: { name: 'text', value: 'text' } } } },
                  ...{
                    apiVersion: 'text',
                    installHint: 'text',
                    provideClusterInfo: 'boolean',
                    interactiveMode: 'text',
                  },
                },
              },
              extensions,
            },
          },
        },
      },
    },
  },
}

/** The first field of the wrong type, as `contexts[0].context.namespace is a number, not a text`; its value is not shown. */
export function fieldTypeProblem(config: unknown): string | undefined {
  return problemAt(config, kubeconfigType, '')
}

function problemAt(value: unknown, type: FieldType, path: string): string | undefined {
  if (value === null || value === undefined || type === 'anything') return undefined // null is the zero value in Go
  if (type === 'text' || type === 'boolean' || type === 'base64') return scalarProblem(value, type, path)
  if ('list' in type) {
    if (!Array.isArray(value)) return `${path} is ${kindOf(value)}, not a list`
    return firstProblem(value.map((item, index) => () => problemAt(item, type.list, `${path}[${String(index)}]`)))
  }
  if (typeof value !== 'object' || Array.isArray(value)) return `${path || 'it'} is ${kindOf(value)}, not a mapping`
  const items = value as Readonly<Record<string, unknown>>
  const names = 'fields' in type ? Object.keys(type.fields) : Object.keys(items)
  return firstProblem(
    names.map((name) => () => {
      const itemType = 'fields' in type ? (type.fields[name] ?? 'anything') : type.mapping
      const item = Object.hasOwn(items, name) ? items[name] : undefined
      return problemAt(
        item,
        itemType,
        'fields' in type ? (path === '' ? name : `${path}.${name}`) : `an item of ${path}`,
      )
    }),
  )
}

function firstProblem(checks: readonly (() => string | undefined)[]): string | undefined {
  for (const check of checks) {
    const problem = check()
    if (problem !== undefined) return problem
  }
  return undefined
}

function scalarProblem(value: unknown, type: 'text' | 'boolean' | 'base64', path: string): string | undefined {
  if (type === 'boolean')
    return typeof value === 'boolean' ? undefined : `${path} is ${kindOf(value)}, not true or false`
  if (typeof value !== 'string') return `${path} is ${kindOf(value)}, not a text (YAML needs quotes around it)`
  if (type === 'text' || isBase64(value)) return undefined
  return `${path} is not base64`
}

function isBase64(text: string): boolean {
  const joined = text.replace(/[\r\n]/g, '')
  return joined.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(joined)
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'a mapping'
  if (typeof value === 'string') return 'a text'
  return typeof value === 'boolean' ? 'true or false' : 'a number'
}
