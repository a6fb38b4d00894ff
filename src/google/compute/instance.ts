import { urlPath } from '../../common/url-path.ts'
import { callProblem } from '../call-problem.ts'
import { describeFailure, failureOf } from '../transport.ts'
import { callOptions, type GoogleApis } from './apis.ts'

export interface InstanceName {
  readonly project: string
  readonly zone: string
  readonly name: string
}

/** What the login to a Compute Engine instance depends on. Its metadata, which holds secrets of the node, is not kept. */
export interface NodeInstance extends InstanceName {
  readonly id: string
  /** the first network interface: `nic0` */
  readonly interface: string
  /** its service account, which every user who logs in can use; absent where it has none */
  readonly serviceAccount?: string
  /** `RUNNING`, …; undefined where Google does not report it */
  readonly status: string | undefined
  /** in effect: the setting of the instance, else that of its project */
  readonly osLogin: 'off' | 'on' | 'certificates-required'
  /** `ssh-ed25519 AAAA…`, as the guest published them at its first boot; [] where it did not */
  readonly hostKeys: readonly string[]
  /** for the log: what could not be read, what is assumed instead, and the fix */
  readonly remarks: readonly string[]
}

/** The resource name: `projects/PROJECT/zones/ZONE/instances/NAME`. */
export function instancePath({ project, zone, name }: InstanceName): string {
  return `projects/${project}/zones/${zone}/instances/${name}`
}

interface Metadata {
  readonly items?: readonly { readonly key?: string | null; readonly value?: string | null }[] | null
}

/**
 * Reads the instance, its project and the host keys that it published.
 * @throws ConfigurationError
 */
export async function describeInstance(apis: GoogleApis, name: InstanceName): Promise<NodeInstance> {
  const client = await apis.instances()
  const { project, zone } = name
  const remarks: string[] = []
  const [instance] = await client.get({ project, zone, instance: name.name }, callOptions).catch((error: unknown) => {
    throw callProblem(error, {
      code: 'E_GCE_INSTANCE_UNAVAILABLE',
      input: 'node-method',
      problem: `the instance ${instancePath(name)} cannot be read`,
      fix:
        failureOf(error)?.status === 404
          ? 'The node may just have been replaced: run the job again. Or use node-method: pod.'
          : 'Grant the identity compute.instances.get in the project (docs/terraform has the role), or use node-method: pod.',
      mayAnswerQuoteSecrets: true,
    })
  })
  const projectMetadata = await readProjectMetadata(apis, project, remarks)
  const isEnabled = (key: string): boolean => setting(instance.metadata, key) ?? setting(projectMetadata, key) ?? false
  const account = instance.serviceAccounts?.[0]?.email
  return {
    ...{ project, zone, name: name.name, id: String(instance.id ?? '') },
    ...{
      interface: instance.networkInterfaces?.[0]?.name || 'nic0',
      status: instance.status ? String(instance.status) : undefined,
    },
    ...(account && { serviceAccount: account }),
    osLogin: osLoginOf(isEnabled),
    hostKeys: isEnabled('enable-guest-attributes') ? await readHostKeys(apis, name, remarks) : [],
    remarks,
  }
}

function osLoginOf(isEnabled: (key: string) => boolean): NodeInstance['osLogin'] {
  if (!isEnabled('enable-oslogin')) return 'off'
  return isEnabled('enable-oslogin-certificates') ? 'certificates-required' : 'on'
}

/** A metadata setting, as the guest reads it; undefined where it is not set. */
function setting(metadata: Metadata | null | undefined, key: string): boolean | undefined {
  const item = metadata?.items?.find((one) => one.key === key)
  return item && /^(true|yes|y|1)$/i.test(item.value ?? '')
}

async function readProjectMetadata(
  apis: GoogleApis,
  project: string,
  remarks: string[],
): Promise<Metadata | undefined> {
  try {
    const url = apis.endpoints.url('compute', urlPath`projects/${project}?fields=commonInstanceMetadata`)
    return (await apis.call<{ commonInstanceMetadata?: Metadata }>('GET', url)).commonInstanceMetadata
  } catch (error) {
    const failure = failureOf(error)
    if (failure?.status !== 403) {
      throw callProblem(error, {
        input: 'node-method',
        problem: `the project ${project} cannot be read`,
        fix: 'Check that it exists.',
        mayAnswerQuoteSecrets: true,
      })
    }
    remarks.push(
      `The settings of the project ${project} cannot be read (${describeFailure(failure)}): whether OS Login is on ` +
        'is taken from the instance alone. To take the project into account, grant compute.projects.get.',
    )
    return undefined
  }
}

const hostKeyTypes = ['ssh-ed25519', 'ecdsa-sha2-nistp256', 'ssh-rsa']

/** The host keys in the guest attributes that are valid and of a known type. */
async function readHostKeys(apis: GoogleApis, name: InstanceName, remarks: string[]): Promise<string[]> {
  const client = await apis.instances()
  const request = { project: name.project, zone: name.zone, instance: name.name, queryPath: 'hostkeys/' }
  try {
    const [{ queryValue }] = await client.getGuestAttributes(request, callOptions)
    return (queryValue?.items ?? []).flatMap(({ namespace, key, value }) => {
      const [encoded = ''] = (value ?? '').split(/\s/)
      const isBase64 = encoded !== '' && Buffer.from(encoded, 'base64').toString('base64') === encoded
      return namespace === 'hostkeys' && key && hostKeyTypes.includes(key) && isBase64 ? [`${key} ${encoded}`] : []
    })
  } catch (error) {
    const failure = failureOf(error)
    if (failure?.status === 404) return [] // the guest writes them at its first boot only
    if (failure?.status !== 403) {
      throw callProblem(error, {
        input: 'node-method',
        problem: `the host keys of ${instancePath(name)} cannot be read`,
        fix: 'Run the job again.',
        mayAnswerQuoteSecrets: true,
      })
    }
    remarks.push(
      `The host keys of the node cannot be read (${describeFailure(failure)}): the first key that is seen is trusted. ` +
        'To have it verified, grant compute.instances.getGuestAttributes.',
    )
    return []
  }
}
